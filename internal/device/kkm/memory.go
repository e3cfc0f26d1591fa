package kkm

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"openofd/internal/fiscal"
)

// Memory keeps what must survive a power cut. It holds one register's State
// and its queue of documents that no answer has settled yet, oldest first.
//
// An implementation is used by one Register, one call at a time.
type Memory interface {
	// Load returns what the last Save left; a new memory is empty, with ID 0.
	Load() (State, []Job, error)
	// Save makes one step durable, all of it or nothing. After an error the
	// step may or may not be there: the register stops and the memory is to be
	// opened anew.
	Save(Step) error
	// Close gives up what the memory holds open.
	Close() error
}

// Step is one change of the memory: Drop jobs leave the front of the queue,
// Push enter at its end, and State becomes the state.
type Step struct {
	State State
	Drop  int
	Push  []Job
	// Done is what the operator's answer made of the document that is dropped, for
	// a memory that keeps a history beside the queue: of one that waited, number
	// and fiscal sign alone. Nil with a drop and no push: it was refused or
	// removed. Not part of what must survive.
	Done *Slip `json:"-"`
}

// State is everything a register remembers but its queue. It is small and
// saved whole.
type State struct {
	ID     uint32 // of the register, as on the wire; 0 in a new memory
	Token  uint32 // what the next request carries; secret
	ReqNum uint16 // of the last request that was begun
	Mode   Mode
	Notice string `json:",omitempty"` // why the register stands still, in the operator's words

	// UnderWay says under which TOKEN and REQNUM the first job of the queue was
	// sent; nil: not yet. A repetition uses the same.
	UnderWay *UnderWay `json:",omitempty"`

	Printed      uint64          // number of the last printed document, consecutive for life
	OfflineCode  uint32          // last autonomous number given, unique for life
	OfflineSince fiscal.WallTime // first document of the autonomous period; 0: on line
	Ads          []fiscal.Ad     `json:",omitempty"` // texts of the operator, to be printed

	Figures figures          // shift and counters, with the document under way
	Undo    *fiscal.Counters `json:",omitempty"` // counters before the last receipt; nil: nothing to cancel
	Before  *Before          `json:",omitempty"` // while the first answer to a document is awaited
}

// Before is what a document under way has changed, as it was: a refusal brings
// it back.
type Before struct {
	Printed uint64
	Figures figures
	Undo    *fiscal.Counters `json:",omitempty"`
}

// UnderWay are the header fields of a request that waits for its answer.
type UnderWay struct {
	Token  uint32 // secret
	ReqNum uint16
}

// Job is a document that waits for its answer.
type Job struct {
	Command int32
	Payload []byte          // protobuf, without the offline period, which is added when it is sent
	Made    fiscal.WallTime // by the register's clock
	Number  uint64          // of the printed document; 0 for a report
	Code    uint32          // autonomous number; 0 for anything but a receipt
	Offline bool            // printed without the operator, and in the figures; false while the first answer is awaited
}

// figures is the register's own fiscal state. It is stored in fiscal's form,
// which stays readable when fields are added.
type figures struct{ *fiscal.State }

// MarshalJSON gives the stored form as base64.
func (f figures) MarshalJSON() ([]byte, error) {
	return json.Marshal(f.Append(nil))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (f *figures) UnmarshalJSON(b []byte) error {
	var stored []byte
	if err := json.Unmarshal(b, &stored); err != nil {
		return err
	}
	s, err := fiscal.ParseState(stored)
	f.State = s
	return err
}

// clone is a copy that shares nothing the register changes.
func (s State) clone() State {
	if s.Figures.State != nil {
		s.Figures.State = s.Figures.Clone()
	}
	s.Ads = slices.Clone(s.Ads)
	return s // the other pointers lead to what is replaced whole, never changed
}

// apply is the meaning of a step, for every Memory alike.
func (s Step) apply(queue []Job) ([]Job, error) {
	if s.Drop < 0 || s.Drop > len(queue) {
		return queue, &fiscal.Error{Of: fiscal.Corrupt, Field: "queue", Msg: fmt.Sprintf("%d jobs dropped from a queue of %d", s.Drop, len(queue))}
	}
	return append(queue[s.Drop:], s.Push...), nil
}

// Volatile is a Memory that forgets, for load generators and trials. The zero
// value is empty and ready.
type Volatile struct {
	mu    sync.Mutex
	state State
	queue []Job
}

var _ Memory = (*Volatile)(nil)

// Load implements Memory.
func (m *Volatile) Load() (State, []Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state.clone(), slices.Clone(m.queue), nil
}

// Save implements Memory.
func (m *Volatile) Save(s Step) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	queue, err := s.apply(m.queue)
	if err != nil {
		return err
	}
	m.state, m.queue = s.State.clone(), queue
	return nil
}

// Close implements Memory; what was saved stays as long as m does.
func (m *Volatile) Close() error { return nil }
