package service_test

import (
	"fmt"
	"testing"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/store"
)

// BenchmarkVerifySince checks a hundred new events against a checkpoint that was
// kept, in a store with few old ones and with many: the time is that of what is
// new. The whole log is checked beside it, for comparison.
//
//	go test ./pkg/service -run '^$' -bench VerifySince
func BenchmarkVerifySince(b *testing.B) {
	const fresh = 100
	for _, old := range []int{10_000, 200_000} {
		d := openDesk(b)
		grow(b, d.Desk, old)
		kept, err := d.Log().Head(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		grow(b, d.Desk, fresh)
		for what, since := range map[string]*ledger.Head{"since": &kept, "whole": nil} {
			b.Run(fmt.Sprintf("%s/old=%d", what, old), func(b *testing.B) {
				for b.Loop() {
					r, err := ledger.Verify(b.Context(), d.Log(), ledger.VerifyOptions{Since: since})
					if err != nil || !r.OK || since != nil && r.Checked != fresh {
						b.Fatalf("%+v, %v", r, err)
					}
				}
			})
		}
	}
}

// grow appends events to the log of a store.
func grow(b *testing.B, d *service.Desk, n int) {
	b.Helper()
	for left := n; left > 0; {
		part := min(left, 5000)
		left -= part
		err := d.Store().Update(b.Context(), func(tx *store.Tx) error { return service.AppendEvents(tx, part, logiqc.SigninSucceeded) })
		if err != nil {
			b.Fatal(err)
		}
	}
}
