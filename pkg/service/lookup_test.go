package service_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// A token that has been revoked is refused from then on, however many are looked
// up with it; and nobody is taken for another.
func TestAuthenticateTogether(t *testing.T) {
	d := openImport(t)
	var bearers []logiqc.Secret
	var infos []logiqc.TokenInfo
	for _, name := range []string{"a", "b", "c", "d"} {
		info, bearer, err := d.helen.CreateToken(t.Context(), logiqc.NewToken{Name: name, Role: logiqc.RoleAuditor, Lifetime: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		bearers, infos = append(bearers, bearer), append(infos, info)
	}
	var revoked [4]atomic.Bool
	var done sync.WaitGroup
	for i := range 16 {
		done.Go(func() {
			for range 50 {
				over := revoked[i%4].Load()
				a, err := d.Authenticate(t.Context(), bearers[i%4], logiqc.Source{Host: "h"})
				if err == nil && (over || a.ID != infos[i%4].ID || a.Source.Host != "h") || err != nil && !errors.Is(err, logiqc.Unauthenticated) {
					t.Errorf("revoked %t: %+v, %v", over, a, err)
				}
			}
		})
	}
	for i := range 3 {
		if _, err := d.helen.RevokeTokens(t.Context(), logiqc.Revocation{ID: infos[i].ID, Request: logiqc.Request{Consent: logiqc.Consent{Given: true}}}); err != nil {
			t.Error(err)
		}
		revoked[i].Store(true)
	}
	done.Wait()
	if _, err := d.Authenticate(t.Context(), bearers[3], logiqc.Source{}); err != nil {
		t.Error(err)
	}
}
