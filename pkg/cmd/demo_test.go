package cmd

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// The demo's people are the same each time, differ from one another, and have
// every kind among them.
func TestDemoPeople(t *testing.T) {
	counts := func() (map[string]int, []string) {
		n, names := map[string]int{}, map[string]bool{demoUser: true}
		for row, err := range demoRows("hash") {
			if err != nil || names[row.Username] || logiqc.CheckUsername(row.Username) != nil || logiqc.CheckEmail(row.Email) != nil {
				t.Fatalf("row %d: %s %s, %v", row.Row, row.Username, row.Email, err)
			}
			names[row.Username] = true
			n["all"]++
			n[string(row.Auth)+" "+string(row.Status)]++
			n["role "+string(row.Role)]++
			if row.TOTP != "" {
				n["enrolled"]++
				if row.Auth == logiqc.BySSO {
					t.Errorf("%s signs in by SSO and has an app here", row.Username)
				}
			}
			if row.Protected {
				n["protected"]++
			}
			if strings.ContainsFunc(row.Name, func(r rune) bool { return r > 0x17f }) {
				n["other scripts"]++
			}
		}
		return n, slices.Sorted(maps.Keys(names))
	}
	n, names := counts()
	again, namesAgain := counts()
	if !maps.Equal(n, again) || !slices.Equal(names, namesAgain) {
		t.Error("they differ from one time to the next")
	}
	password := n["all"] - n["sso "]
	if share := 100 * n["enrolled"] / password; n["all"] != 999 || share < 65 || share > 75 {
		t.Errorf("%d people, %d %% enrolled", n["all"], share)
	}
	for _, kind := range []string{"sso ", " inactive", "role admin", "role helpdesk", "role auditor", "protected", "other scripts"} {
		if n[kind] == 0 {
			t.Errorf("nobody of kind %q", kind)
		}
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{
		"/tmp/a-b_c.db": "/tmp/a-b_c.db", "": "''", "new phone": "'new phone'", "it's": `'it'\''s'`, "$HOME": "'$HOME'", "~x": "'~x'",
	} {
		if got := shellWord(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
