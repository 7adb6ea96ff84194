package cmd

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// importFile is the file of an import, or standard input.
type importFile struct {
	path   string // "-" for standard input
	format string // csv, jsonl or "" to guess
	stdin  io.Reader
}

// rowReader reads the rows of one format; it ends with io.EOF. An error with a
// row number is about that row, and the next one can be read.
type rowReader interface {
	next() (logiqc.ImportRow, error)
}

// check refuses what cannot be read at all, before anything is opened.
func (f importFile) check() error {
	if f.path == "-" {
		return nil
	}
	info, err := os.Stat(f.path)
	if err == nil && info.IsDir() {
		err = errors.New(f.path + " is a folder")
	}
	if err != nil {
		return fileError(err)
	}
	return nil
}

// lines counts the lines of the file, as a measure of how long the import will
// take; 0 when it cannot be known.
func (f importFile) lines() (n int64) {
	info, err := os.Stat(f.path)
	if f.path == "-" || err != nil || !info.Mode().IsRegular() {
		return 0
	}
	file, err := os.Open(f.path)
	if err != nil {
		return 0
	}
	defer func() { _ = file.Close() }()
	buf := make([]byte, 64<<10)
	for {
		m, err := file.Read(buf)
		n += int64(bytes.Count(buf[:m], []byte("\n")))
		if err != nil {
			return n
		}
	}
}

// rows yields the rows of the file, each with what is wrong with it. A file can
// be gone through again, standard input cannot.
func (f importFile) rows() iter.Seq2[logiqc.ImportRow, error] {
	used := false
	return func(yield func(logiqc.ImportRow, error) bool) {
		in := f.stdin
		if f.path != "-" {
			file, err := os.Open(f.path)
			if err != nil {
				yield(logiqc.ImportRow{}, fileError(err))
				return
			}
			defer func() { _ = file.Close() }()
			in = file
		} else if used {
			yield(logiqc.ImportRow{}, logiqc.Errorf(logiqc.Unavailable, "the store was busy and the list was read already; nothing was imported").
				WithHint("run it again"))
			return
		}
		used = true
		f.yieldRows(in, yield)
	}
}

func (f importFile) yieldRows(in io.Reader, yield func(logiqc.ImportRow, error) bool) {
	r, err := f.reader(in)
	if err != nil {
		yield(logiqc.ImportRow{Row: 1}, err)
		return
	}
	for {
		row, err := r.next()
		if errors.Is(err, io.EOF) {
			return
		}
		if !yield(row, err) || err != nil && row.Row == 0 {
			return
		}
	}
}

// reader chooses the reader of the format.
func (f importFile) reader(in io.Reader) (rowReader, error) {
	buffered := bufio.NewReaderSize(in, 64<<10)
	if mark, _ := buffered.Peek(len(bom)); string(mark) == bom {
		_, _ = buffered.Discard(len(bom))
	}
	if f.format == "" {
		f.format = f.guess(buffered)
	}
	if f.format == "jsonl" {
		return &jsonlRows{in: buffered}, nil
	}
	return newCSVRows(buffered)
}

// guess tells the format by the file's name, or else by its first character.
func (f importFile) guess(in *bufio.Reader) string {
	switch strings.ToLower(filepath.Ext(f.path)) {
	case ".csv":
		return "csv"
	case ".jsonl", ".ndjson":
		return "jsonl"
	}
	start, _ := in.Peek(512)
	if strings.HasPrefix(strings.TrimSpace(string(start)), "{") {
		return "jsonl"
	}
	return "csv"
}
