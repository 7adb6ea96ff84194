package logiqc

import "slices"

// Witness is a server of somebody else that cosigns checkpoints of the log: it
// signs only what continues what it has seen (C2SP tlog-witness).
type Witness struct {
	Name    string `json:"name"` // of its key
	URL     string `json:"url"`
	Key     string `json:"key"` // its verifier line
	AddedAt Time   `json:"added_at"`
	// Last is the newest checkpoint it cosigned, with its signature; At is when
	// it says that it did. Note is "" before the first.
	Last Checkpoint `json:"last"`
}

// Anchor is a place that checkpoints are kept in beside the store.
type Anchor struct {
	Place string     `json:"place"` // what it is, for people
	Last  Checkpoint `json:"last"`  // the newest one there, and when it went there
}

// NewWitness is a witness to add. Its name is that in the key.
type NewWitness struct {
	Request
	URL string `json:"url"`
	Key string `json:"key"`
}

// WitnessRemoval takes a witness off by name.
type WitnessRemoval struct {
	Request
	Name string `json:"name"`
}

// WitnessChanged is the outcome of adding or removing a witness.
type WitnessChanged struct {
	Replayed
	Changed bool    `json:"changed"`
	Witness Witness `json:"witness"`
}

// NewAnchor says where a checkpoint has gone: to a Witness, by name, whose
// signature the note bears, or to a Place.
type NewAnchor struct {
	Witness string `json:"witness,omitempty"`
	Place   string `json:"place,omitempty"`
	Note    string `json:"note"`
}

// Grade says how good or bad a finding of a Checkup is.
type Grade string

// The grades, best first.
const (
	GradeOK      Grade = "ok"
	GradeWarn    Grade = "warn"    // it works, and should be better
	GradeProblem Grade = "problem" // something does not work, or is not safe
)

// CheckupFinding is one thing that a Checkup looked at.
type CheckupFinding struct {
	Check string `json:"check"` // its stable name
	Grade Grade  `json:"grade"`
	Said  string `json:"said"`           // what was found, one sentence
	Next  string `json:"next,omitempty"` // the next step, where there is one
}

// Checkup is what a look at the store found, in a fixed order.
type Checkup struct {
	Findings []CheckupFinding `json:"findings"`
}

// Worst is the worst grade of the findings.
func (c Checkup) Worst() Grade {
	for _, g := range []Grade{GradeProblem, GradeWarn} {
		if slices.ContainsFunc(c.Findings, func(f CheckupFinding) bool { return f.Grade == g }) {
			return g
		}
	}
	return GradeOK
}

// Add adds a finding; next may be empty.
func (c *Checkup) Add(check string, g Grade, said, next string) {
	c.Findings = append(c.Findings, CheckupFinding{Check: check, Grade: g, Said: said, Next: next})
}
