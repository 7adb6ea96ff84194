package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// readRows reads a file as an import would; a bad row reads as its number and
// what is wrong with it.
func readRows(f importFile) (rows []logiqc.ImportRow, bad []string) {
	for row, err := range f.rows() {
		if err != nil {
			bad = append(bad, fmt.Sprintf("%d: %v", row.Row, err))
			continue
		}
		rows = append(rows, row)
	}
	return rows, bad
}

func fromText(format, text string) ([]logiqc.ImportRow, []string) {
	return readRows(importFile{path: "-", format: format, stdin: strings.NewReader(text)})
}

// Whatever accounts hold, what `find -o csv` writes reads back as it was.
func TestImportReadsWhatFindWrites(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("='\"+-@\r\n\t ,;a#\ufeff"))))
	rapid.Check(t, func(t *rapid.T) {
		want := make([]logiqc.Account, rapid.IntRange(1, 5).Draw(t, "accounts"))
		for i := range want {
			want[i] = logiqc.Account{
				Username: fmt.Sprintf("user%d", i), Email: fmt.Sprintf("-x%d@example.org", i), Name: text.Draw(t, "name"),
				Phone: text.Draw(t, "phone"), Role: logiqc.RoleAuditor, Auth: logiqc.BySSO, Status: logiqc.Inactive,
				Protected: rapid.Bool().Draw(t, "protected"),
			}
			want[i].MFA.ToggleOwn = logiqc.OnOff(rapid.Bool().Draw(t, "toggle"))
		}
		rows, bad := readRows(importFile{path: written(t, want)})
		if len(bad) > 0 || len(rows) != len(want) {
			t.Fatalf("%d rows, %q", len(rows), bad)
		}
		for i, r := range rows {
			w := want[i]
			if r.Username != w.Username || r.Email != w.Email || r.Name != w.Name || r.Phone != w.Phone || r.Role != w.Role ||
				r.Auth != w.Auth || r.Status != w.Status || r.Protected != w.Protected || r.Toggle != bool(w.MFA.ToggleOwn) {
				t.Fatalf("wrote %+v, read %+v", w, r)
			}
			if !slices.Equal(r.Fields, importable) {
				t.Fatalf("it gives %q", r.Fields)
			}
		}
	})
}

// written is a file with the list of accounts as -o csv writes it.
func written(t *rapid.T, accounts []logiqc.Account) string {
	dir, err := os.MkdirTemp("", "logiqc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	file, err := os.Create(filepath.Join(dir, "list.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	out := ui.New(ui.Options{Stdout: file, Format: ui.FormatCSV}).CSV(importable)
	for _, a := range accounts {
		if err := out.Row(importableRecord(a)...); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

func TestImportCSV(t *testing.T) {
	rows, bad := fromText("", "\ufeffName , USERNAME,email,mfa,protected,role\r\n"+
		"\"Lee, Jordan\", jlee ,j@x.example,on,TRUE,\r\n"+
		"\r\n"+
		"\"two\r\nlines\",b,b@x.example,,,admin\r\n"+
		",c,,off,false,\r\n")
	if len(bad) > 0 || len(rows) != 3 {
		t.Fatalf("%d rows, %q", len(rows), bad)
	}
	a, b, c := rows[0], rows[1], rows[2]
	if a.Row != 2 || a.Name != "Lee, Jordan" || a.Username != "jlee" || !a.Toggle || !a.Protected ||
		!slices.Equal(a.Fields, []string{"name", "username", "email", "mfa", "protected"}) {
		t.Errorf("%+v", a)
	}
	if b.Row != 4 || b.Name != "two\r\nlines" || b.Role != logiqc.RoleAdmin {
		t.Errorf("%+v", b)
	}
	// An empty cell empties a name, and says nothing about anything else.
	if c.Row != 6 || !slices.Equal(c.Fields, []string{"name", "username", "mfa", "protected"}) {
		t.Errorf("%+v", c)
	}
}

func TestImportJSONL(t *testing.T) {
	rows, bad := fromText("", "\n{\"username\":\"a\",\"email\":\"a@x\",\"mfa\":true,\"protected\":false,\"phone\":null}\r\n"+
		"{\"username\":\"b\",\"mfa\":\"off\",\"protected\":\"true\",\"name\":\"'=1\"}")
	if len(bad) > 0 || len(rows) != 2 {
		t.Fatalf("%d rows, %q", len(rows), bad)
	}
	if a := rows[0]; a.Row != 2 || !a.Toggle || a.Protected || !slices.Equal(a.Fields, []string{"username", "email", "mfa", "protected"}) {
		t.Errorf("%+v", a)
	}
	if b := rows[1]; b.Row != 3 || b.Name != "'=1" || !b.Protected {
		t.Errorf("%+v", b)
	}
}

func TestImportSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		format, text string
		want         []string
	}{
		"empty":              {"csv", "", []string{"1: the list is empty"}},
		"unknown column":     {"", "username,shoe size\na,7\n", []string{`1: "shoe size" is no column`}},
		"column twice":       {"", "username,Username\n", []string{"1: the column \"username\" is there twice"}},
		"no username":        {"", "email\n", []string{"1: there is no column username"}},
		"cells":              {"", "username,email\na\nb,b@x,c\n", []string{"2: it has 1 cell, the header has 2", "3: it has 3 cells"}},
		"quote":              {"", "username,email\na\"b,x\nc,c@x\n", []string{"2: bare"}},
		"not UTF-8":          {"", "username,name\na,\xff\n", []string{"2: name is not valid UTF-8"}},
		"words":              {"", "username,mfa,protected\na,1,true\nb,on,perhaps\n", []string{`2: mfa cannot be "1": on or off`, `3: protected cannot be "perhaps": true or false`}},
		"jsonl, not JSON":    {"jsonl", "{\"username\":\n{\"username\":\"a\"}\n[]\n", []string{"1: it is no JSON object", "3: it is no JSON object"}},
		"jsonl, unknown key": {"", "{\"username\":\"a\",\"id\":\"x\"}", []string{`1: "id" is no column`}},
		"jsonl, number":      {"", "{\"username\":\"a\",\"phone\":7}", []string{"1: phone has to be text"}},
		"jsonl, very long":   {"", "{\"username\":\"a\"}\n{\"name\":\"" + strings.Repeat("x", maxLine) + "\"}\n{\"username\":\n", []string{"2: it is longer than 1 MiB", "3: it is no"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, bad := fromText(c.format, c.text)
			if len(bad) != len(c.want) {
				t.Fatalf("got %q, want %q", bad, c.want)
			}
			for i := range bad {
				if !strings.HasPrefix(bad[i], c.want[i]) {
					t.Errorf("got %q, want %q", bad[i], c.want[i])
				}
			}
		})
	}
}

// A file is guessed by its name before its beginning, and can be read twice;
// standard input only once.
func TestImportFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.JSONL")
	if err := os.WriteFile(path, []byte("{\"username\":\"a\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := importFile{path: path}
	for range 2 {
		if rows, bad := readRows(f); len(rows) != 1 || len(bad) > 0 {
			t.Errorf("%v, %q", rows, bad)
		}
	}
	if f.lines() != 1 || f.check() != nil {
		t.Errorf("%d lines, %v", f.lines(), f.check())
	}
	all := importFile{path: "-", stdin: strings.NewReader("username\na\n")}.rows()
	for _, err := range all {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range all {
		if !errors.Is(err, logiqc.Unavailable) {
			t.Errorf("a second reading: %v", err)
		}
	}
	for _, path := range []string{filepath.Join(t.TempDir(), "none"), t.TempDir()} {
		if err := (importFile{path: path}).check(); !errors.Is(err, logiqc.Usage) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// No file makes the reader fail in another way than by naming rows.
func FuzzImport(f *testing.F) {
	f.Add("username,email\na,\"b\r\nc\"\n")
	f.Add("{\"username\":\"a\",\"mfa\":true}\n")
	f.Add("\ufeff\"\"\"")
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		for row, err := range (importFile{path: "-", stdin: strings.NewReader(text)}).rows() {
			if err != nil && !errors.Is(err, logiqc.Invalid) {
				t.Errorf("%v", err)
			}
			if row.Row < last || row.Row < 1 {
				t.Errorf("row %d after row %d", row.Row, last)
			}
			last = row.Row
		}
	})
}
