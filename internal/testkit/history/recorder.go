package history

import (
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"openofd/internal/fiscal"
)

// Request is what a register sent.
type Request struct {
	Token   uint32
	ReqNum  uint16
	Command int32
	// Changing is set for the commands that are stored and move the token; the
	// others only ask.
	Changing bool
	// Key names the document among those of its register: a repetition has the
	// key of the first, another document another key.
	Key string
	// MayRefuse are the result codes that the request itself has earned: 14 for
	// a payout beyond the drawer.
	MayRefuse []uint32
}

// Answer is what came back.
type Answer struct {
	Code  uint32
	Token uint32 // in the header of the answer
	Hash  [sha256.Size]byte
	Sign  uint64 // fiscal sign of a receipt; 0 is none
}

// Act is what a person had the operator do to a register.
type Act struct {
	Kind  fiscal.ActKind
	Token uint32 // that ActToken gave
}

// event is one exchange or act.
type event struct {
	request *Request // nil for an act
	act     Act
	answer  *Answer // nil: silence
	failed  bool    // an act that was refused: nothing happened

	began, ended int // moments in the order of all events; ended 0: not known
	at           time.Time
}

// Recorder writes histories down. Safe for concurrent use.
type Recorder struct {
	now func() time.Time

	mu        sync.Mutex
	moment    int // counts what began and ended: clocks jump, this does not
	registers map[fiscal.RegisterID]*past
}

// past is one register's history.
type past struct {
	first  uint32 // token at the beginning
	events []*event
}

// New makes an empty recorder. The clock is only for accounts.
func New(now func() time.Time) *Recorder {
	return &Recorder{now: now, registers: map[fiscal.RegisterID]*past{}}
}

// Register begins a register's history with the token that it has. What it did
// before is not known: its retry slot counts as empty.
func (r *Recorder) Register(id fiscal.RegisterID, token uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.registers[id] = &past{first: token}
}

// Pending is an exchange or act under way. Without an end its outcome is not
// known.
type Pending struct {
	r *Recorder
	e *event
}

// Begin notes an exchange before its first byte leaves.
func (r *Recorder) Begin(id fiscal.RegisterID, q Request) Pending {
	q.MayRefuse = slices.Clone(q.MayRefuse)
	return r.begin(id, &event{request: &q})
}

// BeginAct notes an act before it is asked for.
func (r *Recorder) BeginAct(id fiscal.RegisterID, kind fiscal.ActKind) Pending {
	return r.begin(id, &event{act: Act{Kind: kind}})
}

func (r *Recorder) begin(id fiscal.RegisterID, e *event) Pending {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.registers[id]
	if p == nil {
		panic("history: an exchange of a register that was not named")
	}
	r.moment++
	e.began, e.at = r.moment, r.now()
	p.events = append(p.events, e)
	return Pending{r, e}
}

// End notes the answer after its last byte came.
func (p Pending) End(a Answer) { p.end(func(e *event) { e.answer = &a }) }

// Done notes that an act was done, and the token it gave if it gave one.
func (p Pending) Done(token uint32) { p.end(func(e *event) { e.act.Token = token }) }

// Failed notes that an act was refused, or certainly did not happen.
func (p Pending) Failed() { p.end(func(e *event) { e.failed = true }) }

func (p Pending) end(note func(*event)) {
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	p.r.moment++
	p.e.ended = p.r.moment
	note(p.e)
}

// Exchanges is how many exchanges were begun, and how many of them answered.
func (r *Recorder) Exchanges() (begun, answered int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.registers {
		for _, e := range p.events {
			if e.request != nil {
				begun++
				if e.answer != nil {
					answered++
				}
			}
		}
	}
	return begun, answered
}
