package cmd

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// fromColumns are the columns or keys of a list that name an account; the first
// of them that the list has is used.
var fromColumns = []string{"id", "username", "email"}

// mostFrom bounds a list of users, which is read whole.
const mostFrom = 256 << 20

// readFrom reads the list of --from: the file at path, or stdin for "-". It is
// one <user> per line, where blank lines and those that begin with # are
// skipped and a line ends for us at a tab; or CSV or JSONL with a column or key
// id, username or email. Invalid names the line that cannot be read.
func readFrom(path string, stdin io.Reader) ([]string, error) {
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fileError(err)
		}
		defer func() { _ = f.Close() }()
		stdin = f
	}
	text, err := io.ReadAll(io.LimitReader(stdin, mostFrom+1))
	switch {
	case err != nil:
		return nil, fileError(err)
	case len(text) > mostFrom:
		return nil, logiqc.Errorf(logiqc.Invalid, "the list is longer than %d MiB", mostFrom>>20)
	case !utf8.Valid(text):
		return nil, logiqc.Errorf(logiqc.Invalid, "the list is not text in UTF-8").WithHint("save it as UTF-8")
	}
	refs, err := parseFrom(bytes.TrimPrefix(text, []byte(bom)))
	if err == nil && len(refs) == 0 {
		err = logiqc.Errorf(logiqc.Invalid, "the list names nobody")
	}
	return refs, err
}

// bom is the mark that some programs put before UTF-8.
const bom = "\ufeff"

// fileError says which file could not be read: a mistake on the command line,
// not a failure of ours.
func fileError(err error) error {
	if errors.Is(err, ui.ErrCancelled) {
		return err
	}
	return logiqc.Errorf(logiqc.Usage, "cannot read the list: %w", err)
}

// parseFrom tells the three forms apart by the first line that is not skipped.
func parseFrom(text []byte) ([]string, error) {
	first, at := firstLine(text)
	switch {
	case strings.HasPrefix(first, "{"):
		return fromJSONL(text)
	case strings.HasPrefix(first, "["):
		return nil, logiqc.Errorf(logiqc.Invalid, "the list is one JSON array; an object on each line is taken").WithHint("-o jsonl writes them so")
	case strings.Contains(first, ",") || columnOf(strings.Split(first, ",")) >= 0:
		return fromCSV(text[at:], bytes.Count(text[:at], []byte("\n")))
	}
	return fromLines(text), nil
}

// firstLine returns the first line that is not skipped, without blanks around
// it, and where it begins.
func firstLine(text []byte) (line string, at int) {
	for l := range bytes.Lines(text) {
		if line = strings.TrimSpace(string(l)); line != "" && line[0] != '#' {
			return line, at
		}
		at += len(l)
	}
	return "", at
}

// fromLines takes one <user> per line.
func fromLines(text []byte) (refs []string) {
	for l := range bytes.Lines(text) {
		line := strings.TrimSpace(string(l))
		if line == "" || line[0] == '#' {
			continue
		}
		ref, _, _ := strings.Cut(line, "\t") // what the table of `users find` looks like in a pipe
		refs = append(refs, strings.TrimSpace(ref))
	}
	return refs
}

// columnOf finds the column that names accounts, or -1.
func columnOf(header []string) int {
	for _, name := range fromColumns {
		for i, h := range header {
			if strings.EqualFold(strings.Trim(strings.TrimSpace(h), `"`), name) {
				return i
			}
		}
	}
	return -1
}

// fromCSV takes one column; skipped is how many lines stand before text.
func fromCSV(text []byte, skipped int) (refs []string, err error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord, r.ReuseRecord, r.Comment = -1, true, '#'
	column := -1
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return refs, nil
		}
		if err != nil {
			return nil, csvError(err, skipped)
		}
		line, _ := r.FieldPos(0)
		if column < 0 {
			if column = columnOf(record); column < 0 {
				return nil, logiqc.Errorf(logiqc.Invalid, "row %d: the list has none of the columns %s", skipped+line, strings.Join(fromColumns, ", ")).
					WithHint("a list without a header has one username, email or id on each line")
			}
			continue
		}
		ref := ""
		if column < len(record) {
			ref = strings.TrimSpace(ui.CSVValue(record[column]))
		}
		if ref == "" && strings.TrimSpace(strings.Join(record, "")) == "" {
			continue // a blank line
		}
		if ref == "" {
			return nil, logiqc.Errorf(logiqc.Invalid, "row %d of the list names nobody", skipped+line)
		}
		refs = append(refs, ref)
	}
}

// csvError names the row of a mistake in CSV; skipped is how many lines stand
// before what was parsed.
func csvError(err error, skipped int) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return logiqc.Errorf(logiqc.Invalid, "row %d: %w", parse.StartLine+skipped, parse.Err)
	}
	return err
}

// fromJSONL takes one value of each object.
func fromJSONL(text []byte) (refs []string, err error) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		ref, err := fromObject(line)
		if err != nil {
			return nil, logiqc.Errorf(logiqc.Invalid, "row %d of the list %w", n, err)
		}
		refs = append(refs, ref)
	}
	return refs, lines.Err()
}

// maxLine bounds a line of JSONL.
const maxLine = 1 << 20

func fromObject(line []byte) (string, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(line, &object); err != nil {
		return "", fmt.Errorf("is no JSON object: %w", err)
	}
	for _, key := range fromColumns {
		raw, ok := object[key]
		if !ok || string(raw) == "null" {
			continue
		}
		var ref string
		if err := json.Unmarshal(raw, &ref); err != nil || strings.TrimSpace(ref) == "" {
			return "", fmt.Errorf("names nobody: %s is no text", key)
		}
		return strings.TrimSpace(ref), nil
	}
	return "", fmt.Errorf("has none of the keys %s", strings.Join(fromColumns, ", "))
}
