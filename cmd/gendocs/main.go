// Command gendocs writes what is made of the tree of commands: docs/commands.md,
// which is kept, and man pages, which a release makes.
//
//	go run ./cmd/gendocs             docs/commands.md
//	go run ./cmd/gendocs -man DIR    a page for each command and topic, in DIR
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/logiqc/logiqc/pkg/cmd"
)

func main() {
	dir := flag.String("man", "", "write man pages to `DIR` instead")
	flag.Parse()
	root := cmd.Documented()
	var err error
	if *dir == "" {
		err = os.WriteFile(filepath.Join("docs", "commands.md"), []byte(page(root)), 0o644) //nolint:gosec // a page for everybody
	} else {
		err = manPages(root, *dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// each calls do with the commands and topics of the tree, in the order of help.
func each(c *cobra.Command, do func(c *cobra.Command) error) error {
	if err := do(c); err != nil {
		return err
	}
	for _, sub := range c.Commands() {
		if sub.Hidden {
			continue
		}
		if err := each(sub, do); err != nil {
			return err
		}
	}
	return nil
}

// page is docs/commands.md: the help of every command, as the program shows it,
// with the flags that all of them have in the first place only.
func page(root *cobra.Command) string {
	var contents, body strings.Builder
	_ = each(root, func(c *cobra.Command) error {
		var help strings.Builder
		c.SetOut(&help)
		c.HelpFunc()(c, nil)
		text, _, _ := strings.Cut(help.String(), "\n\nGlobal Flags:\n")
		fmt.Fprintf(&contents, "%s- [%s](#%s) — %s\n", strings.Repeat("  ", depth(c)), c.Name(), strings.ReplaceAll(c.CommandPath(), " ", "-"), c.Short)
		fmt.Fprintf(&body, "\n## %s\n\n```\n%s\n```\n", c.CommandPath(), strings.TrimSpace(text))
		return nil
	})
	return "# Commands\n\nWhat `--help` says, for every command. Made by `go run ./cmd/gendocs`; the help of\n" +
		"[logiqc](#logiqc) lists the flags that all of them take.\n\n" + contents.String() + body.String()
}

func depth(c *cobra.Command) int { return strings.Count(c.CommandPath(), " ") }

// manPages writes a page of section 1 for each command and topic.
func manPages(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // pages for everybody
		return err
	}
	return each(root, func(c *cobra.Command) (err error) {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		defer func() {
			if closed := f.Close(); err == nil {
				err = closed
			}
		}()
		c.DisableAutoGenTag = true
		c.Use, c.Short, c.Long = verbatim(c.Use), verbatim(c.Short), verbatim(c.Long)
		return doc.GenMan(c, &doc.GenManHeader{Section: "1", Source: "logiqc", Manual: "logiqc"}, f)
	})
}

// verbatim keeps what is not Markdown, such as "<user>", as it is on its way
// through a converter of Markdown.
func verbatim(text string) string {
	return strings.NewReplacer("<", `\<`, "*", `\*`, "_", `\_`).Replace(text)
}
