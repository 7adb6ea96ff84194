package config

import (
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// Kind is what a store is reached by.
type Kind string

// The kinds of store.
const (
	SQLite   Kind = "sqlite"   // a file, opened directly
	Postgres Kind = "postgres" // a database server, opened directly
	HTTPS    Kind = "https"    // a logiqc server; plain http on loopback only
	Unix     Kind = "unix"     // a logiqc server behind a Unix socket
)

// Store is an address that was read and found sound; nothing is opened.
type Store struct {
	Kind Kind
	Path string // of SQLite and Unix: absolute
	URL  Secret // of Postgres and HTTPS: as the driver or client takes it
}

// cutScheme takes the start of a URL (RFC 3986, section 3.1) off; ok is false
// where there is none.
func cutScheme(s string) (scheme, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(s, ":")
	for i, r := range scheme {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+.-", r)) {
			return "", s, false
		}
	}
	return strings.ToLower(scheme), rest, ok && scheme != ""
}

// keywordForm is libpq's other way to write an address, "host=db1 user=…",
// which would otherwise be taken for the name of a file.
var keywordForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*(host|hostaddr|port|dbname|user|password|passfile|service|sslmode)\s*=`)
})

// ParseStore reads sqlite:PATH (or a bare path), postgres://…,
// https://host[:port], http:// on a loopback address, or unix:PATH. A relative
// path is resolved against the working directory. Any failure is an [*Error],
// which never holds a password.
func ParseStore(s string) (Store, error) { return parseStore(s, fromHere) }

func parseStore(s string, whole resolver) (Store, error) {
	if s == "" {
		return Store{}, refuse("the store has no address").hint("write sqlite:PATH, postgres://…, https://host[:port] or unix:PATH")
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return Store{}, refuse("the store's address holds a control character")
	}
	if strings.Contains(s, "=") && keywordForm().MatchString(s) {
		return Store{}, refuse("the store's address is a list of keywords").hint("write postgres://user@host/database")
	}
	scheme, rest, ok := cutScheme(s)
	if !ok || onDrive(s) {
		return localStore(SQLite, s, whole)
	}
	switch scheme {
	case "sqlite":
		return localStore(SQLite, rest, whole)
	case "unix":
		return localStore(Unix, rest, whole)
	case "postgres", "postgresql":
		return postgresStore(s)
	case "https", "http":
		return serverStore(s)
	}
	return Store{}, refuse("%q is no kind of store", scheme+":").
		hint("write sqlite:PATH, postgres://…, https://host[:port] or unix:PATH")
}

// onDrive tells a Windows path such as C:\logiqc.db from a URL.
func onDrive(s string) bool { return runtime.GOOS == "windows" && filepath.VolumeName(s) != "" }

func localStore(kind Kind, path string, whole resolver) (Store, error) {
	switch {
	case path == "":
		return Store{}, refuse("%s: needs a path", kind)
	case strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///"):
		return Store{}, refuse("%s:// takes no host", kind).hint("write %s:%s", kind, strings.TrimLeft(path, "/"))
	case strings.Contains(path, ":memory:"):
		return Store{}, refuse("a store in memory would be gone with the command")
	case strings.Contains(path, "?"):
		return Store{}, refuse(`a store's path may not hold "?"`)
	}
	path, err := whole(path)
	return Store{Kind: kind, Path: path}, err
}

func postgresStore(s string) (Store, error) {
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" || u.Fragment != "" || !strings.Contains(s, "://") {
		return Store{}, refuse("the PostgreSQL address cannot be read").
			hint("write postgres://user@host:port/database, with special characters of a password as %%XX; " +
				"behind a Unix socket postgres://user@/database?host=/run/postgresql")
	}
	if _, err := url.ParseQuery(u.RawQuery); err != nil {
		return Store{}, refuse("the part of the PostgreSQL address after \"?\" cannot be read")
	}
	return Store{Kind: Postgres, URL: Secret(s)}, nil
}

func serverStore(s string) (Store, error) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return Store{}, refuse("the server's address cannot be read").hint("write https://host or https://host:port")
	}
	switch port, err := strconv.Atoi(u.Port()); {
	case u.User != nil:
		return Store{}, refuse("a server's address holds no name or password").hint("sign in, or use a token")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return Store{}, refuse("a server's address ends after the host and port").hint("write %s://%s", u.Scheme, u.Host)
	case u.Port() != "" && (err != nil || port < 1 || port > 65535):
		return Store{}, refuse("%q is no port", u.Port())
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return Store{}, refuse("plain http is for this machine only: %s is another", u.Hostname()).hint("write https://%s", u.Host)
	}
	host := strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, map[string]string{"https": ":443", "http": ":80"}[u.Scheme])
	return Store{Kind: HTTPS, URL: Secret(u.Scheme + "://" + strings.TrimSuffix(host, ":"))}, nil
}

// loopback tells whether what is sent to the host stays on this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || (ip != nil && ip.IsLoopback())
}

// passwordParameters are the parts of a PostgreSQL address, besides the one
// before the @, that hold a password (libpq, "Parameter Key Words").
var passwordParameters = []string{"password", "sslpassword"}

// HasPassword tells whether the address holds a password.
func (s Store) HasPassword() bool {
	if s.Kind != Postgres {
		return false
	}
	_, found := s.masked()
	return found
}

// masked is the URL with "xxxxx" for every password, and whether there is one.
func (s Store) masked() (string, bool) {
	u, err := url.Parse(s.URL.Reveal())
	if err != nil {
		return s.URL.String(), true
	}
	rooted(u)
	query, inQuery := u.Query(), false
	for name := range query {
		if slices.Contains(passwordParameters, strings.ToLower(name)) {
			query.Set(name, "xxxxx")
			inQuery = true
		}
	}
	if inQuery {
		u.RawQuery = query.Encode()
	}
	if _, inUser := u.User.Password(); !inUser && !inQuery {
		return s.URL.Reveal(), false
	}
	return u.Redacted(), true
}

// Display is the address as it may be shown: passwords masked.
func (s Store) Display() string {
	switch s.Kind {
	case SQLite, Unix:
		return string(s.Kind) + ":" + s.Path
	case Postgres:
		shown, _ := s.masked()
		return shown
	}
	return s.URL.Reveal()
}

// String is Display, so that no log shows a password.
func (s Store) String() string { return s.Display() }

// Canonical is one text for all ways to write the same store: a path with the
// links of its folder resolved as far as the folder exists, a URL in lower
// case without its password. It names the store's session.
func (s Store) Canonical() string {
	switch s.Kind {
	case SQLite, Unix:
		dir, name := filepath.Split(s.Path)
		return string(s.Kind) + ":" + filepath.Join(resolveLinks(filepath.Clean(dir)), name)
	case Postgres:
		return s.canonicalPostgres()
	}
	return s.URL.Reveal()
}

// canonicalPostgres keeps the parameters, sorted: some of them choose the
// database or the schema.
func (s Store) canonicalPostgres() string {
	u, err := url.Parse(s.URL.Reveal())
	if err != nil {
		return s.Display()
	}
	query := u.Query()
	for name := range query {
		if slices.Contains(passwordParameters, strings.ToLower(name)) {
			query.Del(name)
		}
	}
	rooted(u)
	out := url.URL{Scheme: "postgres", Host: strings.ToLower(u.Host), Path: u.Path, RawQuery: query.Encode()}
	if name := u.User.Username(); name != "" {
		out.User = url.User(name)
	}
	return out.String()
}

// rooted keeps the // of an address that has parameters only; url.URL would
// write it without.
func rooted(u *url.URL) {
	if u.Host == "" && u.Path == "" && u.User == nil {
		u.Path = "/"
	}
}

// resolveLinks resolves the links of the part of dir that exists.
func resolveLinks(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	parent := filepath.Dir(dir)
	if parent == dir {
		return dir
	}
	return filepath.Join(resolveLinks(parent), filepath.Base(dir))
}
