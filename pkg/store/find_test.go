package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"pgregory.net/rapid"
)

// findAll pages through a search to its end and returns the usernames.
func findAll(t testing.TB, s *Store, q logiqc.UserQuery) []string {
	t.Helper()
	names := []string{}
	for {
		var next string
		view(t, s, func(tx *Tx) error {
			users, n, err := tx.Find(q, logiqc.DefaultPolicy())
			for _, u := range users {
				names = append(names, u.Username)
			}
			if limit := pageLimit(q.Limit); len(users) > limit || (n != "" && len(users) < limit) {
				return fmt.Errorf("a page of %d with the limit %d, next %q", len(users), limit, n)
			}
			next = n
			return err
		})
		if next == "" {
			return names
		}
		q.Cursor = next
	}
}

func people(t testing.TB, s *Store) {
	t.Helper()
	rows := [][3]string{
		{"jlee", "jordan.lee@example.com", "Jordan Lee"},
		{"lee", "bruce@example.com", "Bruce Wayne"},
		{"leeann", "ann@example.com", "Ann Smith"},
		{"asmith", "lee.smith@example.com", "Adam Smith"},
		{"zoe", "zoë@example.com", "Zoë Łukasz-Müller"},
		{"kobayashi", "k@example.com", "小林 太郎"},
		{"mc", "mc@example.com", "Maria del Carmen Lee O'Brien"},
		{"sleeper", "x@example.com", "Nobody"},
		{"percent", "p%_@example.com", `100% "sure" \ it's`},
	}
	addUsers(t, s, len(rows), func(i int, u *logiqc.User) {
		u.Username, u.Email, u.Name = rows[i][0], rows[i][1], rows[i][2]
	})
}

// ranked is what texts find among people, in order.
var ranked = map[string][]string{
	"lee":                  {"lee", "leeann", "asmith", "jlee", "mc", "sleeper"},
	"LEE":                  {"lee", "leeann", "asmith", "jlee", "mc", "sleeper"},
	"jordan lee":           {"jlee"},
	"lee jordan":           {"jlee"},
	"  Lee   JOR ":         {"jlee"},
	"l j":                  {"jlee"},
	"j l":                  {"jlee"},
	"carmen maria":         {"mc"},
	"obrien":               {},
	"o'brien lee":          {"mc"},
	"brien":                {"mc"},
	"zoe":                  {"zoe"},
	"zoë@example.com":      {"zoe"},
	"zoe@example.com":      {"zoe"},
	"ZOË":                  {"zoe"},
	"lukasz":               {"zoe"},
	"ukasz":                {"zoe"},
	"muller":               {"zoe"},
	"zo lu":                {"zoe"},
	"小林":                   {"kobayashi"},
	"太":                    {"kobayashi"},
	"太郎 小":                 {"kobayashi"},
	"林":                    {},
	"jlee example":         {"jlee"},
	"example smith":        {"leeann", "asmith"},
	"id-000002":            {"leeann"},
	"ID-000002":            {"leeann"},
	"id-00000":             {},
	"%":                    {},
	"100%":                 {"percent"},
	"p%":                   {"percent"},
	"_@":                   {},
	`"sure"`:               {"percent"},
	`"su`:                  {"percent"},
	`\ it's`:               {"percent"},
	"it's OR 1=1":          {},
	"lee\x00":              {},
	"\xff\xfe":             {},
	"NEAR(lee smith)":      {},
	"leex":                 {},
	strings.Repeat("a", 9): {},
}

func TestFindRanking(t *testing.T) {
	s, _ := newTestStore(t)
	people(t, s)
	for text, want := range ranked {
		if got := findAll(t, s, logiqc.UserQuery{Text: text}); !slices.Equal(got, want) {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
		if got := findAll(t, s, logiqc.UserQuery{Text: text, Limit: 1}); !slices.Equal(got, want) {
			t.Errorf("%q one by one finds %q, want %q", text, got, want)
		}
	}
	everybody := []string{"asmith", "jlee", "kobayashi", "lee", "leeann", "mc", "percent", "sleeper", "zoe"}
	for _, text := range []string{"", "  \t", "\u0301"} {
		if got := findAll(t, s, logiqc.UserQuery{Text: text, Limit: 4}); !slices.Equal(got, everybody) {
			t.Errorf("%q lists %q", text, got)
		}
	}
	if got := findAll(t, s, logiqc.UserQuery{Text: strings.Repeat("lee smith ", 100)}); !slices.Equal(got, []string{"leeann", "asmith"}) {
		t.Errorf("200 words find %q", got)
	}
}

// filterable makes eight accounts that differ in what filters ask for.
func filterable(t *testing.T) (s *Store, now logiqc.Time) {
	t.Helper()
	s, c := newTestStore(t)
	now = logiqc.At(c.at)
	addUsers(t, s, 8, func(i int, u *logiqc.User) {
		u.Toggle, u.ResetAt = i == 0, 0
		switch i {
		case 1:
			u.Auth = logiqc.BySSO
		case 2:
			u.ResetAt = now - 10
		case 3:
			u.Status, u.ResetAt = logiqc.Inactive, now-10
		case 4:
			u.Role = logiqc.RoleAdmin
		case 5:
			u.Role, u.Protected = logiqc.RoleHelpdesk, true
		case 6:
			u.ResetAt = now - 100
		}
	})
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.PutEnrolled(logiqc.Enrolment{ID: "e0", UserID: "id-000000"}),
			tx.PutPending(logiqc.Enrolment{ID: "p0", UserID: "id-000000", ExpiresAt: now + 5}),
			tx.PutPending(logiqc.Enrolment{ID: "p1", UserID: "id-000006", ExpiresAt: now + 5}),
			tx.PutPending(logiqc.Enrolment{ID: "p2", UserID: "id-000007", ExpiresAt: now}))
	})
	return s, now
}

func TestFindFilters(t *testing.T) {
	s, now := filterable(t)
	yes, no := true, false
	for name, c := range map[string]struct {
		q    logiqc.UserQuery
		want string
	}{
		"active":            {logiqc.UserQuery{Status: logiqc.Active}, "0124567"},
		"inactive":          {logiqc.UserQuery{Status: logiqc.Inactive}, "3"},
		"sso":               {logiqc.UserQuery{Auth: logiqc.BySSO}, "1"},
		"password":          {logiqc.UserQuery{Auth: logiqc.ByPassword}, "0234567"},
		"user":              {logiqc.UserQuery{Role: logiqc.RoleUser}, "012367"},
		"admin":             {logiqc.UserQuery{Role: logiqc.RoleAdmin}, "4"},
		"protected":         {logiqc.UserQuery{Protected: &yes}, "5"},
		"not protected":     {logiqc.UserQuery{Protected: &no}, "0123467"},
		"enrolled":          {logiqc.UserQuery{MFA: logiqc.EnrolmentEnrolled}, "0"},
		"pending":           {logiqc.UserQuery{MFA: logiqc.EnrolmentPending}, "6"},
		"none":              {logiqc.UserQuery{MFA: logiqc.EnrolmentNone}, "123457"},
		"required":          {logiqc.UserQuery{Required: &yes}, "0234567"},
		"not required":      {logiqc.UserQuery{Required: &no}, "1"},
		"awaiting":          {logiqc.UserQuery{AwaitingEnrolment: true}, "26"},
		"awaiting for long": {logiqc.UserQuery{AwaitingEnrolment: true, ResetBefore: now - 50}, "6"},
		"several":           {logiqc.UserQuery{Status: logiqc.Active, Role: logiqc.RoleUser, MFA: logiqc.EnrolmentNone}, "127"},
	} {
		for _, text := range []string{"", "us", "user", "ser", "fa gi", "family given"} {
			c.q.Text = text
			got := ""
			for _, n := range findAll(t, s, c.q) {
				got += strings.TrimPrefix(n, "User")
			}
			if got != c.want {
				t.Errorf("%s, %q: %s, want %s", name, text, got, c.want)
			}
		}
	}
	view(t, s, func(tx *Tx) error {
		got, _, err := tx.Find(logiqc.UserQuery{Required: &yes}, logiqc.Policy{})
		if len(got) != 1 || got[0].ID != "id-000000" {
			t.Errorf("required without enforcement: %d", len(got))
		}
		return err
	})
}

func TestFindCursor(t *testing.T) {
	s, _ := newTestStore(t)
	people(t, s)
	var cursor string
	view(t, s, func(tx *Tx) (err error) {
		_, cursor, err = tx.Find(logiqc.UserQuery{Text: "lee", Limit: 2}, logiqc.DefaultPolicy())
		return err
	})
	for name, q := range map[string]logiqc.UserQuery{
		"nonsense": {Text: "lee", Cursor: "x"}, "another text": {Text: "smith", Cursor: cursor},
		"another filter": {Text: "lee", Role: logiqc.RoleAdmin, Cursor: cursor}, "cut": {Text: "lee", Cursor: cursor[2:]},
	} {
		err := s.View(t.Context(), func(tx *Tx) error { _, _, err := tx.Find(q, logiqc.DefaultPolicy()); return err })
		if !errors.Is(err, logiqc.Usage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	view(t, s, func(tx *Tx) error { // another limit is the same query
		got, _, err := tx.Find(logiqc.UserQuery{Text: "lee", Limit: 9, Cursor: cursor}, logiqc.DefaultPolicy())
		if len(got) != 4 || got[0].Username != "asmith" {
			t.Errorf("went on with %d: %+v", len(got), got)
		}
		return err
	})
}

// naive tells from the words of the promise whether an account matches.
func naive(u *logiqc.User, text string) bool {
	username, email, name := logiqc.Fold(u.Username), logiqc.Fold(u.Email), logiqc.Fold(u.Name)
	for _, w := range wordsOf(logiqc.Fold(text)) {
		anywhere := strings.Contains(username, w) || strings.Contains(email, w) || strings.Contains(name, w)
		begins := strings.HasPrefix(username, w) || strings.HasPrefix(email, w) ||
			slices.ContainsFunc(strings.Fields(name), func(x string) bool { return strings.HasPrefix(x, w) })
		if !anywhere || (utf8.RuneCountInString(w) < 3 && !begins) {
			return false
		}
	}
	return true
}

// Find finds what a look at every account finds, each once, whatever the page
// size: names of all kinds, words in any order, one and two letters.
func TestFindIsComplete(t *testing.T) {
	s, _ := newTestStore(t)
	names := []string{"Jordan", "Lee", "Zoë", "Łukasz", "Müller", "Søren", "Ann", "Anna", "Annabel", "de", "la", "O'Brien", "小林", "Ωμέγα",
		"Đặng", "ß", "al", "a", "Lee-Ann", "Ivan", "Иван", "محمد", "Nguyễn", "\u0301", "X Æ", "ﬁ", "K", "김"}
	var all []*logiqc.User
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(names), rapid.StringN(1, 4, -1)), 0, 5)
		for range rapid.IntRange(0, 3).Draw(rt, "more") {
			u := newUser(len(all))
			u.Username = fmt.Sprintf("%s%d", rapid.StringMatching(`[a-c]{1,3}[.A-C]?`).Draw(rt, "username"), len(all))
			u.Email = fmt.Sprintf("%s%d@ex.org", rapid.SampledFrom([]string{"ann", "zoë", "LEE.", "ø", "a"}).Draw(rt, "email"), len(all))
			u.Name = strings.ReplaceAll(strings.Join(name.Draw(rt, "name"), " "), "\x00", "")
			update(t, s, func(tx *Tx) error { return tx.InsertUser(u) })
			all = append(all, u)
		}
		text := strings.Join(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(names), rapid.StringMatching(`[a-e]{1,3}|@ex|[0-9]`)), 1, 3).Draw(rt, "text"), " ")
		if len(all) > 0 && rapid.Bool().Draw(rt, "part") {
			u := rapid.SampledFrom(all).Draw(rt, "of")
			runes := []rune(rapid.SampledFrom([]string{u.Name, u.Username, u.Email}).Draw(rt, "field"))
			i := rapid.IntRange(0, len(runes)).Draw(rt, "from")
			text = string(runes[i:rapid.IntRange(i, len(runes)).Draw(rt, "to")])
		}
		var want []string
		for _, u := range all {
			if naive(u, text) {
				want = append(want, u.Username)
			}
		}
		got := findAll(t, s, logiqc.UserQuery{Text: text, Limit: rapid.IntRange(1, 7).Draw(rt, "limit")})
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			rt.Fatalf("%q finds %q, want %q", text, got, want)
		}
	})
}
