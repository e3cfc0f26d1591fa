package bench

import "time"

// Register is one register of a load, in the words of its protocol. One
// connection at a time speaks for it, and waits for each answer.
type Register interface {
	// Append appends the next message to b. receipt is false for what a register
	// has to send before its next receipt: it is not counted. A message that got
	// no answer is sent again as it is.
	Append(b []byte, now time.Time) (message []byte, receipt bool)
	// Size is how many bytes the answer has that begins with head, 0 while too
	// few are there to tell.
	Size(head []byte) int
	// Take judges a whole answer to a message, as the register must. An error is
	// an answer that is none to this message.
	Take(message, answer []byte) (Outcome, error)

	// AppendPing appends a message that stores nothing and changes nothing, and
	// TakePing judges the answer to it.
	AppendPing(b []byte) []byte
	TakePing(message, answer []byte) error
}

// Outcome is what an answer means for the message.
type Outcome struct {
	Verdict Verdict
	Fault   string // under which it is counted as an error: "code 13"; "" is none
}

// Verdict is what comes next.
type Verdict uint8

// The verdicts.
const (
	Accepted Verdict = iota
	Refused          // the next message may be accepted
	Again            // the same message, a little later
	Dead             // the operator takes nothing of this register: it sends no more
)

// badAnswer is an answer that is none to the request.
type badAnswer struct{ why string }

func (e *badAnswer) Error() string { return "bad answer: " + e.why }
