package service

import (
	"cmp"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// since is what events after a backup tell of an account beside the state that
// [logiqc.Replay] folds.
type since struct {
	password    string // SHA-256 of the PHC string at the backup, hex, or ""
	newPassword bool   // it was replaced, and not only hashed anew
	newCodes    bool   // recovery codes were used or issued

	createdAt, usedAt, succeededAt logiqc.Time
	contactBy, resetBy             string
	resetSeen                      *bool
	told                           int64 // the sign-in at which an operator was told of recoveries
	failure                        logiqc.Failure
	passwords, codes               *logiqc.Throttle // nil: as it was
}

// follow takes the next event of the account a, whose password was another
// before.
func (s *since) follow(e logiqc.Event, a *logiqc.Replayable, was string) {
	switch e.Outcome {
	case logiqc.Failed:
		s.failed(e)
		return
	case logiqc.Denied:
		if e.Action == logiqc.EnrolmentStarted || e.Action == logiqc.RecoveryCodesIssued { // asked of whose password is right
			s.passwords = &logiqc.Throttle{}
		}
		return
	}
	by, open := cmp.Or(e.Actor.For, e.Actor.Username), logiqc.Throttle{}
	if e.Details.Step > 0 {
		s.usedAt, s.codes = e.Time, &open
	}
	switch e.Action {
	case logiqc.UserUpdated, logiqc.UserImported:
		if a.ContactChangedAt == e.Time {
			s.contactBy = by
		}
		if a.Password != was {
			s.newPassword, s.passwords = true, &open
		}
	case logiqc.UserPasswordSet:
		if e.Details.Sessions != nil { // a rehash at sign-in ends none
			s.newPassword, s.passwords = true, &open
		}
	case logiqc.MFAResetDone, logiqc.MFARecovered:
		s.resetBy, s.resetSeen, s.codes = by, new(bool), &open
		if e.Action == logiqc.MFARecovered {
			s.resetBy, s.passwords = recoveredBy(e), &open
		}
	case logiqc.UserUnlocked:
		s.passwords, s.codes = &open, &open
	case logiqc.RecoveryCodesIssued, logiqc.RecoveryCodeUsed:
		s.newCodes, s.codes = true, &open
	case logiqc.SigninStarted:
		s.passwords = &open
	case logiqc.SigninSucceeded:
		seen := true
		s.succeededAt, s.resetSeen, s.passwords = e.Time, &seen, &open
		if e.Source.App == "" {
			s.told = e.Seq
		}
	}
}

// failed takes a miss: of passwords, or of what comes after them.
func (s *since) failed(e logiqc.Event) {
	s.failure = logiqc.Failure{At: e.Time, Reason: cmp.Or(e.Details.Cause, causeCode), Host: e.Source.Host}
	if e.Details.Cause == causeHeld { // said to whose password is right
		s.passwords = &logiqc.Throttle{}
	}
	if e.Details.Misses == 0 || e.Action == logiqc.SigninThrottled {
		return
	}
	missed := logiqc.Throttle{Misses: e.Details.Misses - 1}.Miss(e.Time)
	if e.Details.Cause == causePassword {
		s.passwords = &missed
	} else {
		s.codes = &missed
	}
}

// onto gives an account what is known of it.
func (s *since) onto(u *logiqc.User) {
	if s == nil {
		return
	}
	u.CreatedAt = cmp.Or(u.CreatedAt, s.createdAt)
	u.LastSuccessAt = cmp.Or(s.succeededAt, u.LastSuccessAt)
	u.ContactChangedBy = cmp.Or(s.contactBy, u.ContactChangedBy)
	u.ResetBy = cmp.Or(s.resetBy, u.ResetBy)
	u.Told = cmp.Or(s.told, u.Told)
	u.LastFailure = cmp.Or(s.failure, u.LastFailure)
	if s.resetSeen != nil {
		u.ResetSeen = *s.resetSeen
	}
	if s.passwords != nil {
		u.PasswordThrottle = *s.passwords
	}
	if s.codes != nil {
		u.CodeThrottle = *s.codes
	}
}
