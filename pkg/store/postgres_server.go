package store

import "github.com/logiqc/logiqc/pkg/logiqc"

// Server is what the server of a database says of itself.
type Server struct {
	Name     string   // with its version
	ReadOnly bool     // it is a standby, or its user only reads
	Unsafe   []string // settings by which an answer may be lost with the machine
	Trigrams bool     // parts of words are looked for by an index
}

// Server asks the server of the database; ok is false where the store is a file.
func (tx *Tx) Server() (s Server, ok bool, err error) {
	if _, ok = tx.engine.(*pgEngine); !ok {
		return s, false, nil
	}
	s.Name = "PostgreSQL "
	var version, fsync, pages, commit string
	_, err = tx.one(`SELECT current_setting('server_version'), current_setting('fsync'), current_setting('full_page_writes'),
			current_setting('synchronous_commit'), pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on',
			EXISTS (SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('account_text_folded') AND indisvalid)`, nil,
		&version, &fsync, &pages, &commit, &s.ReadOnly, &s.Trigrams)
	s.Name += version
	for _, setting := range []struct{ name, value string }{{"fsync", fsync}, {"full_page_writes", pages}, {"synchronous_commit", commit}} {
		if setting.value == "off" {
			s.Unsafe = append(s.Unsafe, setting.name)
		}
	}
	return s, true, err
}

// CheckWritable refuses a database that can only be read, as far as that shows
// without writing.
func (tx *Tx) CheckWritable() error {
	s, ok, err := tx.Server()
	if err == nil && ok && s.ReadOnly {
		err = tx.engine.(*pgEngine).onlyRead("") //nolint:forcetypeassert // ok says so
	}
	return err
}

// onlyRead says so, and with the format more how that showed.
func (e *pgEngine) onlyRead(more string, args ...any) *logiqc.Error {
	return logiqc.Errorf(logiqc.Unavailable, "the %s can only be read; nothing was changed"+more, append([]any{e.name}, args...)...).
		WithHint("name every server and add target_session_attrs=read-write to the address")
}
