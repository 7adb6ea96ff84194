package service

import (
	"context"
	"errors"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Who floods a server with sign-ins and leaves does not keep it computing.
func TestSigninIsNotWaitedFor(t *testing.T) {
	d := New(nil, nil)
	for range cap(d.cores) {
		d.cores <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (&signIn{desk: d}).check(ctx, logiqc.User{}, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
