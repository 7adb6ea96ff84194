package store

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// position is where a page ended: in which step of a search, and after which
// key and number. Query ties it to one query.
type position struct {
	Query string `json:"q"`
	Step  int    `json:"s,omitempty"`
	Key   []byte `json:"k,omitempty"` // bytes, since a cut key need not be valid UTF-8
	N     int64  `json:"n"`
}

// queryMark tells one query from another; what does not change the result has
// to be taken out before.
func queryMark(query ...any) string {
	raw, _ := json.Marshal(query) // plain structs and strings, which always encode
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func (p position) cursor() string {
	raw, _ := json.Marshal(p) // as above
	return base64.RawURLEncoding.EncodeToString(raw)
}

// parseCursor reads a cursor back. Usage when it is none, or of another query.
func parseCursor(cursor, query string) (p position, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	if err == nil && p.Query != query {
		err = fmt.Errorf("it belongs to another list")
	}
	if err != nil {
		return p, logiqc.Errorf(logiqc.Usage, "that is not a cursor of this list").
			WithHint("give the same filters as before, or leave --cursor out")
	}
	return p, nil
}

// pageLimit is how many rows a page has.
func pageLimit(limit int) int {
	if limit <= 0 {
		return logiqc.PageMax
	}
	return min(limit, logiqc.PageMax)
}
