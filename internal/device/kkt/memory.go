package kkt

import (
	"fmt"
	"slices"
	"sync"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
)

// Memory keeps what must survive a power cut: a drive's State, its documents
// and its notifications that no answer has settled, each queue oldest first.
//
// An implementation is used by one Drive, one call at a time.
type Memory interface {
	// Load returns what the last Save left; a new memory is empty.
	Load() (Contents, error)
	// Save makes one step durable, all of it or nothing. After an error the
	// step may or may not be there: the drive stops and the memory is to be
	// opened anew.
	Save(Step) error
	// Close gives up what the memory holds open.
	Close() error
}

// Contents is all that a memory holds.
type Contents struct {
	State         State
	Documents     []Job
	Notifications []Job
}

// Step is one change of a memory: jobs leave the front of the queues, Push
// enters at the end of the one that is its own, and State becomes the state.
type Step struct {
	State             State
	DropDocuments     int   `json:",omitempty"`
	DropNotifications int   `json:",omitempty"`
	Push              []Job `json:",omitempty"`
}

// State is everything that a drive remembers but its queues. It is small and
// saved whole.
type State struct {
	Drive     wire.DriveNumber // zero in a new memory
	Phase     Phase
	Encrypted bool            // messages are encrypted, since the registration
	Documents uint32          // number of the last document
	Time      fiscal.WallTime // of the last document
	Shift     Shift
	Acks      uint32    // documents that were answered
	LastAck   *Taken    `json:",omitempty"`
	Counters  *Counters `json:",omitempty"` // never changed, but replaced; nil is nothing

	Requests      uint32 // number of the last request about a marking code
	Notifications uint32 // number of the last notification
	Marks         bool   `json:",omitempty"` // registered for marked goods
	Codes         []Code `json:",omitempty"` // checked and not sold yet; replaced, never changed
	BadCodes      uint8  `json:",omitempty"` // tag 2112 of the next closing report
	BadRequests   uint8  `json:",omitempty"` // tag 2113 of it
}

// Shift is the drive's shift, the last one where none is open.
type Shift struct {
	Open      bool
	Number    uint32
	Opened    fiscal.WallTime
	Receipts  uint32    // in the shift
	Documents uint32    // of every kind, its opening included
	Counters  *Counters `json:",omitempty"` // as the drive's
}

// Taken is an answer that the drive has taken.
type Taken struct {
	Number   uint32
	Time     fiscal.WallTime      // as the operator says
	Response wire.Response        // in FFD 1.0 and 1.05
	Message  wire.OperatorMessage // in 1.1 and 1.2
	Sign     []byte               // the operator's
}

// Job is a document that waits for its answer.
type Job struct {
	Code   wire.DocCode
	Number uint32
	Made   fiscal.WallTime
	Sign   uint32 `json:",omitempty"` // as it was printed
	Frame  []byte // the container, sent as it is until it is answered
}

// marked reports whether the job goes by the marking channel.
func (j *Job) marked() bool { return j.Code == wire.CodeNotification }

// apply is the meaning of a step, for every Memory alike.
func (c *Contents) apply(s Step) error {
	if s.DropDocuments < 0 || s.DropDocuments > len(c.Documents) || s.DropNotifications < 0 || s.DropNotifications > len(c.Notifications) {
		return &fiscal.Error{Of: fiscal.Corrupt, Field: "queue", Msg: fmt.Sprintf("%d of %d documents and %d of %d notifications dropped",
			s.DropDocuments, len(c.Documents), s.DropNotifications, len(c.Notifications))}
	}
	c.Documents = c.Documents[s.DropDocuments:]
	c.Notifications = c.Notifications[s.DropNotifications:]
	for _, j := range s.Push {
		if j.marked() {
			c.Notifications = append(c.Notifications, j)
		} else {
			c.Documents = append(c.Documents, j)
		}
	}
	c.State = s.State
	return nil
}

// clone shares no queue with c. Frames are never changed.
func (c Contents) clone() Contents {
	c.Documents, c.Notifications = slices.Clone(c.Documents), slices.Clone(c.Notifications)
	return c
}

// whole is the step that makes an empty memory hold c.
func (c *Contents) whole() Step {
	return Step{State: c.State, Push: slices.Concat(c.Documents, c.Notifications)}
}

// Volatile is a Memory that forgets, for load generators and trials. The zero
// value is empty and ready.
type Volatile struct {
	mu       sync.Mutex
	contents Contents
}

var _ Memory = (*Volatile)(nil)

// Load implements Memory.
func (m *Volatile) Load() (Contents, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.contents.clone(), nil
}

// Save implements Memory.
func (m *Volatile) Save(s Step) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.contents.apply(s)
}

// Close implements Memory; what was saved stays as long as m does.
func (m *Volatile) Close() error { return nil }
