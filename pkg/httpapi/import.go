package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// An import is a stream of lines of JSON: the request first, then the rows, and
// at the end how many there were, so that what was cut off on its way is never
// taken for the whole.
const (
	importPath  = "/v1/users/import"
	importLines = "application/jsonl"
	rowLimit    = 1 << 20 // bytes
	rowTimeout  = 30 * time.Second
	rowsForNews = 1000 // the progress of the client is told after so many
)

// importRow is [logiqc.ImportRow], or what is wrong with the row, or the end.
type importRow struct {
	Row          int           `json:"row,omitempty"`
	Fields       []string      `json:"fields,omitempty"`
	Username     string        `json:"username,omitempty"`
	Email        string        `json:"email,omitempty"`
	Name         string        `json:"name,omitempty"`
	Phone        string        `json:"phone,omitempty"`
	Role         logiqc.Role   `json:"role,omitempty"`
	Auth         logiqc.Method `json:"auth,omitempty"`
	Status       logiqc.Status `json:"status,omitempty"`
	Toggle       bool          `json:"toggle,omitempty"`
	Protected    bool          `json:"protected,omitempty"`
	PasswordHash string        `json:"password_hash,omitempty"`
	TOTP         string        `json:"totp,omitempty"`
	Error        *logiqc.Error `json:"error,omitempty"`
	End          *int64        `json:"end,omitempty"`
}

func toImportRow(r logiqc.ImportRow) importRow {
	return importRow{
		Row: r.Row, Fields: r.Fields, Username: r.Username, Email: r.Email, Name: r.Name, Phone: r.Phone, Role: r.Role,
		Auth: r.Auth, Status: r.Status, Toggle: r.Toggle, Protected: r.Protected, PasswordHash: r.PasswordHash.Reveal(),
		TOTP: r.TOTP.Reveal(),
	}
}

func (w importRow) domain() logiqc.ImportRow {
	return logiqc.ImportRow{
		Row: w.Row, Fields: w.Fields, Username: w.Username, Email: w.Email, Name: w.Name, Phone: w.Phone, Role: w.Role,
		Auth: w.Auth, Status: w.Status, Toggle: w.Toggle, Protected: w.Protected, PasswordHash: logiqc.Secret(w.PasswordHash),
		TOTP: logiqc.Secret(w.TOTP),
	}
}

// importRoute serves ImportUsers, whose rows are read while they are imported.
func (h *handler) importRoute(api huma.API) {
	schemas := api.OpenAPI().Components.Schemas
	schema := func(t reflect.Type) *huma.Schema { return schemas.Schema(t, true, "") }
	op := described(api, huma.Operation{
		OperationID: "import-users", Method: http.MethodPost, Path: importPath, Summary: "Add many accounts, all or none",
		Description: "The body is lines of JSON: first an Import, then an ImportRow for each account, and last an ImportRow " +
			"with nothing but end, the number of rows.",
		Security: []map[string][]string{{"bearer": {}}},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{importLines: {
			Schema: &huma.Schema{AnyOf: []*huma.Schema{schema(reflect.TypeFor[logiqc.Import]()), schema(reflect.TypeFor[importRow]())}},
		}}},
		Responses: map[string]*huma.Response{
			"200": {Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: schema(reflect.TypeFor[logiqc.ImportResult]())}}},
		},
	})
	api.OpenAPI().AddOperation(&op)
	h.mux.HandleFunc("POST "+importPath, h.importUsers)
}

func (h *handler) importUsers(w http.ResponseWriter, r *http.Request) {
	who := callerOf(r.Context())
	control := http.NewResponseController(w)
	in := &rowReader{lines: bufio.NewReaderSize(r.Body, 64<<10), more: func() {
		_ = control.SetReadDeadline(time.Now().Add(rowTimeout))
	}}
	stop := who.keepWaiting()
	out, err := h.importFrom(r.Context(), h.backend.As(who.actor), in)
	_ = control.SetReadDeadline(time.Time{})
	if err != nil {
		in.drain() // a client that still writes would not hear the answer
	}
	stop()
	if err != nil {
		h.failed(r.Context(), importPath, err).write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

func (h *handler) importFrom(ctx context.Context, s logiqc.Service, in *rowReader) (out logiqc.ImportResult, err error) {
	line, err := in.line()
	if err != nil {
		return out, err
	}
	var r logiqc.Import
	if err := strict(line, &r); err != nil {
		return out, logiqc.Errorf(logiqc.Invalid, "line 1: %w", err)
	}
	r.Rows = in.rows()
	out, err = s.ImportUsers(ctx, r)
	if in.broken != nil {
		return out, in.broken
	}
	return out, err
}

// rowReader reads the lines of an import.
type rowReader struct {
	lines  *bufio.Reader
	more   func() // gives the client time for more
	n      int64  // rows so far
	broken error  // why the rows ended before their end
	ended  bool
}

// line returns the next line, without its end.
func (in *rowReader) line() (line []byte, err error) {
	for {
		if in.lines.Buffered() == 0 {
			in.more()
		}
		part, err := in.lines.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > rowLimit:
			return nil, logiqc.Errorf(logiqc.Invalid, "a line is longer than %d MiB", rowLimit>>20)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		case err != nil:
			return nil, logiqc.Errorf(logiqc.Usage, "the list was cut off on its way; nothing was imported")
		}
		return bytes.TrimSuffix(line, []byte("\n")), nil
	}
}

// rows are the rows up to the end. What breaks them off is kept, because it is
// of no row.
func (in *rowReader) rows() iter.Seq2[logiqc.ImportRow, error] {
	return func(yield func(logiqc.ImportRow, error) bool) {
		for in.broken == nil && !in.ended {
			row, err := in.next()
			if err == nil && in.ended {
				return
			}
			if err != nil {
				in.broken = err
				yield(logiqc.ImportRow{}, errBroken)
				return
			}
			var wrong error
			if row.Error != nil {
				wrong = row.Error
			}
			if !yield(row.domain(), wrong) {
				return
			}
		}
	}
}

// errBroken ends an import; the reason is in rowReader.broken.
var errBroken = errors.New("the rows have no end")

func (in *rowReader) next() (row importRow, err error) {
	line, err := in.line()
	if err != nil {
		return row, err
	}
	if err := strict(line, &row); err != nil {
		return row, logiqc.Errorf(logiqc.Invalid, "line %d: %w", in.n+2, err)
	}
	if row.End == nil {
		in.n++
		return row, nil
	}
	if *row.End != in.n {
		return row, logiqc.Errorf(logiqc.Usage, "%d rows came of %d; nothing was imported", in.n, *row.End)
	}
	in.ended = true
	return row, nil
}

// drain reads what is left, for as long as something comes.
func (in *rowReader) drain() {
	for !in.ended {
		in.more()
		if n, err := in.lines.Discard(1 << 20); err != nil || n == 0 {
			return
		}
	}
}

// ImportUsers implements [logiqc.Service]. The rows go out while they are read.
func (s *service) ImportUsers(ctx context.Context, r logiqc.Import) (out logiqc.ImportResult, err error) {
	read, write := io.Pipe()
	lost := make(chan error, 1)
	go func() {
		err := writeRows(write, r)
		lost <- err
		_ = write.CloseWithError(err)
	}()
	err = s.client.send(ctx, outgoing{
		method: http.MethodPost, path: importPath, stream: read, kind: importLines, bearer: s.bearer, source: s.actor.Source,
		request: r.RequestID, dry: r.DryRun,
	}, &out)
	_ = read.Close()
	if own := <-lost; own != nil && !errors.Is(own, io.ErrClosedPipe) {
		return out, own // the file could not be read: nothing was imported
	}
	return out, err
}

// writeRows writes the lines of an import. An error is of reading the rows, or
// of nobody reading on.
func writeRows(w io.Writer, r logiqc.Import) error {
	buffered := bufio.NewWriterSize(w, 64<<10)
	enc := json.NewEncoder(buffered)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return err
	}
	var n int64
	if r.Rows != nil {
		for row, err := range r.Rows {
			line := toImportRow(row)
			if err != nil {
				line.Error = logiqc.AsError(err)
				if exit := line.Error.Code.ExitStatus(); exit != 2 && exit != 5 {
					return err
				}
			}
			if err := enc.Encode(line); err != nil {
				return err
			}
			if n++; r.Progress != nil && n%rowsForNews == 0 {
				r.Progress(n)
			}
		}
	}
	if err := enc.Encode(importRow{End: &n}); err != nil {
		return err
	}
	return buffered.Flush()
}
