package history

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
)

// patience is how long one register's history may be thought about.
const patience = 20 * time.Second

// Complaint is a register whose history no operator could have made.
type Complaint struct {
	Register fiscal.RegisterID
	Why      string // in short
	Account  string // the whole history, and where it fails
	info     porcupine.LinearizationInfo
	model    porcupine.Model
}

// Check judges every register's history. A bad one fails the test with an
// account of it, and leaves porcupine's picture among the test's artifacts.
func (r *Recorder) Check(t testing.TB) {
	t.Helper()
	const told = 3 // more would say the same
	for i, c := range r.Complaints() {
		if i == told {
			t.Errorf("… and the histories of other registers are bad as well")
			return
		}
		t.Errorf("register %d: %s\n%s\npicture: %s", c.Register, c.Why, c.Account, c.picture(t))
	}
}

// picture writes what porcupine draws, and returns where.
func (c *Complaint) picture(t testing.TB) string {
	dir := t.ArtifactDir()
	if keep := flag.Lookup("test.artifacts"); keep == nil || keep.Value.String() != "true" {
		var err error // the test's own folder goes with the test
		if dir, err = os.MkdirTemp("", "history"); err != nil {
			return err.Error()
		}
	}
	path := filepath.Join(dir, fmt.Sprintf("register-%d.html", c.Register))
	f, err := os.Create(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if err := porcupine.Visualize(c.model, c.info, f); err != nil {
		return err.Error()
	}
	return path
}

// Complaints are the registers with bad histories, by number.
func (r *Recorder) Complaints() []Complaint {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Complaint
	for _, id := range slices.Sorted(maps.Keys(r.registers)) {
		if c := r.registers[id].judge(); c != nil {
			c.Register = id
			all = append(all, *c)
		}
	}
	return all
}

// judge runs porcupine over a register's history; nil is a good one.
func (p *past) judge() *Complaint {
	model, ops, twice := p.model(), p.operations(), p.twice()
	result := porcupine.CheckOperationsTimeout(model, ops, patience)
	if result == porcupine.Ok && twice == "" {
		return nil
	}
	c := &Complaint{Why: twice, model: model}
	_, c.info = porcupine.CheckOperationsVerbose(model, ops, patience)
	switch result {
	case porcupine.Ok:
		c.Account = p.account(nil)
	case porcupine.Unknown:
		c.Why, c.Account = fmt.Sprintf("not decided within %v", patience), p.account(nil)
	default:
		order := longest(c.info)
		c.Why, c.Account = p.stuck(order), p.account(order)
	}
	return c
}

// longest is the farthest that porcupine came.
func longest(info porcupine.LinearizationInfo) (events []*event) {
	for _, part := range info.PartialLinearizationsOperations() {
		for _, order := range part {
			if len(order) > len(events) {
				events = events[:0]
				for _, o := range order {
					events = append(events, o.Input.(*event))
				}
			}
		}
	}
	return events
}

func (p *past) model() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return state{token: p.first} },
		Step: func(s, input, _ any) (bool, any) {
			next, why := s.(state).step(input.(*event))
			return why == "", next
		},
		DescribeOperation: func(input, _ any) string { return input.(*event).String() },
		DescribeState:     func(s any) string { return s.(state).String() },
	}
}

// operations is the history as porcupine wants it. What was never answered
// lasts to the end of time, unless the same request was accepted later: from
// then on it can change nothing any more, whenever it happens.
func (p *past) operations() []porcupine.Operation {
	ops := make([]porcupine.Operation, len(p.events))
	for i, e := range p.events {
		ops[i] = porcupine.Operation{Input: e, Output: e.answer, Call: int64(e.began), Return: int64(p.ends(e))}
	}
	clients(ops)
	return ops
}

func (p *past) ends(e *event) int {
	if e.ended != 0 {
		return e.ended
	}
	if e.request == nil {
		return math.MaxInt
	}
	end := math.MaxInt
	for _, other := range p.events {
		if other.ended > e.began && other.ended < end && other.same(e) {
			end = other.ended
		}
	}
	return end
}

// same: an accepted exchange of the same document under the same TOKEN and
// REQNUM.
func (e *event) same(as *event) bool {
	q, o := e.request, as.request
	return q != nil && e.answer != nil && e.answer.Code == wire.CodeOK && q.Changing &&
		q.Token == o.Token && q.ReqNum == o.ReqNum && q.Command == o.Command && q.Key == o.Key
}

// clients gives operations that overlap different lines of the picture.
func clients(ops []porcupine.Operation) {
	var free []int64 // when each line is free
	for i := range ops {
		line := slices.IndexFunc(free, func(end int64) bool { return end < ops[i].Call })
		if line < 0 {
			line = len(free)
			free = append(free, 0)
		}
		ops[i].ClientId, free[line] = line, ops[i].Return
	}
}

// twice finds what no order of events shows: one document accepted as two, and
// one sign on two documents.
func (p *past) twice() string {
	documents := map[string]*Answer{}
	signs := map[uint64]string{}
	for _, e := range p.events {
		if e.request == nil || e.answer == nil || !e.request.Changing || e.answer.Code != wire.CodeOK {
			continue
		}
		key := e.request.Key
		if had := documents[key]; had != nil && had.Hash != e.answer.Hash {
			return fmt.Sprintf("document %q was accepted twice, with answers %x and %x", key, had.Hash[:4], e.answer.Hash[:4])
		}
		documents[key] = e.answer
		if sign := e.answer.Sign; sign != 0 {
			if other, ok := signs[sign]; ok && other != key {
				return fmt.Sprintf("documents %q and %q have the same sign %d", other, key, sign)
			}
			signs[sign] = key
		}
	}
	return ""
}
