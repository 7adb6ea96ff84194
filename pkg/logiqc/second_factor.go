package logiqc

// FactorCheck asks for the second factor of a user whose password an
// application has checked itself. It has an app code or a recovery code; without
// either it only asks which comes next.
type FactorCheck struct {
	User         string
	Code         string
	RecoveryCode Secret
	// From is where the user is, as the application says; empty where it does
	// not.
	From Source
}

// FactorChecked is the outcome for a factor that was right, or not needed.
type FactorChecked struct {
	User    string        `json:"user"`
	Outcome FactorOutcome `json:"outcome"`
	// Notice is what the user is to be told, "" if nothing.
	Notice            string `json:"notice"`
	RecoveryCodesLeft int    `json:"recovery_codes_left"`
}

// FactorOutcome is how a FactorCheck ended that was not refused.
type FactorOutcome string

// The outcomes: the factor was right; MFA is not required of the account.
const (
	FactorPassed      FactorOutcome = "passed"
	FactorNotRequired FactorOutcome = "not_required"
)

// CheckApplication refuses with Forbidden whoever is no application with the
// right: a token that was given it.
func (a Actor) CheckApplication(right Right) error {
	if err := a.Need(right); err != nil {
		return err
	}
	if a.Kind != Token {
		return Errorf(Forbidden, "this is for applications, which act with a token").
			WithHint("logiqc tokens create NAME --allow %s", right)
	}
	return nil
}
