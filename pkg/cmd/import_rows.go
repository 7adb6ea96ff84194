package cmd

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// importColumns are the columns or keys of an import. An empty cell says
// nothing, except that a name or phone can be empty.
var importColumns = append(slices.Clone(importable), "password_hash", "totp")

// setColumn puts the text of one column into the row.
func setColumn(row *logiqc.ImportRow, column, text string) (err error) {
	if column != "name" && column != "phone" {
		if text = strings.TrimSpace(text); text == "" {
			return nil
		}
	}
	row.Fields = append(row.Fields, column)
	switch column {
	case "username":
		row.Username = text
	case "email":
		row.Email = text
	case "name":
		row.Name = text
	case "phone":
		row.Phone = text
	case "role":
		row.Role = logiqc.Role(text)
	case "auth":
		row.Auth = logiqc.Method(text)
	case "status":
		row.Status = logiqc.Status(text)
	case "mfa":
		var toggle logiqc.OnOff
		err = toggle.UnmarshalText([]byte(text))
		row.Toggle = bool(toggle)
	case "protected":
		row.Protected, err = strconv.ParseBool(strings.ToLower(text))
	case "password_hash":
		row.PasswordHash = logiqc.Secret(text)
	case "totp":
		row.TOTP = logiqc.Secret(text)
	}
	if err != nil {
		return logiqc.Errorf(logiqc.Invalid, "%s cannot be %q: %s", column, text,
			map[string]string{"mfa": "on or off", "protected": "true or false"}[column])
	}
	return nil
}

// unknownColumn names a column or key that means nothing here.
func unknownColumn(name string) error {
	return logiqc.Errorf(logiqc.Invalid, "%q is no column of an import; there are %s", name, strings.Join(importColumns, ", "))
}

// csvRows reads CSV (RFC 4180) with a header of importColumns in any order.
type csvRows struct {
	r       *csv.Reader
	columns []string
}

// newCSVRows reads the header.
func newCSVRows(in io.Reader) (*csvRows, error) {
	r := csv.NewReader(&quotedBreaks{in: bufio.NewReaderSize(in, 64<<10)})
	r.ReuseRecord, r.FieldsPerRecord = true, -1
	header, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, logiqc.Errorf(logiqc.Invalid, "the list is empty: the first line names the columns")
	case err != nil:
		return nil, rowError(err)
	}
	c := &csvRows{r: r}
	for _, name := range header {
		column := strings.ToLower(strings.TrimSpace(name))
		switch {
		case !slices.Contains(importColumns, column):
			return nil, unknownColumn(name)
		case slices.Contains(c.columns, column):
			return nil, logiqc.Errorf(logiqc.Invalid, "the column %q is there twice", column)
		}
		c.columns = append(c.columns, column)
	}
	if !slices.Contains(c.columns, "username") {
		return nil, logiqc.Errorf(logiqc.Invalid, "there is no column username")
	}
	return c, nil
}

// rowError is a mistake in the CSV itself.
func rowError(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return logiqc.Errorf(logiqc.Invalid, "%w", parse.Err)
	}
	return err
}

// next implements [rowReader].
func (c *csvRows) next() (row logiqc.ImportRow, err error) {
	record, err := c.r.Read()
	var parse *csv.ParseError
	switch {
	case errors.As(err, &parse):
		return logiqc.ImportRow{Row: parse.StartLine}, rowError(err)
	case err != nil:
		return row, err
	}
	row.Row, _ = c.r.FieldPos(0)
	if len(record) != len(c.columns) {
		return row, logiqc.Errorf(logiqc.Invalid, "it has %s, the header has %d", counted(len(record), "cell"), len(c.columns))
	}
	row.Fields = make([]string, 0, len(c.columns))
	for i, text := range record {
		if !utf8.ValidString(text) {
			return row, logiqc.Errorf(logiqc.Invalid, "%s is not valid UTF-8", c.columns[i])
		}
		if err := setColumn(&row, c.columns[i], ui.CSVValue(text)); err != nil {
			return row, err
		}
	}
	return row, nil
}

// quotedBreaks keeps a line break CR LF inside quotes, which encoding/csv would
// make LF: texts are stored as they came.
type quotedBreaks struct {
	in     *bufio.Reader
	line   []byte
	quoted bool
}

// Read implements [io.Reader].
func (q *quotedBreaks) Read(p []byte) (n int, err error) {
	if len(q.line) == 0 {
		if q.line, err = q.in.ReadSlice('\n'); errors.Is(err, bufio.ErrBufferFull) {
			err = nil
		}
		if bytes.Count(q.line, []byte(`"`))%2 == 1 {
			q.quoted = !q.quoted
		}
		if q.quoted && bytes.HasSuffix(q.line, []byte("\r\n")) {
			q.line = append(bytes.Clone(q.line[:len(q.line)-1]), "\r\n"...)
		}
	}
	n = copy(p, q.line)
	if q.line = q.line[n:]; len(q.line) > 0 {
		err = nil
	}
	return n, err
}

// jsonlRows reads one object per line with importColumns as keys.
type jsonlRows struct {
	in   *bufio.Reader
	line int
}

// next implements [rowReader].
func (j *jsonlRows) next() (row logiqc.ImportRow, err error) {
	for {
		text, err := j.readLine()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				row.Row = j.line
			}
			return row, err
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			row.Row = j.line
			return row, fillRow(&row, text)
		}
	}
}

// readLine returns the next line. One of more than maxLine bytes is read past
// and refused.
func (j *jsonlRows) readLine() (line []byte, err error) {
	j.line++
	tooLong := false
	for {
		part, err := j.in.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > maxLine; !tooLong {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case tooLong:
			return nil, logiqc.Errorf(logiqc.Invalid, "it is longer than %d MiB", maxLine>>20)
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		default:
			return line, err
		}
	}
}

// fillRow reads one object.
func fillRow(row *logiqc.ImportRow, text []byte) error {
	if !utf8.Valid(text) {
		return logiqc.Errorf(logiqc.Invalid, "it is not valid UTF-8")
	}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		return logiqc.Errorf(logiqc.Invalid, "it is no JSON object")
	}
	for _, column := range importColumns {
		value, ok := object[column]
		delete(object, column)
		if !ok || value == nil {
			continue
		}
		text, err := jsonText(column, value)
		if err != nil {
			return err
		}
		if err := setColumn(row, column, text); err != nil {
			return err
		}
	}
	for key := range object {
		return unknownColumn(key)
	}
	return nil
}

// jsonText is a JSON value as the cell of a table.
func jsonText(column string, value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool:
		if column == "protected" {
			return fmt.Sprint(v), nil
		}
		if column == "mfa" {
			return logiqc.OnOff(v).String(), nil
		}
	}
	return "", logiqc.Errorf(logiqc.Invalid, "%s has to be text", column)
}
