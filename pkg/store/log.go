package store

import (
	"database/sql"
	"maps"
	"strconv"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// LogRow is an event to append: the event, for the columns, and its leaf as it
// is hashed.
type LogRow struct {
	Event logiqc.Event
	Bytes []byte
}

// StoredHash is one hash of the log's tree; Index counts as in
// golang.org/x/mod/sumdb/tlog.StoredHashIndex.
type StoredHash struct {
	Index int64
	Hash  [32]byte
}

// EventColumns are the columns beside an event's bytes, as they must be for
// those bytes. Names are as [logiqc.Key] writes them.
type EventColumns struct {
	ID             string
	Time           logiqc.Time
	Action         logiqc.Action
	Outcome        logiqc.Outcome
	Code           logiqc.Code
	ActorKind      logiqc.ActorKind
	ActorID        string
	ActorUsername  string
	ActorName      string // of a token
	ActorFor       string // whom a token acts for
	TargetID       string
	TargetUsername string
	RequestID      string
}

// ColumnsOf returns the columns that an event must have.
func ColumnsOf(e logiqc.Event) EventColumns {
	return EventColumns{
		ID: e.ID, Time: e.Time, Action: e.Action, Outcome: e.Outcome, Code: e.Code,
		ActorKind: e.Actor.Kind, ActorID: e.Actor.ID, ActorUsername: logiqc.Key(e.Actor.Username),
		ActorName: logiqc.Key(e.Actor.Name), ActorFor: logiqc.Key(e.Actor.For),
		TargetID: e.Target.ID, TargetUsername: logiqc.Key(e.Target.Username), RequestID: e.RequestID,
	}
}

// columnsSQL and the functions below name the columns in one order, that of the
// leaf.
const columnsSQL = `id, at, action, outcome, actor_kind, actor_id, actor_username, actor_name, actor_for, target_id,
	target_username, code, request_id`

func (c *EventColumns) args(args []any) []any {
	return append(args, c.ID, int64(c.Time), string(c.Action), string(c.Outcome), string(c.ActorKind), c.ActorID,
		c.ActorUsername, c.ActorName, c.ActorFor, c.TargetID, c.TargetUsername, string(c.Code), c.RequestID)
}

// IndexMark ends every column where they are read as one text. It is in no UTF-8,
// so that the text is another where a column is.
const IndexMark = '\xff'

// AppendIndex appends the columns as [Tx.IndexedLeaves] reads them.
func (c *EventColumns) AppendIndex(b []byte) []byte {
	for _, value := range c.args(nil) {
		switch v := value.(type) {
		case int64:
			b = strconv.AppendInt(b, v, 10)
		case string:
			b = append(b, v...)
		}
		b = append(b, IndexMark)
	}
	return b
}

// indexSQL is the SQL of the columns as one text, which is NULL when one of
// them is: to read them one by one takes longer than all else in verifying the
// log. bytes are the bytes of a column, and mark is IndexMark, in SQL.
func indexSQL(bytes, mark string) string {
	var b strings.Builder
	for column := range strings.SplitSeq(columnsSQL, ",") {
		if b.Len() > 0 {
			b.WriteString(" || ")
		}
		b.WriteString(strings.Replace(bytes, "{}", strings.TrimSpace(column), 1) + " || " + mark)
	}
	return b.String()
}

// Head returns how many events the log claims to have, and the root of their
// tree; of an empty log it is the SHA-256 of nothing.
func (tx *Tx) Head() (size int64, root [32]byte, err error) {
	if tx.write {
		return tx.size, tx.root, nil
	}
	var raw []byte
	_, err = tx.one(`SELECT size, root FROM log_head`, nil, &size, &raw)
	copy(root[:], raw)
	return size, root, err
}

// ReadHashes returns stored hashes of the tree, in the order asked for.
// Integrity when one is not there.
func (tx *Tx) ReadHashes(indexes []int64) ([][32]byte, error) {
	hashes := make([][32]byte, len(indexes))
	var missing []any
	for i, index := range indexes {
		h, ok := tx.memo.hashes[index]
		if hashes[i] = h; !ok {
			missing = append(missing, index)
		}
	}
	if len(missing) == 0 {
		return hashes, nil
	}
	found, err := tx.hashes(missing)
	if err != nil {
		return nil, err
	}
	for i, index := range indexes {
		if _, ok := tx.memo.hashes[index]; ok {
			continue
		}
		h, ok := found[index]
		if !ok {
			return nil, logiqc.Errorf(logiqc.Integrity, "the audit log lacks the hash %d of its tree", index).
				WithHint("logiqc audit verify")
		}
		hashes[i] = h
	}
	tx.remember(found)
	return hashes, nil
}

func (tx *Tx) hashes(indexes []any) (map[int64][32]byte, error) {
	var index int64
	var raw sql.RawBytes
	found := make(map[int64][32]byte, len(indexes))
	err := tx.each(`SELECT idx, hash FROM log_hash WHERE idx IN (`+list(1, len(indexes))+`)`, indexes, func(rows *sql.Rows) error {
		if err := rows.Scan(&index, &raw); err != nil {
			return err
		}
		if len(raw) == 32 {
			found[index] = [32]byte(raw)
		}
		return nil
	})
	return found, err
}

// hashesKept bounds the hashes that are remembered from one append to the next
// in a transaction: the edge of the tree, and what some hundred events add.
const hashesKept = 4096

// remember keeps hashes that the next append will want.
func (tx *Tx) remember(hashes map[int64][32]byte) {
	if len(tx.memo.hashes)+len(hashes) > hashesKept {
		tx.memo.hashes = nil
		return
	}
	if tx.memo.hashes == nil {
		tx.memo.hashes = map[int64][32]byte{}
	}
	maps.Copy(tx.memo.hashes, hashes)
}

// AppendLog appends events and the hashes they add to the tree, and moves the
// head on to newRoot. The events' Seq must go on where the log ends; Conflict
// when the head is not where this transaction found it.
func (tx *Tx) AppendLog(rows []LogRow, hashes []StoredHash, newRoot [32]byte) error {
	if len(rows) == 0 {
		return nil
	}
	for i, r := range rows {
		if r.Event.Seq != tx.size+int64(i) {
			return logiqc.Errorf(logiqc.Internal, "event %d cannot follow a log of %d", r.Event.Seq, tx.size+int64(i))
		}
	}
	if t := tx.shared; t != nil && !t.alone && len(rows) <= tailKept {
		t.tail.rows, t.tail.hashes = append(t.tail.rows, rows...), append(t.tail.hashes, hashes...)
		tx.wrote = true
	} else if err := tx.writeLog(rows, hashes, newRoot); err != nil {
		return err
	}
	tx.size, tx.root = tx.size+int64(len(rows)), newRoot
	added := make(map[int64][32]byte, min(len(hashes), hashesKept+1))
	for _, h := range hashes[max(0, len(hashes)-hashesKept-1):] {
		added[h.Index] = h.Hash
	}
	tx.remember(added)
	return nil
}

// tail is the end of the log that those who share a transaction have appended
// and nobody has written yet: what each appended is no more to write than what
// all did.
type tail struct {
	rows   []LogRow
	hashes []StoredHash
}

// tailKept bounds what one of them may leave to be written later.
const tailKept = 100

// writeTail writes what has been appended so far.
func (tx *Tx) writeTail() error {
	if tx.shared == nil || len(tx.shared.tail.rows) == 0 {
		return nil
	}
	end := tx.shared.tail
	tx.shared.tail = tail{}
	return tx.writeLog(end.rows, end.hashes, tx.root)
}

// writeLog writes events, the hashes they add to the tree and where it ends.
func (tx *Tx) writeLog(rows []LogRow, hashes []StoredHash, root [32]byte) error {
	err := tx.insertMany(` INTO event (seq, `+columnsSQL+`, bytes)`, 15, len(rows), func(i int, args []any) []any {
		c := ColumnsOf(rows[i].Event)
		return append(c.args(append(args, rows[i].Event.Seq)), rows[i].Bytes)
	})
	if err != nil {
		return err
	}
	err = tx.insertMany(` INTO log_hash (idx, hash)`, 2, len(hashes), func(i int, args []any) []any {
		return append(args, hashes[i].Index, hashes[i].Hash[:])
	})
	if err != nil {
		return err
	}
	from := rows[0].Event.Seq
	n, err := tx.exec(`UPDATE log_head SET size = $1, root = $2 WHERE one = 1 AND size = $3`, from+int64(len(rows)), root[:], from)
	if err == nil && n != 1 {
		err = logiqc.Errorf(logiqc.Conflict, "the audit log has moved meanwhile; nothing was changed")
	}
	return err
}

// Event returns the bytes of one event, or NotFound.
func (tx *Tx) Event(seq int64) (bytes []byte, err error) {
	ok, err := tx.one(`SELECT bytes FROM event WHERE seq = $1`, []any{seq}, &bytes)
	if err == nil && !ok {
		return nil, logiqc.Errorf(logiqc.NotFound, "there is no event %d", seq)
	}
	return bytes, err
}

// LogSize counts the events there are, whatever the head claims: one more than
// the greatest Seq.
func (tx *Tx) LogSize() (events int64, err error) {
	_, err = tx.one(`SELECT coalesce(max(seq), -1) + 1 FROM event`, nil, &events)
	return events, err
}

// Leaves hands the events with from <= seq < to to fn, in order; what is not
// there is passed over. bytes are fn's only until it returns. An error of fn
// ends the reading and is returned.
func (tx *Tx) Leaves(from, to int64, fn func(seq int64, bytes []byte) error) error {
	return tx.leaves("NULL", from, to, func(seq int64, bytes, _ []byte) error { return fn(seq, bytes) })
}

// IndexedLeaves is Leaves with what the columns beside the bytes say, as
// [EventColumns.AppendIndex] writes it, which is fn's only until it returns too.
func (tx *Tx) IndexedLeaves(from, to int64, fn func(seq int64, bytes, index []byte) error) error {
	return tx.leaves(tx.engine.dialect().index, from, to, fn)
}

func (tx *Tx) leaves(index string, from, to int64, fn func(seq int64, bytes, index []byte) error) error {
	var seq int64
	var raw, said sql.RawBytes
	return tx.each(`SELECT seq, bytes, `+index+` FROM event WHERE seq >= $1 AND seq < $2 ORDER BY seq`,
		[]any{from, to}, func(rows *sql.Rows) error {
			if err := rows.Scan(&seq, &raw, &said); err != nil {
				return err
			}
			return fn(seq, raw, said)
		})
}

// StoredHashes hands the tree's hashes with from <= index < to to fn, in
// order; what is not there is passed over, and what is no hash is Integrity.
func (tx *Tx) StoredHashes(from, to int64, fn func(index int64, h [32]byte) error) error {
	var index int64
	var raw sql.RawBytes
	return tx.each(`SELECT idx, hash FROM log_hash WHERE idx >= $1 AND idx < $2 ORDER BY idx`,
		[]any{from, to}, func(rows *sql.Rows) error {
			if err := rows.Scan(&index, &raw); err != nil {
				return err
			}
			if len(raw) != 32 {
				return logiqc.Errorf(logiqc.Integrity, "the hash %d of the audit log has %d bytes", index, len(raw))
			}
			return fn(index, [32]byte(raw))
		})
}
