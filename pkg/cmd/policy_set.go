package cmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

const policySetLong = `Changes settings of the organisation, all of those named or none. Each change is in the
audit log with its value before and after.

  reset.reason=optional|required    a reset takes a reason
  reset.reasons=A,B,…               … and it is one of these
  reset.ticket=REGEXP               a reset takes a ticket that matches this as a whole
  reset.verified_by=A,B,…           a reset takes --verified-by, one of these; never what others
                                    know too: a name, a date of birth, an employee number
  reset.approval=none|privileged|all
                                    which resets a second operator has to approve
  reset.approvers=admin|helpdesk    who that may be; of privileged accounts always an admin
  reset.max_per_hour=N              … and more than N of one operator in an hour; 0: no limit
  reset.same_user_hours=N           … and a second one of a user within N hours
  reset.contact_changed_hours=N     … and one within N hours of a change of email or phone
  stepup.minutes=N                  a reset, an approval and a change of role take a sign-in that
                                    is at most N minutes old; tokens have none. 0: any sign-in
  reset.bulk_max=N                  the most accounts one reset may name
  enrolment.code=off|after_reset|always
                                    who enrols with a code from the help desk only
  enrolment.code_ttl=D              how long such a code is good, unless --code-ttl says
  enrolment.window=D                after a reset, the time until sign-in is held; 0: for ever
  session.ttl=D                     how long a session lasts
  totp.issuer=NAME                  the name users see in their authenticator app
  message.template=TEXT             the message about a reset that operators get to send, with
                                    {name} {first_name} {username} {time} {organisation} and
                                    {next}, what to do at the next sign-in. It always ends with
                                    "If you did not ask for this, call the help desk at once."

D is a length of time such as 15m, 24h or 7d. mfa.enforced is changed by mfa enforce.`

// newPolicySet makes `policy set KEY=VALUE…`.
func newPolicySet(a *App) *cobra.Command {
	c := &cobra.Command{
		Use: "set KEY=VALUE…", Short: "Change the organisation's settings", Long: policySetLong,
		Annotations: oneAnswer,
		Example: "  logiqc policy set reset.reason=required 'reset.ticket=INC[0-9]{6}'\n" +
			"  logiqc policy set reset.verified_by=callback,manager,video,in_person\n" +
			"  logiqc policy set enrolment.code=after_reset --dry-run",
		Args: cobra.ArbitraryArgs,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var keys []string
			for _, key := range logiqc.PolicyKeys {
				if key != logiqc.KeyEnforced {
					keys = append(keys, key+"=")
				}
			}
			return keys, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
		},
	}
	f := addRequestFlags(c, false)
	f.addReason(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		settings, err := readSettings(args)
		if err != nil {
			return err
		}
		return a.setPolicy(c.Context(), settings, f)
	}
	return c
}

// readSettings reads KEY=VALUE arguments; a key is given once.
func readSettings(args []string) (settings []logiqc.Setting, err error) {
	if len(args) == 0 {
		return nil, logiqc.Errorf(logiqc.Usage, "nothing to set").WithHint("logiqc policy set KEY=VALUE; the keys: logiqc policy show")
	}
	seen := map[string]bool{}
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		switch {
		case !ok:
			return nil, logiqc.Errorf(logiqc.Usage, "%q is not KEY=VALUE", arg).WithHint("the keys: logiqc policy show")
		case seen[key]:
			return nil, logiqc.Errorf(logiqc.Usage, "%s is given twice", key)
		}
		seen[key] = true
		settings = append(settings, logiqc.Setting{Key: key, Value: value})
	}
	return settings, nil
}

// setPolicy changes the settings and tells what differs.
func (a *App) setPolicy(ctx context.Context, settings []logiqc.Setting, f *requestFlags) error {
	svc, req, err := a.calling(ctx, f, false)
	if err != nil {
		return err
	}
	out, err := svc.ChangePolicy(ctx, logiqc.PolicyEdit{Request: req, Settings: settings})
	if err != nil {
		return err
	}
	for _, w := range out.Warnings {
		a.IO().Warnf("%s", w)
	}
	return a.answer(struct {
		Changed  bool              `json:"changed"`
		Policy   map[string]string `json:"policy"`
		Changes  []logiqc.Change   `json:"changes"`
		Warnings []string          `json:"warnings,omitempty"`
		logiqc.Replayed
	}{out.Changed, out.Policy.Values(), out.Changes, out.Warnings, out.Replayed}, func(io *ui.IO) error {
		if len(out.Changes) == 0 {
			io.Answerf("The policy is so already; nothing was changed.")
			return nil
		}
		for _, ch := range out.Changes {
			io.Answerf("%s: %s → %s", ch.Field, orNothing(ch.From), orNothing(ch.To))
		}
		if !out.Changed {
			io.Answerf("Nothing was changed: this is what would be.")
		}
		return nil
	})
}

// orNothing shows that a value is empty.
func orNothing(s string) string {
	if s == "" {
		return "(nothing)"
	}
	return s
}
