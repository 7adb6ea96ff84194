package store

import (
	"strconv"
	"strings"
)

// query is a statement put together from parts, with its arguments numbered
// in the order they are added.
type query struct {
	strings.Builder
	args []any
}

// arg adds an argument and writes its placeholder.
func (q *query) arg(v any) {
	q.args = append(q.args, v)
	q.WriteString("$")
	q.WriteString(strconv.Itoa(len(q.args)))
}

// bound adds an argument that an index is gone through from or to.
func (q *query) bound(d *dialect, v any) {
	if !d.hidesBounds {
		q.arg(v)
		return
	}
	q.WriteString(`(SELECT `)
	q.arg(v)
	if _, number := v.(int64); number {
		q.WriteString(`::bigint`)
	}
	q.WriteString(`)`)
}

// limit adds a LIMIT that the planner sees.
func (q *query) limit(n int) { q.WriteString(` LIMIT ` + strconv.Itoa(n)) }

// add writes parts that alternate: SQL, argument, SQL, argument …
func (q *query) add(sql string, rest ...any) {
	q.WriteString(sql)
	for i, part := range rest {
		if i%2 == 0 {
			q.arg(part)
		} else {
			q.WriteString(part.(string)) //nolint:forcetypeassert // written by hand at each call
		}
	}
}
