package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/cmd"
)

// docs/commands.md is what the program says of itself.
func TestPageIsUpToDate(t *testing.T) {
	kept, err := os.ReadFile(filepath.Join("..", "..", "docs", "commands.md"))
	if err != nil {
		t.Fatal(err)
	}
	if made := page(cmd.Documented()); string(kept) != made {
		t.Error("docs/commands.md is not what the commands say: go run ./cmd/gendocs")
	}
}

// Every command and topic has a man page, on which nothing is lost of what looks
// like markup.
func TestManPages(t *testing.T) {
	dir := t.TempDir()
	if err := manPages(cmd.Documented(), dir); err != nil {
		t.Fatal(err)
	}
	_ = each(cmd.Documented(), func(c *cobra.Command) error {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-")
		text, err := os.ReadFile(filepath.Join(dir, name+".1"))
		if err != nil {
			t.Error(err)
			return nil
		}
		plain := strings.NewReplacer(`\-`, "-", `\[`, "[", `\]`, "]", `\&`, "", `\\fB`, "", `\fB`, "", `\fP`, "", `\fR`, "").Replace(string(text))
		for _, want := range []string{c.UseLine(), c.Short} {
			if !strings.Contains(plain, want) {
				t.Errorf("%s.1 does not say %q", name, want)
			}
		}
		if strings.Count(plain, "<user>") < strings.Count(c.Use+c.Long, "<user>") {
			t.Errorf("%s.1 has lost a <user>", name)
		}
		return nil
	})
}
