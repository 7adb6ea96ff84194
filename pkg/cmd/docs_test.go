package cmd

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// said matches a command line in a page: in backticks, or a line of a block.
var said = regexp.MustCompile("(?m)`(?:\\S+\\$ )?logiqc ([^`]+)`|^    (?:\\S*[$#] )?logiqc (.+)$")

// Whatever the pages say to type is a command of this program, with flags that
// it has.
func TestPagesSayWhatThereIs(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) < 4 {
		t.Fatal(pages, err)
	}
	lines := 0
	for _, page := range append(pages, "../../README.md") {
		if filepath.Base(page) == "commands.md" {
			continue // which the commands make
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range said.FindAllStringSubmatch(strings.ReplaceAll(string(text), "\\\n", " "), -1) {
			lines++
			line := m[1] + m[2]
			if err := takes(line); err != nil {
				t.Errorf("%s: logiqc %s: %v", filepath.Base(page), line, err)
			}
		}
	}
	if lines < 40 {
		t.Errorf("only %d lines were found", lines)
	}
}

// takes reports why the program would not take a command line, as far as its
// command and its flags go.
func takes(line string) error {
	line, _, _ = strings.Cut(line, " #")
	line = regexp.MustCompile(`"[^"]*"|'[^']*'|<[a-zA-Z ]+>`).ReplaceAllString(line, "X")
	var words []string
	for _, w := range strings.Fields(line) {
		if strings.ContainsAny(w, "|<>&;") {
			break // the rest is the shell's
		}
		if w != "…" {
			words = append(words, w)
		}
	}
	if len(words) > 1 && words[0] == "help" {
		words = words[1:] // a topic, or a command
	}
	root := newRoot(NewApp())
	c, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	if c.HasSubCommands() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return unknownCommand(c, rest[0])
	}
	return c.ParseFlags(rest)
}

// Every test that docs/security.md gives as evidence is there.
func TestSecurityPageNamesTests(t *testing.T) {
	page, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, pattern := range []string{"../*/*.go", "../../cmd/logiqc/*_test.go"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			code.Write(text)
		}
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z]+)(?:/([a-zA-Z_]+))?`").FindAllStringSubmatch(string(page), -1)
	if len(named) < 100 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, m := range named {
		test, sub := m[1], m[2]
		if m[0] == "`TestService/GROUP`" || m[0] == "`TestScripts/NAME`" {
			continue
		}
		if !strings.Contains(code.String(), "func "+test+"(") {
			t.Errorf("there is no %s", test)
		}
		switch _, err := os.Stat("../../testdata/script/" + sub + ".txtar"); {
		case sub == "":
		case test == "TestScripts" && err != nil:
			t.Errorf("there is no story %s", sub)
		case test == "TestService" && !strings.Contains(code.String(), `"`+sub+`":`):
			t.Errorf("there is no group %s", sub)
		}
	}
}
