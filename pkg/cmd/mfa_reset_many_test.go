package cmd

import (
	"slices"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// A batch used to carry the ids of all accounts of the batches before it, and
// near 150,000 of them a request was longer than a server takes. What it carries
// is only who is named again, in whatever way.
func TestBatchesCarryOnlyRepeats(t *testing.T) {
	before := dealtWith{}
	before.add(nil) // nobody was found
	for _, acct := range []logiqc.Account{
		{ID: "01-a", Username: "Ann", Email: "Ann.Archer@example.org"},
		{ID: "01-b", Username: "bob", Email: "bob@example.org"},
		{ID: "01-c", Username: "cat", Email: "cat@example.org"},
	} {
		before.add(&acct)
	}
	targets := []logiqc.ResetTarget{{User: "dan"}, {User: "ann.archer@EXAMPLE.org"}, {User: "BOB"}, {User: "01-B"}, {User: ""}}
	if got := before.among(targets); !slices.Equal(got, []string{"01-a", "01-b", "01-b"}) {
		t.Errorf("carried: %v", got)
	}
	if got := before.among([]logiqc.ResetTarget{{User: "dan"}, {User: "eve"}}); len(got) != 0 {
		t.Errorf("carried although nobody is named again: %v", got)
	}
}
