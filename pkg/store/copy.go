package store

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Copied is what was copied from one store to another.
type Copied struct {
	Accounts int64
	Secrets  int64 // sealed setup keys
	Events   int64
}

// tableNames finds the tables of the portable DDL, in the order in which they
// refer to each other; whatever a migration adds is copied with the rest.
var tableNames = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)
})

// The tables that the new store has rows in already, and those whose number of
// rows says something to people.
const (
	tableStore, tableHead                  = "store", "log_head"
	tableAccount, tableSecrets, tableEvent = "account", "enrolment", "event"
)

func tables() []string {
	var names []string
	for _, m := range tableNames().FindAllStringSubmatch(tables1, -1) {
		names = append(names, m[1])
	}
	return names
}

// rowsLoaded and bytesLoaded bound how much of a table is held in memory.
const (
	rowsLoaded  = 5_000
	bytesLoaded = 8 << 20
)

// CopyFrom fills a new store with everything that is in another: accounts,
// sealed secrets, recovery and enrolment codes, sessions, tokens, requests, the
// policy, and the log byte for byte. A store that is frozen stays so; where the
// other one is moved to does not come along. Every table is read back and
// compared; Integrity when one is not what was read from the other store.
// Progress is told of rows, and may be nil.
func (tx *Tx) CopyFrom(from *Tx, progress func(done, total int64)) (c Copied, err error) {
	total := int64(0)
	counts := map[string]int64{}
	for _, table := range tables() {
		n, err := from.count(`SELECT count(*) FROM ` + table)
		if err != nil {
			return c, err
		}
		counts[table] = int64(n)
		total += int64(n)
	}
	if err := tx.engine.bulk(tx, true); err != nil {
		return c, err
	}
	indexes, err := tx.dropIndexes()
	if err != nil {
		return c, err
	}
	done := int64(0)
	for _, table := range tables() {
		l := loader{tx: tx, table: table, told: func(n int64) {
			if done += n; progress != nil {
				progress(done, total)
			}
		}}
		if err := l.run(from); err != nil {
			return c, fmt.Errorf("copy the table %s: %w", table, err)
		}
		if table == tableStore || table == tableHead {
			continue
		}
		back, n, err := tx.digest(table, l.columns)
		if err != nil {
			return c, err
		}
		if n != counts[table] || back != l.sum {
			return c, logiqc.Errorf(logiqc.Integrity, "the copy of the table %s is not what was read: %d rows of %d; nothing was copied",
				table, n, counts[table])
		}
	}
	for _, ddl := range indexes {
		if _, err := tx.exec(ddl); err != nil {
			return c, err
		}
	}
	c = Copied{Accounts: counts[tableAccount], Secrets: counts[tableSecrets], Events: counts[tableEvent]}
	*tx.memo = memo{}
	return c, tx.engine.bulk(tx, false)
}

// dropIndexes drops the indexes of a new store and returns how they are made
// again: one is made of many rows much faster than it is kept. Where rows are
// taken the database's own way there are none yet.
func (tx *Tx) dropIndexes() (ddl []string, err error) {
	if tx.load != nil {
		return nil, nil
	}
	var names []string
	err = tx.each(`SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL`, nil, func(rows *sql.Rows) error {
		var name, text string
		err := rows.Scan(&name, &text)
		names, ddl = append(names, name), append(ddl, text)
		return err
	})
	for _, name := range names {
		if err == nil {
			_, err = tx.exec(`DROP INDEX ` + name)
		}
	}
	return ddl, err
}

// Counts counts what a copy of the store would have.
func (tx *Tx) Counts() (c Copied, err error) {
	_, err = tx.one(`SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM enrolment), (SELECT count(*) FROM event)`, nil,
		&c.Accounts, &c.Secrets, &c.Events)
	return c, err
}

// loader copies one table.
type loader struct {
	tx      *Tx
	table   string
	columns []string
	rows    [][]any
	size    int
	sum     rowSum
	told    func(n int64)
}

func (l *loader) run(from *Tx) error {
	err := from.each(`SELECT * FROM `+l.table, nil, func(rows *sql.Rows) error {
		row, err := l.read(rows)
		if err != nil {
			return err
		}
		l.sum.add(row)
		l.rows = append(l.rows, row)
		if len(l.rows) >= rowsLoaded || l.size >= bytesLoaded {
			return l.write()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.write()
}

// read takes a row as the driver gives it: numbers, text and bytes.
func (l *loader) read(rows *sql.Rows) ([]any, error) {
	if l.columns == nil {
		var err error
		if l.columns, err = rows.Columns(); err != nil {
			return nil, err
		}
	}
	row, size, err := scanRow(rows, len(l.columns))
	l.size += size
	return row, err
}

func scanRow(rows *sql.Rows, width int) (row []any, size int, err error) {
	row, dest := make([]any, width), make([]any, width)
	for i := range row {
		dest[i] = &row[i]
	}
	if err := rows.Scan(dest...); err != nil {
		return nil, 0, err
	}
	for i, v := range row {
		switch v := v.(type) {
		case []byte:
			row[i] = bytes.Clone(v)
			size += len(v)
		case string:
			size += len(v)
		}
		size += 16
	}
	return row, size, nil
}

func (l *loader) write() (err error) {
	rows := l.rows
	l.rows, l.size = nil, 0
	if len(rows) == 0 {
		return nil
	}
	switch {
	case l.table == tableStore:
		err = l.writeStore(rows[0])
	case l.table == tableHead:
		err = l.writeHead(rows[0])
	case l.tx.load != nil:
		err = l.tx.explain(l.tx.load(l.table, l.columns, rows))
	default:
		into := ` INTO ` + l.table + ` (` + strings.Join(l.columns, ", ") + `)`
		err = l.tx.insertMany(into, len(l.columns), len(rows), func(i int, args []any) []any { return append(args, rows[i]...) })
	}
	if err == nil && l.table == tableAccount {
		err = l.index(rows)
	}
	l.told(int64(len(rows)))
	return err
}

// column is the value of a row by the column's name.
func (l *loader) column(row []any, name string) any { return row[slices.Index(l.columns, name)] }

// writeStore keeps what the other store says of itself, and not where it moves.
func (l *loader) writeStore(row []any) error {
	n, err := l.tx.exec(`UPDATE store SET id = $1, origin = $2, created_at = $3, frozen_for = $4 WHERE one = 1 AND schema = $5`,
		l.column(row, "id"), l.column(row, "origin"), l.column(row, "created_at"), l.column(row, "frozen_for"), l.column(row, "schema"))
	if err == nil && n != 1 {
		err = logiqc.Errorf(logiqc.Unavailable, "the store is of schema %v, and the copy would be of %d", l.column(row, "schema"), schemaVersion).
			WithHint(hintUpgrade)
	}
	return err
}

func (l *loader) writeHead(row []any) error {
	size, sized := l.column(row, "size").(int64)
	closed, told := l.column(row, "closed").(int64)
	root, rooted := l.column(row, "root").([]byte)
	if !sized || !told || !rooted || len(root) != 32 {
		return logiqc.Errorf(logiqc.Integrity, "the head of the audit log cannot be read").WithHint("logiqc audit verify")
	}
	l.tx.size, l.tx.root, l.tx.closed = size, [32]byte(root), closed&closedFrozen
	_, err := l.tx.exec(`UPDATE log_head SET turn = turn + $1, size = $2, root = $3, closed = $4 WHERE one = 1`,
		l.column(row, "turn"), size, root, l.tx.closed)
	return err
}

// index makes accounts findable by parts of their words: the text index is each
// engine's own.
func (l *loader) index(rows [][]any) error {
	users := make([]*logiqc.User, len(rows))
	for i, row := range rows {
		u := &logiqc.User{}
		var ok [4]bool
		u.N, ok[0] = l.column(row, "n").(int64)
		u.Username, ok[1] = l.column(row, "username").(string)
		u.Email, ok[2] = l.column(row, "email").(string)
		u.Name, ok[3] = l.column(row, "name").(string)
		if slices.Contains(ok[:], false) {
			return logiqc.Errorf(logiqc.Integrity, "an account cannot be read: %v", l.column(row, "username"))
		}
		users[i] = u
	}
	return l.tx.engine.insertText(l.tx, users)
}

// rowSum is the same for the same rows in any order: the hashes of all, each
// taken as four numbers, added up.
type rowSum [4]uint64

func (s *rowSum) add(row []any) {
	var b []byte
	for _, v := range row {
		switch v := v.(type) {
		case []byte:
			b = append(strconv.AppendInt(append(b, 'b'), int64(len(v)), 10), ':')
			b = append(b, v...)
		case string:
			b = append(strconv.AppendInt(append(b, 's'), int64(len(v)), 10), ':')
			b = append(b, v...)
		case int64:
			b = append(strconv.AppendInt(append(b, 'i'), v, 10), ':')
		default:
			b = fmt.Appendf(b, "%T:%v:", v, v)
		}
	}
	h := sha256.Sum256(b)
	for i := range s {
		s[i] += binary.LittleEndian.Uint64(h[8*i:])
	}
}

// digest reads a table back.
func (tx *Tx) digest(table string, columns []string) (sum rowSum, n int64, err error) {
	if len(columns) == 0 { // nothing was written
		m, err := tx.count(`SELECT count(*) FROM ` + table)
		return sum, int64(m), err
	}
	err = tx.each(`SELECT `+strings.Join(columns, ", ")+` FROM `+table, nil, func(rows *sql.Rows) error {
		row, _, err := scanRow(rows, len(columns))
		if err != nil {
			return err
		}
		n++
		sum.add(row)
		return nil
	})
	return sum, n, err
}
