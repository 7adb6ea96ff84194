package logiqc

import (
	"context"
	"time"
)

// SignIn is the one way in, for users and operators, on a terminal and for
// applications. A sign-in goes through stages; what it holds before it is
// signed in can do nothing but finish.
type SignIn interface {
	// Start checks the password. Until it is right every failure is
	// SigninDenied with the same words, whatever the reason.
	Start(ctx context.Context, r SigninRequest) (Attempt, error)
	// Code takes an app code, RecoveryCode a recovery code: WrongCode (with
	// the drift of the device's clock where that explains it) or Throttled.
	Code(ctx context.Context, attempt Secret, code string, src Source) (Attempt, error)
	RecoveryCode(ctx context.Context, attempt Secret, code Secret, src Source) (Attempt, error)
	// EnrolmentCode takes the one-time code from the help desk, where
	// [Attempt.CodeNeeded] asks for it: WrongCode, or Expired when it is not good
	// any more or none was issued. It is spent when the enrolment is proved.
	EnrolmentCode(ctx context.Context, attempt Secret, code Secret, src Source) (Attempt, error)
	// StartEnrolment makes a fresh secret; starting again replaces it.
	// EnrolmentCodeRequired where that has not been given on the attempt.
	StartEnrolment(ctx context.Context, attempt Secret, src Source) (PendingEnrolment, error)
	// ProveEnrolment takes the first app code of the pending secret.
	ProveEnrolment(ctx context.Context, attempt Secret, code string, src Source) (Enrolled, error)
	// NewRecoveryCodes replaces the recovery codes of an attempt made for that
	// purpose and proved by an app code.
	NewRecoveryCodes(ctx context.Context, attempt Secret, src Source) (Enrolled, error)
	// End ends a session or an attempt, by its own token.
	End(ctx context.Context, session Secret, src Source) error
}

// Purpose is what a sign-in is for. Only SigninPurpose yields a session.
type Purpose string

// The purposes of a sign-in.
const (
	SigninPurpose   Purpose = "signin"
	EnrolPurpose    Purpose = "enrol"
	ReplacePurpose  Purpose = "replace"
	RecoveryPurpose Purpose = "recovery_codes"
)

// Check refuses with Usage what no sign-in is for.
func (p Purpose) Check() error {
	switch p {
	case SigninPurpose, EnrolPurpose, ReplacePurpose, RecoveryPurpose:
		return nil
	}
	return Errorf(Usage, "%q is no purpose of a sign-in: one of signin, enrol, replace, recovery_codes", p)
}

// AttemptFor is how long a half-finished sign-in lasts.
const AttemptFor = 10 * time.Minute

// SigninRequest starts a sign-in. User is a username, an email or an id; Purpose
// "" is SigninPurpose.
type SigninRequest struct {
	User     string
	Password Secret
	Purpose  Purpose
	Source   Source
}

// Stage is how far a sign-in is.
type Stage string

// The stages of a sign-in.
const (
	StageCode     Stage = "code_required"
	StageEnrol    Stage = "enrolment_required"
	StageSignedIn Stage = "signed_in"
	// StageOver is an attempt that did what it was made for, and yields no
	// session.
	StageOver Stage = "over"
)

// Attempt is a sign-in at a stage. Its Token carries it on to the next; once it
// is signed in there is another, which is the session, and the old one is dead.
type Attempt struct {
	Token     Secret
	ID        string
	Stage     Stage
	User      string
	ExpiresAt Time
	// Notice is what the user is to be told, "" if nothing: first when the
	// password was right, and all of it once they are signed in.
	Notice string
	// Pending tells that an enrolment is already under way, so that a code for
	// it can be proved without starting again.
	Pending bool
	// CodeNeeded tells that an enrolment can be started only with an enrolment
	// code, which has not been given on this attempt.
	CodeNeeded bool
	// RecoveryCodesLeft is told to who is signed in.
	RecoveryCodesLeft int
}

// PendingEnrolment is a secret that awaits its first code.
type PendingEnrolment struct {
	User      string
	Issuer    string
	Label     string
	Secret    Secret // base32
	URI       Secret // otpauth URI
	ExpiresAt Time
}

// Enrolled is a proved enrolment, or a fresh set of recovery codes.
type Enrolled struct {
	User          string
	RecoveryCodes []Secret
	Audit         AuditRef
	// Attempt is where the sign-in stands now.
	Attempt Attempt
}
