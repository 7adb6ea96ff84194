package ui

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

func TestJSON(t *testing.T) {
	p := inPipe(t, "", Options{})
	in := map[string]any{"name": "a<b>&\u202e\x1b\u2028\u009b\x7f\U000e0041é李", "n": 1, "list": []int{}}
	if err := p.JSON(in); err != nil {
		t.Fatal(err)
	}
	want := `{"list":[],"n":1,"name":"a<b>&\u202e\u001b\u2028\u009b\u007f\udb40\udc41é李"}` + "\n"
	if got := p.stdout(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var back map[string]any
	if err := json.Unmarshal([]byte(p.stdout()), &back); err != nil || back["name"] != in["name"] {
		t.Errorf("read back %q, %v", back["name"], err)
	}
	if err := p.JSON(make(chan int)); err == nil {
		t.Error("a channel became JSON")
	}
}

func TestJSONArray(t *testing.T) {
	for _, c := range []struct {
		items []any
		want  string
	}{{nil, "[]\n"}, {[]any{1}, "[1]\n"}, {[]any{"a", map[string]int{"b": 2}}, "[\"a\",\n{\"b\":2}]\n"}} {
		p := inPipe(t, "", Options{Format: FormatJSON})
		a := p.JSONArray()
		for _, v := range c.items {
			if err := a.Add(v); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Close(); err != nil || p.stdout() != c.want {
			t.Errorf("got %q, %v; want %q", p.stdout(), err, c.want)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	p := inPipe(t, "", Options{})
	_ = p.out.Close()
	table := p.Table(Column{Name: "a"})
	for name, err := range map[string]error{
		"JSON": p.JSON(1), "array": p.JSONArray().Close(), "CSV": p.CSV([]string{"a"}).Close(),
		"card": p.Card(Card{}), "table": table.Row("x"),
	} {
		if err == nil {
			t.Errorf("%s: a closed stdout went unnoticed", name)
		}
	}
	p = inPipe(t, "", Options{})
	if p.Answerf("fine"); p.OutErr() != nil {
		t.Error(p.OutErr())
	}
	_ = p.out.Close()
	if p.Answerf("lost"); p.OutErr() == nil {
		t.Error("a lost answer went unnoticed")
	}
}

func TestCSV(t *testing.T) {
	p := inPipe(t, "", Options{Format: FormatCSV})
	c := p.CSV([]string{"username", "phone", "name"})
	_ = c.Row("jlee", "+61 2 5550 1234", `Jordan "JJ", Lee`)
	_ = c.Row("x", "=1+1", "two\nlines")
	_ = c.Row("y", "'=1", "'plain")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	want := "username,phone,name\njlee,'+61 2 5550 1234,\"Jordan \"\"JJ\"\", Lee\"\n" +
		"x,'=1+1,\"two\nlines\"\ny,''=1,'plain\n"
	if got := p.stdout(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	empty := inPipe(t, "", Options{Format: FormatCSV})
	if err := empty.CSV([]string{"a", "b"}).Close(); err != nil || empty.stdout() != "a,b\n" {
		t.Errorf("without rows: %q, %v", empty.stdout(), err)
	}
}

// TestCSVCellRoundTrip: no spreadsheet sees a formula and import gets every
// cell back.
func TestCSVCellRoundTrip(t *testing.T) {
	for _, start := range "=+-@\t\r" {
		for s, want := range map[string]string{string(start) + "1": "'" + string(start) + "1", "'" + string(start): "''" + string(start), "1" + string(start): "1" + string(start)} {
			if got := CSVCell(s); got != want {
				t.Errorf("%q is written %q, want %q", s, got, want)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.StringMatching(`'*[=+\-@\t\r]?.?`), rapid.String()).Draw(t, "cell")
		guarded := CSVCell(s)
		if guarded != "" && strings.ContainsRune("=+-@\t\r", rune(guarded[0])) {
			t.Fatalf("%q is a formula", guarded)
		}
		if got := CSVValue(guarded); got != s {
			t.Fatalf("%q came back as %q", s, got)
		}
		r := csv.NewReader(strings.NewReader(`"` + strings.ReplaceAll(guarded, `"`, `""`) + `"`))
		if _, err := r.Read(); err != nil {
			t.Fatal(err)
		}
	})
}

// people fills a table with the search of a help desk.
func people(t *testing.T, table *Table) {
	t.Helper()
	for _, r := range [][]any{
		{"jlee", "Jordan Lee", "jlee@stmary.example", "active", "password", Green("enrolled")},
		{"leeann", "李雷 Cho\x1b[2J", "lcho@stmary.example", "active", "sso", "–"},
		{"mleeson", "Matt\tLeeson", "mlee@stmary.example", "inactive", "password"},
	} {
		if err := table.Row(r...); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
}

var peopleColumns = []Column{
	{Name: "Username", Whole: true}, {Name: "Name"}, {Name: "Email"},
	{Name: "Status"}, {Name: "Sign-in"}, {Name: "MFA"},
}

func TestTableScreens(t *testing.T) {
	for _, c := range []struct {
		name string
		cols int
		o    Options
	}{
		{"table_80", 80, Options{}}, {"table_60", 60, Options{}}, {"table_40", 40, Options{}},
		{"table_accessible", 80, Options{Accessible: true}},
	} {
		x := uitest.New(t, c.cols, 24)
		people(t, onTTY(x, c.o).Table(peopleColumns...))
		x.Wait("mleeson", "inactive")
		goldenScreen(t, c.name, x)
	}
}

func TestTableInPipe(t *testing.T) {
	p := inPipe(t, "", Options{})
	people(t, p.Table(peopleColumns...))
	want := "jlee\tJordan Lee\tjlee@stmary.example\tactive\tpassword\tenrolled\n" +
		"leeann\t李雷 Cho\\x1b[2J\tlcho@stmary.example\tactive\tsso\t–\n" +
		"mleeson\tMatt\\tLeeson\tmlee@stmary.example\tinactive\tpassword\t\n"
	if got := p.stdout(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestTableStreams: rows after the first screenful do not wait for the end.
func TestTableStreams(t *testing.T) {
	x := uitest.New(t, 40, 10)
	table := onTTY(x, Options{}).Table(Column{Name: "Seq", Right: true, Min: 6}, Column{Name: "What"})
	_ = table.Row(1, "first")
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	x.Wait("   SEQ  WHAT\n     1  first")
	_ = table.Row(2, "second, wider than the column was so far")
	x.Wait("     2  second, wider than the column w…")
	for i := range 2 * tableSample {
		_ = table.Row(3+i, "more")
	}
	x.Wait("202  more")
	if n := strings.Count(x.Output(), "WHAT"); n != 1 {
		t.Errorf("%d headers", n)
	}
}

// personCard is the card of a person who can sign in.
func personCard() Card {
	return Card{
		Title: "Jordan Lee (jlee)", Status: "active · user",
		Sections: []Section{
			{Rows: []CardRow{
				{Label: "Email", Value: "jlee@stmary.example"},
				{Label: "Phone", Value: "+61 2 5550 1234   unchanged since 12 Mar 2024"},
			}},
			{Name: "Authentication", Rows: []CardRow{
				{Label: "MFA", Value: Green("on, locked by the organisation")},
				{
					Label: "Can sign in?", Value: "Not before 09:46: 7 wrong PASSWORDS, last 09:41 from ward3-pc2.",
					More: []string{"A reset will not help."},
				},
			}},
		},
	}
}

func TestCardScreens(t *testing.T) {
	for _, c := range []struct {
		name string
		cols int
		o    Options
	}{{"card_80", 80, Options{}}, {"card_40", 40, Options{}}, {"card_accessible", 80, Options{Accessible: true}}} {
		x := uitest.New(t, c.cols, 24)
		if err := onTTY(x, c.o).Card(personCard()); err != nil {
			t.Fatal(err)
		}
		x.Wait("will not help")
		goldenScreen(t, c.name, x)
	}
	p := inPipe(t, "", Options{})
	if err := p.Card(personCard()); err != nil {
		t.Fatal(err)
	}
	golden(t, "card_pipe", p.stdout())
}
