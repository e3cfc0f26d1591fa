package ffd

import "fmt"

// Finding is one broken rule.
type Finding struct {
	Rule     string         `json:"rule"` // identifier in the table of rules: "S1"
	Severity Severity       `json:"severity"`
	Key      string         `json:"key"`            // names the sentence, to word it elsewhere
	Path     string         `json:"path,omitempty"` // tags from the document down: "1059[3].1043"; empty is the document
	Offset   int            `json:"offset"`         // in the document's bytes, from 0
	Args     map[string]any `json:"args,omitempty"` // what stands in the sentence; never the buyer's data
	Why      string         `json:"why"`            // in English
	Incident bool           `json:"incident,omitempty"`
}

// Verdict is what the judgement found.
type Verdict struct {
	Worst    Severity
	Findings []Finding // at most MaxFindings, the first ones
	More     int       // findings left out
}

// MaxFindings bounds a verdict: a document of noise would otherwise make a
// finding for every requisite.
const MaxFindings = 50

// Code is what tag 1022 of the acknowledgement says: 0 accepted, 11 not
// recognized, 14 a rule is broken.
func (v *Verdict) Code() uint8 {
	switch v.Worst {
	case Unreadable:
		return 11
	case Refuse:
		return 14
	}
	return 0
}

// found notes a broken rule at a node; −1 is the document itself. The key and
// value pairs stand in the sentence.
func (c *checker) found(r rule, at int, kv ...any) {
	path, off := "", 0
	if at >= 0 {
		n := &c.d.nodes[at]
		off = int(n.off) - headLen
		if c.room(r) {
			path = c.d.path(at)
		}
	}
	c.note(r, path, off, kv)
}

// lacks notes that a tag is missing in a node; −1 is the document itself.
func (c *checker) lacks(r rule, in int, t Tag) {
	path, off := fmt.Sprint(t), len(c.d.raw)
	if in >= 0 {
		n := &c.d.nodes[in]
		off = int(n.off) + int(n.size)
		if c.room(r) {
			path = c.d.path(in) + "." + path
		}
	}
	c.note(r, path, off, []any{"tag", int(t)})
}

// room reports whether a finding of the rule would be kept.
func (c *checker) room(r rule) bool {
	return len(c.out.Findings) < MaxFindings && c.in.Severities.of(r)[c.d.Version] != Off
}

func (c *checker) note(r rule, path string, off int, kv []any) {
	s := c.in.Severities.of(r)[c.d.Version]
	if s == Off {
		return
	}
	c.out.Worst = max(c.out.Worst, s)
	if len(c.out.Findings) == MaxFindings {
		c.out.More++
		return
	}
	row := &ruleTable[r]
	f := Finding{Rule: row.ID, Severity: s, Key: row.Key, Path: path, Offset: off, Why: row.EN, Incident: row.Incident}
	for i := 0; i+1 < len(kv); i += 2 {
		if f.Args == nil {
			f.Args = make(map[string]any, len(kv)/2)
		}
		f.Args[kv[i].(string)] = kv[i+1]
		f.Why += fmt.Sprintf("; %s %v", kv[i], kv[i+1])
	}
	c.out.Findings = append(c.out.Findings, f)
}
