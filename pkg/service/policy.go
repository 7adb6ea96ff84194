package service

import (
	"context"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Policy implements [logiqc.Service].
func (s *service) Policy(ctx context.Context) (p logiqc.Policy, err error) {
	err = s.desk.view(ctx, s.actor, func(t *txn) error {
		p = t.policy
		return t.need(logiqc.UsersRead, logiqc.UserViewed, "")
	})
	return p, err
}

// Enforce implements [logiqc.Service].
func (s *service) Enforce(ctx context.Context, r logiqc.Enforcement) (out logiqc.EnforcementResult, err error) {
	action := logiqc.MFAEnforced
	if !r.On {
		action = logiqc.MFAUnenforced
	}
	err = s.desk.update(ctx, s.actor, r.Request, func(t *txn) error {
		if err := t.needs(logiqc.Administer, action, ""); err != nil {
			return err
		}
		matter := r
		matter.Request = logiqc.Request{Reason: r.Reason}
		var again bool
		out, again, err = once(t, "mfa enforce", matter, func() (logiqc.EnforcementResult, error) { return t.enforce(r, action) })
		out.Replayed.Replayed = again
		return err
	})
	return out, err
}

func (t *txn) enforce(r logiqc.Enforcement, action logiqc.Action) (out logiqc.EnforcementResult, err error) {
	was := t.policy.Enforced
	t.policy.Enforced = r.On
	if out.Figures, err = t.Figures(t.policy); err != nil {
		return out, err
	}
	out.Enforced = r.On
	switch {
	case was == r.On:
		return out, nil
	case !r.Given && !r.DryRun:
		return out, confirmationRequired("nothing was changed")
	}
	if err := t.SetPolicy(t.policy); err != nil {
		return out, err
	}
	out.Changed = !r.DryRun
	if r.DryRun {
		out.Enforced = was
	}
	_, err = t.record(action, logiqc.Target{}, logiqc.Details{})
	return out, err
}

// ChangePolicy implements [logiqc.Service].
func (s *service) ChangePolicy(ctx context.Context, r logiqc.PolicyEdit) (out logiqc.PolicyEdited, err error) {
	r.Given = true
	err = s.desk.update(ctx, s.actor, r.Request, func(t *txn) error {
		if err := t.needs(logiqc.Administer, logiqc.PolicyChanged, ""); err != nil {
			return err
		}
		matter := r
		matter.Request = logiqc.Request{Reason: r.Reason}
		var again bool
		out, again, err = once(t, "policy set", matter, func() (logiqc.PolicyEdited, error) { return t.changePolicy(r) })
		out.Replayed.Replayed = again
		return err
	})
	return out, err
}

func (t *txn) changePolicy(r logiqc.PolicyEdit) (out logiqc.PolicyEdited, err error) {
	for _, s := range r.Settings {
		if s.Key == logiqc.KeyEnforced {
			return out, logiqc.Errorf(logiqc.Invalid, "%s is not changed here", s.Key).WithHint("logiqc mfa enforce on|off")
		}
	}
	out.Policy, out.Changes, err = t.policy.With(r.Settings)
	if err != nil {
		return out, err
	}
	if out.Changes == nil {
		out.Changes = []logiqc.Change{}
	}
	missing, err := t.nobodyApproves(out.Policy)
	if missing != "" {
		out.Warnings = append(out.Warnings, missing+" (a second one: "+logiqc.ApproverMissing+")")
	}
	if err != nil || len(out.Changes) == 0 {
		return out, err
	}
	if err := t.SetPolicy(out.Policy); err != nil {
		return out, err
	}
	out.Changed = !r.DryRun
	_, err = t.record(logiqc.PolicyChanged, logiqc.Target{}, logiqc.Details{Changes: out.Changes})
	return out, err
}

// nobodyApproves says for what the policy leaves nobody who could approve it.
func (t *txn) nobodyApproves(p logiqc.Policy) (string, error) {
	admins, err := t.Active(logiqc.RoleAdmin)
	if err != nil {
		return "", err
	}
	helpdesk, err := t.Active(logiqc.RoleHelpdesk)
	return p.NobodyApproves(admins, helpdesk), err
}
