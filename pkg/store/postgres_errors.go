package store

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/logiqc/logiqc/pkg/logiqc"
)

// PostgreSQL's codes, as far as they mean something to people (PostgreSQL
// manual, "PostgreSQL Error Codes").
const (
	codeWarning           = "01000"
	codeReadOnlyTx        = "25006"
	codeIdleInTx          = "25P03"
	codeTxTimeout         = "25P04"
	codeNoDatabase        = "3D000"
	codeBadPassword       = "28P01"
	codeSerialization     = "40001"
	codeCompletionUnknown = "40003"
	codeDeadlock          = "40P01"
	codeNoPrivilege       = "42501"
	codeNoTable           = "42P01"
	codeLockTimeout       = "55P03"
	codeNoColumn          = "42703"
	codeDiskFull          = "53100"
	codeTooManyConns      = "53300"
	codeQueryCancelled    = "57014"
)

// isText reports whether PostgreSQL can hold s as text.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// pgCode is the server's code of an error, or "".
func pgCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// isLost reports whether the connection went away, so that nothing that was not
// committed is there any more.
func isLost(err error) bool {
	var e *pgconn.PgError
	if errors.As(err, &e) { // the server says goodbye
		return e.SeverityUnlocalized == "FATAL" || e.SeverityUnlocalized == "PANIC"
	}
	var network net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &network) ||
		err != nil && strings.HasSuffix(err.Error(), "conn closed")
}

// isAway reports whether a server is not there to be connected to, or not yet,
// or not for writing: another, or it later, may be.
func isAway(err error) bool {
	code := pgCode(err)
	return code != codeNoDatabase && !strings.HasPrefix(code, "28")
}

// retryable: where there is another server, a connection that is lost before
// the commit is no reason to fail, nor is a server that only reads by now.
func (e *pgEngine) retryable(err error) bool {
	if err == nil || errors.Is(err, logiqc.UnknownOutcome) {
		return false
	}
	code := pgCode(err)
	return code == codeSerialization || code == codeDeadlock || e.hosts > 1 && (code == codeReadOnlyTx || isLost(err))
}

// fatal: the server refuses whatever comes after an error.
func (e *pgEngine) fatal(error) bool { return true }

// explain gives an error of the driver its code and one plain sentence; other
// errors come back as they are.
func (e *pgEngine) explain(err error) error {
	var known *logiqc.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	unavailable := func(format string, args ...any) *logiqc.Error {
		return logiqc.Errorf(logiqc.Unavailable, format, args...)
	}
	code := pgCode(err)
	class := code[:min(len(code), 2)]
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &connect):
		return e.noWayIn(connect)
	case code == codeTooManyConns, class == "57" && code != codeQueryCancelled, class == "08":
		return unavailable("the %s cannot be reached: %w", e.name, err)
	case code == codeNoTable, code == codeNoColumn:
		return unavailable("the %s is not a store of logiqc: %w", e.name, err).WithHint("make one there: logiqc init")
	case code == codeReadOnlyTx:
		return e.onlyRead(": %w", err)
	case code == codeNoPrivilege:
		return unavailable("the database's user may not do that in the %s; nothing was changed: %w", e.name, err).
			WithHint("let the user own the store, or grant what is missing")
	case code == codeDiskFull:
		return unavailable("the disk with the %s is full; nothing was changed: %w", e.name, err).
			WithHint("make room on the disk, then try again")
	case e.retryable(err):
		return unavailable("too many others write to the %s; nothing was changed: %w", e.name, err).WithHint("try again")
	case class == "XX":
		return logiqc.Errorf(logiqc.Integrity, "the %s is damaged: %w", e.name, err).
			WithHint("stop writing to it and look at the server's log")
	case class == "22":
		return logiqc.Errorf(logiqc.Invalid, "the %s does not take a value; nothing was changed: %w", e.name, err)
	case code == codeQueryCancelled, code == codeLockTimeout:
		return unavailable("the %s gave up; nothing was changed: %w", e.name, err).
			WithHint("let --timeout decide: ALTER ROLE NAME RESET statement_timeout, or lock_timeout")
	case code == codeIdleInTx, code == codeTxTimeout:
		return unavailable("the %s gave up; nothing was changed: %w", e.name, err).
			WithHint("let --timeout decide: ALTER ROLE NAME RESET idle_in_transaction_session_timeout, or transaction_timeout")
	case class == "53", class == "55", class == "58":
		return unavailable("the %s gave up; nothing was changed: %w", e.name, err)
	case isLost(err):
		return unavailable("the connection to the %s was lost; nothing was changed: %w", e.name, err)
	}
	return err
}

// noWayIn explains why there is no connection.
func (e *pgEngine) noWayIn(err *pgconn.ConnectError) error {
	refused := logiqc.Errorf(logiqc.Unavailable, "the %s does not let you in: %w", e.name, waysIn{err})
	away := logiqc.Errorf(logiqc.Unavailable, "the %s cannot be reached: %w", e.name, waysIn{err})
	var said *pgconn.PgError
	switch code := pgCode(err); {
	case code == codeNoDatabase:
		return logiqc.Errorf(logiqc.Unavailable, "there is no %s", e.name).WithHint("make it first: createdb %s", quoted(e.config.Database))
	case code == codeBadPassword:
		return refused.WithHint("the password comes from PGPASSWORD, or from PGPASSFILE (by default ~/.pgpass)")
	case strings.HasPrefix(code, "28") && errors.As(err, &said) && said.Routine == "InitializeSessionUserId":
		return refused.WithHint("make the user (createuser %s), or name another: postgres://USER@…", quoted(e.config.User))
	case strings.HasPrefix(code, "28"):
		return refused.WithHint("the server's pg_hba.conf says who may come from where, and whether with TLS: sslmode=require")
	case code == codeTooManyConns:
		return away.WithHint("try again, or let more in: a command takes one or two connections, a server up to %d", maxConns)
	}
	if hint := untrusted(err); hint != "" {
		return away.WithHint("%s", hint)
	}
	return away
}

// untrusted is what to do about a certificate that is not trusted, "" when that
// is not what is wrong.
func untrusted(err error) string {
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var other x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &other):
		return "write the server's name in the address as its certificate has it"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the server needs a certificate of today; and look at the clock here"
	case errors.As(err, &verify), errors.As(err, &unknown), errors.As(err, &invalid):
		return "name the certificate of the authority that signed the server's: sslrootcert=FILE"
	}
	return ""
}

// waysIn is the error of a connection that was not made, in one line: the driver
// has one for each way that it tried, and with TLS and without they often say the
// same.
type waysIn struct{ *pgconn.ConnectError }

func (w waysIn) Unwrap() error { return w.ConnectError }

func (w waysIn) Error() string {
	var said []string
	for line := range strings.Lines(w.ConnectError.Unwrap().Error()) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(said, line) {
			said = append(said, line)
		}
	}
	return strings.Join(said, "; ")
}
