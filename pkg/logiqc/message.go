package logiqc

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// PlaceTime stands for the local time of the reset in a message, to be filled
// in where the operator is.
const PlaceTime = "{time}"

// warning ends every message about a reset (product.md R10).
const warning = "If you did not ask for this, call the help desk at once."

const defaultTemplate = "Hello {first_name}, your MFA was reset on {time}. {next}"

var (
	placeholder = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\{[a-z_]*\}`)
	})
	// Placeholders are those of message.template, with what stands in for them.
	Placeholders = []string{"{name}", "{first_name}", "{username}", PlaceTime, "{organisation}", "{next}"}
)

// checkTemplate refuses a template with a placeholder that nothing is known
// for, or a brace that belongs to none.
func checkTemplate(s string) error {
	if err := CheckText("the template", s, MaxReason); err != nil {
		return err
	}
	rest := s
	for _, known := range Placeholders {
		rest = strings.ReplaceAll(rest, known, "")
	}
	if found := placeholder().FindString(rest); found != "" {
		return fmt.Errorf("%s is no placeholder: there are %s", found, strings.Join(Placeholders, " "))
	}
	if strings.ContainsAny(rest, "{}") {
		return fmt.Errorf("it has a brace that belongs to no placeholder: there are %s", strings.Join(Placeholders, " "))
	}
	return nil
}

// ResetMessage is the ready-made message with which the operator tells the user
// of a reset (product.md R10), in the words of the policy's template; withCode
// says that an enrolment code goes with it, on another way. [PlaceTime] is left
// in it.
func (p Policy) ResetMessage(a Account, withCode bool) string {
	first, _, _ := strings.Cut(a.DisplayName(), " ")
	next := "Sign in as usual and set up your authenticator app again."
	switch {
	case a.Signin.Next != NextEnrol:
		next = "Sign in as usual."
	case withCode:
		next = "Sign in as usual, type the enrolment code that the help desk gives you, and set up your authenticator app again."
	}
	template := p.Message
	if template == "" {
		template = defaultTemplate
	}
	// One pass: a name is data and no place for placeholders.
	text := strings.NewReplacer("{name}", a.DisplayName(), "{first_name}", first, "{username}", a.Username,
		"{organisation}", p.Issuer, "{next}", next).Replace(template)
	if !strings.HasSuffix(strings.TrimSpace(text), warning) {
		text = strings.TrimSpace(text) + " " + warning
	}
	return text
}
