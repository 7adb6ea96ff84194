package cmd

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
	"github.com/logiqc/logiqc/pkg/ui"
)

// reportFolder is where the evidence of a report goes; nil for nowhere. Its
// files are for their owner only, and each is replaced as a whole.
type reportFolder struct {
	dir    string
	events *eventsFile
}

func newReportFolder(dir string) (*reportFolder, error) {
	if dir == "" {
		return nil, nil //nolint:nilnil // no folder was asked for
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, logiqc.Errorf(logiqc.Usage, "the report has no place: %w", err)
	}
	return &reportFolder{dir: dir}, nil
}

func (f *reportFolder) path(name string) string { return filepath.Join(f.dir, name) }

// event takes the next event of the period.
func (f *reportFolder) event(e logiqc.Event) (err error) {
	if f == nil {
		return nil
	}
	if f.events == nil {
		if f.events, err = newEventsFile(f.dir); err != nil {
			return err
		}
	}
	return f.events.add(e)
}

// write writes all files but the log, which is there already.
func (f *reportFolder) write(out *auditReport) (err error) {
	if f.events == nil {
		if f.events, err = newEventsFile(f.dir); err != nil {
			return err
		}
	}
	if err := f.events.close(f.path("events.csv")); err != nil {
		return err
	}
	for _, name := range []string{"report.html", "report.json", "events.csv", "checkpoint", "log"} {
		out.Written = append(out.Written, f.path(name))
	}
	var page, data bytes.Buffer
	if err := reportPage(&page, *out); err != nil {
		return err
	}
	enc := json.NewEncoder(&data)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	return errors.Join(
		seal.ReplaceFile(f.path("report.html"), page.Bytes()),
		seal.ReplaceFile(f.path("report.json"), data.Bytes()),
		seal.ReplaceFile(f.path("checkpoint"), []byte(out.Log.Checkpoint)))
}

// eventsFile is a CSV of events, formula-safe and one line an event, under a
// temporary name until it is whole.
type eventsFile struct {
	file *os.File
	buf  *bufio.Writer
	csv  *csv.Writer
}

func newEventsFile(dir string) (*eventsFile, error) {
	file, err := os.CreateTemp(dir, ".events-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("write events.csv: %w", err)
	}
	buf := bufio.NewWriter(file)
	x := &eventsFile{file, buf, csv.NewWriter(buf)}
	return x, x.csv.Write(eventHeader)
}

func (x *eventsFile) add(e logiqc.Event) error {
	cells := eventRecord(e)
	for i, c := range cells {
		cells[i] = ui.CSVCell(c)
	}
	return x.csv.Write(cells)
}

func (x *eventsFile) close(path string) error {
	x.csv.Flush()
	err := errors.Join(x.csv.Error(), x.buf.Flush(), x.file.Close())
	if err == nil {
		err = os.Rename(x.file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write events.csv: %w", errors.Join(err, os.Remove(x.file.Name())))
	}
	return nil
}

// oneLine keeps the cells of a record to one line of a file: a line break is
// written as an escape.
func oneLine(cells []string) []string {
	for i, c := range cells {
		cells[i] = lineBreaks.Replace(c)
	}
	return cells
}

var lineBreaks = strings.NewReplacer("\r", `\r`, "\n", `\n`)
