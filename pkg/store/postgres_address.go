package store

import (
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// addressHint says how an address is written.
const addressHint = "write postgres://user@host:port/database, with special characters as %%XX; " +
	"behind a Unix socket postgres://user@/database?host=/run/postgresql"

// readAddress reads a DSN and what completes it. The driver's own words may hold
// what the DSN holds, but not those about a file.
func readAddress(dsn string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(dsn)
	var file *fs.PathError
	switch {
	case errors.As(err, &file):
		return nil, logiqc.Errorf(logiqc.Usage, "the address of the PostgreSQL database names a file that cannot be read: %w", file)
	case err != nil && strings.Contains(err.Error(), "failed to read service"):
		return nil, logiqc.Errorf(logiqc.Usage, "the service that the address of the PostgreSQL database names cannot be found").
			WithHint("it is a section of the file PGSERVICEFILE, by default ~/.pg_service.conf; the name may come from PGSERVICE")
	case err != nil:
		return nil, logiqc.Errorf(logiqc.Usage, "the address of the PostgreSQL database cannot be read").WithHint(addressHint)
	}
	return config, checkPassfile(dsn, config)
}

// checkPassfile refuses a password from a file that others may read, as libpq
// does. Where it comes from is decided as the driver does it.
func checkPassfile(dsn string, config *pgx.ConnConfig) error {
	u, err := url.Parse(dsn)
	if err != nil || config.Password == "" || !checksModes || os.Getenv("PGPASSWORD") != "" {
		return nil //nolint:nilerr // the driver could read it
	}
	q := u.Query()
	if _, typed := u.User.Password(); typed || q.Has("password") {
		return nil
	}
	path := os.Getenv("PGPASSFILE")
	if q.Has("passfile") {
		path = q.Get("passfile")
	} else if path == "" {
		home, _ := os.UserHomeDir()
		path = filepath.Join(home, ".pgpass")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return nil //nolint:nilerr // it was another file
	}
	return logiqc.Errorf(logiqc.Usage, "the password file %s can be used by others (mode %04o)", path, info.Mode().Perm()).
		WithHint("chmod 600 %s", quoted(path))
}

// hostsOf is where the database is, for people.
func hostsOf(config *pgx.ConnConfig) []string {
	name := func(host string, port uint16) string {
		if !strings.HasPrefix(host, "/") {
			return net.JoinHostPort(host, strconv.Itoa(int(port)))
		}
		if port == usualPort {
			return host
		}
		return host + ":" + strconv.Itoa(int(port))
	}
	hosts := []string{name(config.Host, config.Port)}
	for _, f := range config.Fallbacks {
		if n := name(f.Host, f.Port); n != hosts[len(hosts)-1] { // each is there with TLS and without
			hosts = append(hosts, n)
		}
	}
	return hosts
}

// usualPort is PostgreSQL's.
const usualPort = 5432
