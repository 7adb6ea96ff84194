package cmd

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

func TestReadFrom(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"lines":              {"jlee\nrpatel\n", []string{"jlee", "rpatel"}},
		"no last newline":    {"jlee\nrpatel", []string{"jlee", "rpatel"}},
		"comments, blanks":   {"# who\n\n  jlee  \n\t\n#x\nr@x.example\n", []string{"jlee", "r@x.example"}},
		"CRLF and BOM":       {"\ufeffjlee\r\nrpatel\r\n", []string{"jlee", "rpatel"}},
		"a table in a pipe":  {"jlee\tJordan Lee\tj@x\tactive\n", []string{"jlee"}},
		"csv, one column":    {"username\njlee\nrpatel\n", []string{"jlee", "rpatel"}},
		"csv, any order":     {"name,Email\n\"Lee, Jordan\",j@x.example\n", []string{"j@x.example"}},
		"csv, id first":      {"email,username,id\nj@x,jlee,0193\n", []string{"0193"}},
		"csv, quoted header": {"\"username\",\"name\"\njlee,J\n", []string{"jlee"}},
		"csv, BOM and CRLF":  {"\ufeff# list\r\nusername,name\r\njlee,J\r\n\r\nrp,R\r\n", []string{"jlee", "rp"}},
		"csv, guarded cell":  {"email,name\n'-x@y.example,X\n", []string{"-x@y.example"}},
		"jsonl":              {"{\"email\":\"j@x\",\"name\":\"J\"}\n\n{\"username\":\"rp\",\"email\":\"r@x\"}\n", []string{"j@x", "rp"}},
		"csv, skipped lines": {"name,username\nJ,jlee\n# gone: \"x\n  \n,\nR,rp\n", []string{"jlee", "rp"}},
		"jsonl, null":        {"{\"id\":null,\"username\":\"jlee\"}\n", []string{"jlee"}},
		"a repeat stays":     {"jlee\njlee\n", []string{"jlee", "jlee"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readFrom("-", strings.NewReader(c.text))
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
			path := filepath.Join(t.TempDir(), "list")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err = readFrom(path, nil); err != nil || !slices.Equal(got, c.want) {
				t.Errorf("from a file: %q, %v", got, err)
			}
		})
	}
}

func TestReadFromRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, names string }{
		"nothing":          {"", "nobody"},
		"only comments":    {"# a\n\n", "nobody"},
		"no such column":   {"# x\nname,phone\nJ,1\n", "row 2"},
		"an empty cell":    {"name,email\nJ,j@x\nK,\n", "row 3"},
		"a short row":      {"name,email\nJ,j@x\nK\n", "row 3"},
		"a stray quote":    {"name,email\nJ,j@x\nK \"x\" y,k@x\n", "row 3"},
		"broken JSON":      {"{\"id\":\"1\"}\n{\"id\":\n", "row 2"},
		"JSON without key": {"{\"id\":\"1\"}\n{\"name\":\"x\"}\n", "row 2"},
		"JSON number":      {"{\"id\":7}\n", "row 1"},
		"a JSON array":     {"[{\"id\":\"1\"}]\n", "JSON array"},
		"UTF-16":           {"\xff\xfej\x00", "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			refs, err := readFrom("-", strings.NewReader(c.text))
			if !errors.Is(err, logiqc.Invalid) || !strings.Contains(err.Error(), c.names) {
				t.Errorf("got %q, %v; want an error that names %q", refs, err, c.names)
			}
		})
	}
	if _, err := readFrom(filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, logiqc.Usage) {
		t.Errorf("a missing file: %v", err)
	}
}
