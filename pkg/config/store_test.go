package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseStore(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("HOME", "/home/helen")
	for _, c := range []struct {
		in      string
		kind    Kind
		display string
	}{
		{"/a/b.db", SQLite, "sqlite:/a/b.db"},
		{"b.db", SQLite, "sqlite:" + filepath.Join(dir, "b.db")},
		{"./a:b.db", SQLite, "sqlite:" + filepath.Join(dir, "a:b.db")},
		{"sqlite:b.db", SQLite, "sqlite:" + filepath.Join(dir, "b.db")},
		{"sqlite:/a/../b.db", SQLite, "sqlite:/b.db"},
		{"SQLite:///a/b.db", SQLite, "sqlite:/a/b.db"},
		{"sqlite:~/b.db", SQLite, "sqlite:/home/helen/b.db"},
		{"unix:/run/logiqc.sock", Unix, "unix:/run/logiqc.sock"},
		{"postgres://desk@db1/logiqc", Postgres, "postgres://desk@db1/logiqc"},
		{"postgresql://db1:5433/logiqc?sslmode=require", Postgres, "postgresql://db1:5433/logiqc?sslmode=require"},
		{"postgres:///logiqc?host=/run/postgresql", Postgres, "postgres:///logiqc?host=/run/postgresql"},
		{"postgres://u:hunter2@db1/x", Postgres, "postgres://u:xxxxx@db1/x"},
		{"postgres://u:xxxxx@db1/x", Postgres, "postgres://u:xxxxx@db1/x"},
		{"postgres://db1/x?password=hunter2&user=u", Postgres, "postgres://db1/x?password=xxxxx&user=u"},
		{"postgres://db1/x?sslpassword=hunter2", Postgres, "postgres://db1/x?sslpassword=xxxxx"},
		{"postgres://?password=hunter2", Postgres, "postgres:///?password=xxxxx"},
		{"https://MFA1", HTTPS, "https://mfa1"},
		{"https://mfa1:8443/", HTTPS, "https://mfa1:8443"},
		{"https://mfa1:443", HTTPS, "https://mfa1"},
		{"https://[2001:DB8::1]:8443", HTTPS, "https://[2001:db8::1]:8443"},
		{"http://127.0.0.1:8080", HTTPS, "http://127.0.0.1:8080"},
		{"http://[::1]:8080", HTTPS, "http://[::1]:8080"},
		{"http://localhost:8080", HTTPS, "http://localhost:8080"},
	} {
		s, err := ParseStore(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if s.Kind != c.kind || s.Display() != c.display || s.String() != c.display {
			t.Errorf("%s: %s %s, want %s %s", c.in, s.Kind, s.Display(), c.kind, c.display)
		}
		if want := strings.Contains(c.display, "xxxxx"); s.HasPassword() != want {
			t.Errorf("%s: HasPassword is %v", c.in, s.HasPassword())
		}
	}
}

func TestParseStoreRefuses(t *testing.T) {
	for in, says := range map[string]string{
		"":                                  "no address",
		"mysql://u:hunter2@db1/x":           `"mysql:"`,
		"file:x.db":                         `"file:"`,
		"sqlite:":                           "needs a path",
		"sqlite://x.db":                     "takes no host",
		"sqlite::memory:":                   "in memory",
		"x.db?mode=rwc":                     `"?"`,
		"x\x00.db":                          "control character",
		"unix:":                             "needs a path",
		"host=db1 user=u password=hunter2":  "keywords",
		"password = hunter2 host=db1":       "keywords",
		"postgres:db1":                      "cannot be read",
		"postgres://u:hunter2%@db1/x":       "cannot be read",
		"postgres://u:hunter2@db 1/x":       "cannot be read",
		"postgres://db1/x?password=hunter%": "cannot be read",
		"https:":                            "cannot be read",
		"https://":                          "cannot be read",
		"https://u:hunter2@mfa1":            "no name or password",
		"https://mfa1/v1":                   "ends after the host",
		"https://mfa1?x=hunter2":            "ends after the host",
		"https://mfa1:99999":                "no port",
		"http://mfa1":                       "plain http",
		"http://10.0.0.1:8080":              "plain http",
		"http://localhost.evil.example":     "plain http",
	} {
		_, err := ParseStore(in)
		if err == nil {
			t.Errorf("%q was taken for a store", in)
			continue
		}
		wantError(t, err, says)
	}
}

// All ways to write one store share a session; different stores never do.
func TestCanonical(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := os.Mkdir(real, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	t.Chdir(real)
	for want, ways := range map[string][]string{
		"sqlite:" + filepath.Join(real, "a.db"): {
			"a.db", "sqlite:./a.db", filepath.Join(link, "a.db"), "sqlite:" + filepath.Join(real, "a.db"), "sqlite:" + link + "/x/../a.db",
		},
		"sqlite:" + filepath.Join(real, "new", "deep", "a.db"): {filepath.Join(link, "new", "deep", "a.db")},
		"unix:" + filepath.Join(real, "s"):                     {"unix:s", "unix:" + filepath.Join(link, "s")},
		"https://mfa1":                                         {"https://mfa1", "https://MFA1:443/"},
		"postgres://u@db1/x":                                   {"postgres://u@db1/x", "postgresql://u:hunter2@DB1/x", "postgres://u:other@db1/x?password=y"},
		"postgres://u@db1/X":                                   {"postgres://u@db1/X"},
		"postgres://db1/x?host=%2Frun&search_path=desk":        {"postgres://db1/x?search_path=desk&host=/run"},
	} {
		for _, way := range ways {
			s, err := ParseStore(way)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Canonical(); got != want {
				t.Errorf("%s: %s, want %s", way, got, want)
			}
		}
	}
}

// Whatever is taken for a store is written in a way that is taken again, as
// the same store, and shows no password.
func FuzzParseStore(f *testing.F) {
	for _, s := range []string{"a.db", "sqlite:~/x", "unix:s", "postgres://u:p@h:1/d?password=q", "https://[::1]:8443/", "http://localhost"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := ParseStore(in)
		if err != nil {
			wantError(t, err)
			return
		}
		again, err := ParseStore(s.Display())
		if err != nil || again.Kind != s.Kind || again.Canonical() != s.Canonical() {
			t.Errorf("%q is shown as %q, which reads as %q (%v)", in, s.Display(), again.Display(), err)
		}
	})
}
