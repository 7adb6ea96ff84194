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

	failure          logiqc.Failure
	passwords, codes *logiqc.Throttle // nil: as it was
}

// follow takes the next event of the account a, whose password was another
// before.
func (s *since) follow(e logiqc.Event, a *logiqc.Replayable, was string) {
	open := logiqc.Throttle{}
	if passwordRight(e) {
		s.passwords = &open
	}
	switch e.Outcome {
	case logiqc.Failed:
		s.failed(e)
		return
	case logiqc.Denied:
		return
	}
	if e.Details.Step > 0 {
		s.codes = &open
	}
	switch e.Action {
	case logiqc.UserUpdated, logiqc.UserImported:
		if a.Password != was {
			s.newPassword, s.passwords = true, &open
		}
	case logiqc.UserPasswordSet:
		if e.Details.Sessions != nil { // a rehash at sign-in ends none
			s.newPassword, s.passwords = true, &open
		}
	case logiqc.MFAResetDone, logiqc.MFARecovered:
		s.codes = &open
		if e.Action == logiqc.MFARecovered {
			s.passwords = &open
		}
	case logiqc.UserUnlocked:
		s.passwords, s.codes = &open, &open
	case logiqc.RecoveryCodesIssued, logiqc.RecoveryCodeUsed:
		s.newCodes, s.codes = true, &open
	}
}

// passwordRight tells of an event whether logiqc found a password right then. A
// step of a sign-in whose password was given before wrong ones forgives nothing,
// and neither does a factor after a password that an application checked.
func passwordRight(e logiqc.Event) bool {
	switch e.Action {
	case logiqc.SigninStarted:
		return e.Details.Session != ""
	case logiqc.SigninSucceeded:
		return e.Details.Session != "" && e.Details.Method == "password"
	}
	return e.Outcome != logiqc.Success && e.Details.Method == "password"
}

// failed takes a miss: of passwords, or of what comes after them.
func (s *since) failed(e logiqc.Event) {
	s.failure = logiqc.Failure{At: e.Time, Reason: cmp.Or(e.Details.Cause, causeCode), Host: e.Source.Host}
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
	u.LastFailure = cmp.Or(s.failure, u.LastFailure)
	if s.passwords != nil {
		u.PasswordThrottle = *s.passwords
	}
	if s.codes != nil {
		u.CodeThrottle = *s.codes
	}
}
