package cmd

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// findForPeople is how many accounts a list for people shows by itself.
const findForPeople = 20

// findFlags are the flags of `users find`.
type findFlags struct {
	query     logiqc.UserQuery
	required  bool
	protected bool
	olderThan string
	limit     int
}

func newUsersFind(a *App) *cobra.Command {
	var f findFlags
	c := &cobra.Command{
		Use: "find [TEXT]", SuggestFor: []string{"list", "search"}, Short: "Find accounts, best match first",
		Long: "Find accounts by the letters of a username, an email or a name: an exact match\n" +
			"first, then what begins so, then names with the words in any order, then what\n" +
			"has the text in it. Accents do not matter. Without TEXT it lists every account.",
		Example: "  logiqc users find lee\n" +
			"  logiqc users find jordan lee --status active\n" +
			"  logiqc users find --awaiting-enrolment --older-than 7d\n" +
			"  logiqc users find -o csv > staff.csv     users import takes it back",
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.complete(c, args, a.Now()); err != nil {
				return err
			}
			svc, err := a.Service(c.Context())
			if err != nil {
				return err
			}
			return a.find(c.Context(), svc, f.query, a.listLimit(c, f.limit, findForPeople))
		},
	}
	f.add(c)
	return c
}

// add gives the command its flags.
func (f *findFlags) add(c *cobra.Command) {
	enumFlag(c, &f.query.Status, "status", "only accounts of this status", logiqc.Active, logiqc.Inactive)
	enumFlag(c, &f.query.Auth, "auth", "only accounts that sign in this way", logiqc.ByPassword, logiqc.BySSO)
	enumFlag(c, &f.query.Role, "role", "only accounts of this role", logiqc.AccountRoles...)
	enumFlag(c, &f.query.MFA, "mfa", "only accounts whose enrolment is in this state",
		logiqc.EnrolmentNone, logiqc.EnrolmentPending, logiqc.EnrolmentEnrolled)
	c.Flags().BoolVar(&f.required, "required", false, "only accounts for which MFA is required; =false: is not")
	c.Flags().BoolVar(&f.protected, "protected", false, "only accounts marked protected; =false: not marked")
	c.Flags().BoolVar(&f.query.AwaitingEnrolment, "awaiting-enrolment", false, "only accounts that were reset and have not enrolled since")
	c.Flags().StringVar(&f.olderThan, "older-than", "", "with --awaiting-enrolment: reset longer ago than `AGE` (24h, 7d)")
	c.Flags().IntVar(&f.limit, "limit", 0, "at most `N` accounts (20 on a terminal, otherwise all)")
	c.Flags().StringVar(&f.query.Cursor, "cursor", "", "go on where an earlier list was cut: its `CURSOR`")
}

// complete makes the query of what was typed.
func (f *findFlags) complete(c *cobra.Command, args []string, now time.Time) error {
	f.query.Text = strings.Join(args, " ")
	if err := logiqc.CheckText("the text", f.query.Text, logiqc.MaxReason); err != nil {
		return err
	}
	if c.Flags().Changed("required") {
		f.query.Required = &f.required
	}
	if c.Flags().Changed("protected") {
		f.query.Protected = &f.protected
	}
	if err := checkLimit(c, f.limit); err != nil {
		return err
	}
	if !c.Flags().Changed("older-than") {
		return nil
	}
	if !f.query.AwaitingEnrolment {
		return logiqc.Errorf(logiqc.Usage, "--older-than goes with --awaiting-enrolment")
	}
	age, err := logiqc.ParseAge(f.olderThan)
	f.query.ResetBefore = logiqc.At(now.Add(-age))
	return err
}

// find writes the accounts that a query selects, page by page, at most limit of
// them unless that is 0.
func (a *App) find(ctx context.Context, svc logiqc.Service, q logiqc.UserQuery, limit int) error {
	io := a.IO()
	out := list(io, findColumns, findCells, importable, importableRecord)
	next, err := out.pages(q.Cursor, limit, func(cursor string, size int) ([]logiqc.Account, string, error) {
		q.Cursor, q.Limit = cursor, size
		page, err := svc.FindUsers(ctx, q)
		return page.Accounts, page.Next, err
	})
	if err != nil {
		return err
	}
	switch {
	case next != "":
		io.Hintf("more: --cursor %s", next)
	case io.Format() != ui.FormatText:
	case out.n == 0:
		io.Notef("No account matches.")
		return a.findLess(ctx, svc, q)
	case io.OutTerminal():
		io.Notef("%s", counted(out.n, "account"))
	}
	return nil
}

// fewestLetters are left when a text that finds nothing is shortened.
const fewestLetters = 3

// findLess tells people whose text has found nothing with how much less of it
// there would be something: names are misheard at their ends.
func (a *App) findLess(ctx context.Context, svc logiqc.Service, q logiqc.UserQuery) error {
	text := []rune(strings.TrimSpace(q.Text))
	for q.Cursor, q.Limit = "", findForPeople; a.IO().OutTerminal() && len(text) > fewestLetters; {
		text = text[:len(text)-1]
		q.Text = string(text)
		page, err := svc.FindUsers(ctx, q)
		switch {
		case err != nil:
			return err
		case page.Next != "":
			return nil
		case len(page.Accounts) > 0:
			a.IO().Hintf("fewer letters find %s: logiqc users find %s", counted(len(page.Accounts), "account"), shellWord(strings.TrimSpace(q.Text)))
			return nil
		}
	}
	return nil
}

var findColumns = []ui.Column{
	{Name: "Username", Whole: true}, {Name: "Name"}, {Name: "Email"}, {Name: "Status", Whole: true},
	{Name: "Sign-in", Whole: true}, {Name: "MFA", Whole: true},
}

// findCells is one account in the table.
func findCells(account logiqc.Account) []any {
	mfa := string(account.MFA.State)
	if account.Auth == logiqc.BySSO {
		mfa = "–"
	}
	return []any{account.Username, account.Name, account.Email, string(account.Status), string(account.Auth), mfa}
}

// importable are the columns of -o csv, in which `users import` takes a list of
// accounts back. mfa is the account's own toggle.
var importable = []string{"username", "email", "name", "phone", "role", "auth", "status", "mfa", "protected"}

func importableRecord(account logiqc.Account) []string {
	return []string{
		account.Username, account.Email, account.Name, account.Phone, string(account.Role), string(account.Auth),
		string(account.Status), account.MFA.ToggleOwn.String(), strconv.FormatBool(account.Protected),
	}
}
