package cmd

import (
	"context"

	"github.com/logiqc/logiqc/pkg/console"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// offer is a step of a card that has a key in Admin mode, its label for the card
// and its word for the line of keys.
type offer struct {
	key, word, label string
	do               doing
}

// doing makes what is done: by b, which talks where Admin mode wants it to, and
// under req. It may be done again, and then knows what was answered.
type doing func(b *App, req *logiqc.Request) func(context.Context) error

// adminOffers are what the actor may do with an account and has a key for, and
// the steps that only a command line does.
func adminOffers(svc logiqc.Service, acct logiqc.Account) (offers []offer, others []step) {
	actor, enrolled := svc.Actor(), acct.MFA.State == logiqc.EnrolmentEnrolled
	add := func(key, word, label string, do doing) { offers = append(offers, offer{key, word, label, do}) }
	reset := func(r logiqc.Reset) doing { return adminReset(svc, acct, r) }
	verify := actor.May(logiqc.MFAVerify) && mayTouch(actor, acct) && enrolled
	all := steps(acct, actor)
	if actor.May(logiqc.MFAReset) && mayTouch(actor, acct) && !actor.IsSelf(acct.ID) && acct.Auth == logiqc.ByPassword && !enrolled {
		all = append([]step{{"Fresh enrolment code", "logiqc mfa enrolment-code"}}, all...)
	}
	for _, s := range all {
		switch s.command {
		case "logiqc mfa reset", "logiqc mfa request":
			add("r", "reset", s.label, reset(logiqc.Reset{}))
			if enrolled {
				add("c", "+code", s.label+" with an enrolment code: phone lost", reset(logiqc.Reset{EnrolmentCode: true}))
			}
			add("h", "+hold", s.label+" and hold the sign-in: phone stolen", reset(logiqc.Reset{Hold: true}))
		case "logiqc mfa enrolment-code":
			add("c", "code", s.label, adminCode(svc, acct))
		case "logiqc users unlock":
			add("u", "unlock", s.label, adminChange(svc, acct, logiqc.Unlock))
		case "logiqc users activate":
			add("d", "", s.label, adminChange(svc, acct, logiqc.Activate))
		case "logiqc users deactivate":
			add("d", "", s.label, adminChange(svc, acct, logiqc.Deactivate))
		case "logiqc audit list --user":
			if verify {
				add("v", "verify", "Verify a code of their app, without a reset", adminVerify(svc, acct))
			}
			add("e", "events", "See its log", nil)
		default:
			others = append(others, s)
		}
	}
	return offers, others
}

// adminCard is the card of an account with its verdict first, and with keys for
// commands.
func (a *App) adminCard(svc logiqc.Service, acct logiqc.Account) ui.Card {
	card := accountCard(acct, svc.Actor(), a.Now())
	card.Sections = card.Sections[:2]
	auth := &card.Sections[1].Rows
	last := len(*auth) - 1
	verdict := (*auth)[last]
	card.Sections[0].Rows, *auth = append([]ui.CardRow{verdict}, card.Sections[0].Rows...), (*auth)[:last]
	offers, others := adminOffers(svc, acct)
	var can []ui.CardRow
	for _, o := range offers {
		can = append(can, ui.CardRow{Label: o.key, Value: o.label})
	}
	for _, s := range others {
		can = append(can, ui.CardRow{Label: s.label, Value: ui.Cyan(s.command + " " + acct.Username)})
	}
	if len(can) > 0 {
		card.Sections = append(card.Sections, ui.Section{Name: "You can", Rows: can})
	}
	return card
}

// adminActions are the offers as Admin mode starts them; it shows events itself.
func (a *App) adminActions(svc logiqc.Service, acct logiqc.Account) (all []console.Action) {
	offers, _ := adminOffers(svc, acct)
	for _, o := range offers {
		if o.do != nil {
			all = append(all, a.adminAction(o.key, o.word, o.do))
		} else {
			all = append(all, console.Action{Key: o.key, Word: o.word})
		}
	}
	return all
}

// adminAction makes an action. Each beginning has a request id, under which the
// outcome is kept: whoever tries again is told of what was done already.
func (a *App) adminAction(key, word string, do doing) console.Action {
	return console.Action{Key: key, Word: word, Start: func() func(context.Context, *ui.IO) error {
		b := *a
		req, err := (&requestFlags{confirmation: true}).request(true)
		req.Remember = true
		run := do(&b, &req)
		return func(ctx context.Context, io *ui.IO) error {
			if err != nil {
				return err
			}
			b.io = io
			return run(ctx)
		}
	}}
}

func adminReset(svc logiqc.Service, acct logiqc.Account, reset logiqc.Reset) doing {
	return func(b *App, req *logiqc.Request) func(context.Context) error {
		reset.Request = *req
		r := &resetter{App: b, svc: svc, reset: reset}
		return func(ctx context.Context) error { return r.one(ctx, acct.Username) }
	}
}

func adminChange(svc logiqc.Service, acct logiqc.Account, verb logiqc.Verb) doing {
	return func(b *App, req *logiqc.Request) func(context.Context) error {
		c := &changer{App: b, svc: svc, verb: verb, req: *req, words: changes[verb]}
		return func(ctx context.Context) error { return c.one(ctx, acct.Username) }
	}
}

// adminCode issues a fresh enrolment code. A key is pressed sooner than a command
// is typed, and the code before it dies: so it asks.
func adminCode(svc logiqc.Service, acct logiqc.Account) doing {
	return func(b *App, req *logiqc.Request) func(context.Context) error {
		return func(ctx context.Context) error {
			if err := b.agree(ctx, ui.Dialog{
				Title: "Fresh enrolment code for " + titled(acct) + "?",
				Facts: append(whoFacts(acct), ui.Fact{Label: "Call back", Value: callBack(acct, b.Now())}),
				Will:  []string{"show you a code, once", "end the code before it, if there is one"}, WillNot: []string{"change anything else"},
			}); err != nil {
				return err
			}
			return b.issueCode(ctx, svc, acct.Username, logiqc.CodeIssue{Request: *req})
		}
	}
}

// adminVerify proves codes: each is a request of its own.
func adminVerify(svc logiqc.Service, acct logiqc.Account) doing {
	return func(b *App, req *logiqc.Request) func(context.Context) error {
		req.Remember, req.Consent = false, logiqc.Consent{Given: true}
		return func(ctx context.Context) error {
			out, err := b.verifyCode(ctx, svc, acct.Username, logiqc.CodeCheck{Request: *req})
			if err != nil {
				return err
			}
			return verifiedTold(b.IO(), out)
		}
	}
}
