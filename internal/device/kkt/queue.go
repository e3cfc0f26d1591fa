package kkt

import (
	"fmt"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
)

// Queue names one of a drive's two queues.
type Queue uint8

// The queues.
const (
	QueueDocuments     Queue = iota // for the operator
	QueueNotifications              // for the marking system
)

// Oldest is the message that has to be answered next; ok is false when nothing
// waits. Its bytes are the same until it is answered.
func (d *Drive) Oldest(q Queue) (job Job, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	jobs := d.contents.queue(q)
	if len(jobs) == 0 {
		return Job{}, false
	}
	return jobs[0], true
}

func (c *Contents) queue(q Queue) []Job {
	if q == QueueNotifications {
		return c.Notifications
	}
	return c.Documents
}

// Take judges the container of an answer to the oldest message of a queue. With
// a nil error the message is settled and leaves the queue, also when the answer
// finds fault with the document: that is told once.
//
// Errors: *DriveError with a *wire.Rejection inside, and then the message
// stays; and of the memory.
// Source: KKT reference §3.6, §7.4.
func (d *Drive) Take(q Queue, answer []byte) (wire.Answered, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken != nil {
		return wire.Answered{}, d.broken
	}
	jobs := d.contents.queue(q)
	if len(jobs) == 0 {
		return wire.Answered{}, refuse(DriveNotSending, "no message waits for an answer")
	}
	a, err := d.judge(jobs[0].Frame, answer)
	if err != nil {
		return a, err
	}
	step := Step{State: d.contents.State, DropNotifications: 1}
	if q == QueueNotifications {
		step.State.receipted(a.Document)
	} else {
		step = Step{State: d.contents.State, DropDocuments: 1}
		step.State.Acks++
		step.State.LastAck = &Taken{Number: a.Ack.Number, Time: a.Ack.Time, Response: a.Ack.Response, Message: a.Ack.Message, Sign: a.Ack.Sign}
	}
	return a, d.save(step)
}

// Answer judges the container of an answer to a request about a marking code.
// The document inside it says what the marking system thinks; of a code that was
// checked the drive keeps it.
//
// Errors: *DriveError with a *wire.Rejection inside.
func (d *Drive) Answer(request, answer []byte) (wire.Answered, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken != nil {
		return wire.Answered{}, d.broken
	}
	a, err := d.judge(request, answer)
	if err != nil {
		return a, err
	}
	next := d.contents.State
	next.answered(plain(request), a.Document)
	return a, d.save(Step{State: next})
}

func (d *Drive) judge(sent, answer []byte) (wire.Answered, error) {
	h, err := wire.ParseFrameHeader(sent)
	if err != nil {
		return wire.Answered{}, &fiscal.Error{Of: fiscal.Corrupt, Field: "queue", Err: err}
	}
	a, err := wire.Judge(answer, h, d.crypto)
	if err != nil {
		return a, &DriveError{Code: DriveAnswerRejected, Why: err.Error(), Err: err}
	}
	return a, nil
}

// Standing is what a drive shows of itself.
type Standing struct {
	State
	Unsent              int             // documents that wait for an answer
	FirstUnsent         uint32          // number of the oldest; 0: none
	UnsentSince         fiscal.WallTime // when it was made
	UnsentNotifications int
	NotificationsSince  fiscal.WallTime
}

// Standing returns a copy of the present.
func (d *Drive) Standing() Standing {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := Standing{State: d.contents.State, Unsent: len(d.contents.Documents), UnsentNotifications: len(d.contents.Notifications)}
	if s.Unsent > 0 {
		s.FirstUnsent, s.UnsentSince = d.contents.Documents[0].Number, d.contents.Documents[0].Made
	}
	if s.UnsentNotifications > 0 {
		s.NotificationsSince = d.contents.Notifications[0].Made
	}
	return s
}

// String is one line for people.
func (s Standing) String() string {
	shift := "closed"
	if s.Shift.Open {
		shift = "open"
	}
	return fmt.Sprintf("drive %v, %v: %d documents, shift %d %s, %d documents and %d notifications wait", s.Drive, s.Phase, s.Documents, s.Shift.Number, shift, s.Unsent, s.UnsentNotifications)
}
