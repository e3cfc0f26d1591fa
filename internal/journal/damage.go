package journal

import (
	"encoding/hex"
	"fmt"

	"openofd/internal/fiscal"
)

// Damage is the first thing that does not hold in a journal. It is Corrupt
// (BadSignature): stop, call a human.
type Damage struct {
	Partition fiscal.Partition
	Seq       Seq               // 0: not about one entry
	Register  fiscal.RegisterID // 0: not about one register
	Number    fiscal.Number     // 0: not about one entry
	What      string            // what is wrong and what was expected, in words
	Err       error             // cause, if any
}

func (d *Damage) Error() string {
	s := fmt.Sprintf("partition %d", d.Partition)
	if d.Seq != 0 {
		s += fmt.Sprintf(", entry %d", d.Seq)
	}
	if d.Register != 0 {
		s += fmt.Sprintf(", register %d", d.Register)
	}
	if d.Number != 0 {
		s += fmt.Sprintf(", number %d", d.Number)
	}
	s += ": " + d.What
	if d.Err != nil {
		s += ": " + d.Err.Error()
	}
	return s
}

// Unwrap leads errors.Is to BadSignature, Corrupt and the cause.
func (d *Damage) Unwrap() []error {
	if d.Err == nil {
		return []error{fiscal.BadSignature}
	}
	return []error{fiscal.BadSignature, d.Err}
}

// damaged words what is wrong with one entry.
func damaged(e *Entry, format string, args ...any) *Damage {
	return &Damage{Partition: e.Partition, Seq: e.Seq, Register: e.Register, Number: e.Number, What: fmt.Sprintf(format, args...)}
}

// brief is the beginning of a hash, enough to compare by eye.
func brief(h Hash) string { return hex.EncodeToString(h[:6]) + "…" }
