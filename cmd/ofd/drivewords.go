package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

const aDay = 24 * time.Hour

// shownDrive is a fiscal drive as it is shown, with what follows from the day.
type shownDrive struct {
	kkt.Drive
	SilentDays *int64           `json:"silent_days,omitempty"` // whole days for which nothing has come; of a drive in use
	Stops      *fiscal.WallTime `json:"stops,omitempty"`       // when it stops at the earliest, by the register's clock
	DaysLeft   *int64           `json:"days_left,omitempty"`   // whole days until then, negative when they are over
	Missing    bool             `json:"missing,omitempty"`     // documents have not come that should have
	// MarkingOverdue says that notifications about marked goods wait for so long
	// that none may be sold.
	MarkingOverdue bool `json:"marking_overdue,omitempty"`
}

// shownDrives are the drives of a register of Russia, at our clock's now. law is
// Russia's.
func shownDrives(card *fiscal.Card, s *fiscal.State, now time.Time, law policy.Policy) ([]shownDrive, error) {
	drives, err := kkt.ParseDrives(s.Protocol)
	if err != nil {
		return nil, err
	}
	at := fiscal.WallIn(now, card.Location())
	limit, marking := law.Offline(at), law.Marking(at)
	all := make([]shownDrive, len(drives))
	for i, d := range drives {
		all[i] = shownDrive{Drive: d, Missing: d.Missing(at), MarkingOverdue: d.Marking.Overdue(at, marking)}
		if !d.InUse() || s.Status != fiscal.StatusActive {
			continue
		}
		silent, stops := int64(d.Silent(at)/aDay), d.Stops(limit)
		left := int64(stops.Sub(at) / aDay)
		if at > stops {
			left = -1 - int64(at.Sub(stops)/aDay)
		}
		all[i].SilentDays, all[i].Stops, all[i].DaysLeft = &silent, &stops, &left
	}
	return all, nil
}

// words tells a drive in a few lines: what came of it, and what did not.
func (d *shownDrive) words(w io.Writer) {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: document %d, last heard %s", d.Number, d.Last, d.Heard)
	if !d.Current {
		b.WriteString(", replaced")
	}
	if d.Closed {
		b.WriteString(", closed")
	}
	if d.Unsent > 0 {
		fmt.Fprintf(&b, ", %d waited in it at its last report", d.Unsent)
	}
	silent, registered := "", ""
	if d.SilentDays != nil {
		silent = fmt.Sprintf("for %s; it stops on %s at the earliest", days(*d.SilentDays), *d.Stops)
		if *d.DaysLeft < 0 {
			silent = fmt.Sprintf("for %s; since %s it makes no documents, if one waits in it", days(*d.SilentDays), *d.Stops)
		}
		if *d.SilentDays == 0 {
			silent = ""
		}
	}
	if d.Known {
		registered = "with FFD " + d.Format
		if d.Software != "" {
			registered += ", software " + d.Software
		}
		if reasons := changeWords(d.Format, d.Reasons); reasons != "" {
			registered += "; last changed: " + reasons
		}
	}
	facts(w, "drive", b.String(), "  registered", registered, "  silent", silent, "  missing", d.gapWords(), "  corrections", d.correctionWords(), "  marked goods", d.markingWords())
}

func (d *shownDrive) gapWords() string {
	gaps := spanWords(d.Gaps)
	if gaps != "" && !d.Missing {
		gaps += "; may be on the way"
	}
	return gaps
}

func spanWords(gaps []kkt.Span) string {
	var b strings.Builder
	for i, g := range gaps {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d", g.First)
		if g.Last != g.First {
			fmt.Fprintf(&b, "-%d", g.Last)
		}
	}
	return b.String()
}

func (d *shownDrive) markingWords() string {
	m := d.Marking
	if m == nil {
		return ""
	}
	var all []string
	if m.Last > 0 {
		all = append(all, fmt.Sprintf("notification %d, last heard %s", m.Last, m.Heard))
	}
	if gaps := spanWords(m.Gaps); gaps != "" {
		all = append(all, "notifications missing: "+gaps)
	}
	if m.Unsent > 0 {
		all = append(all, fmt.Sprintf("%d notifications wait since %s or longer", m.Unsent, m.Since))
	}
	if d.MarkingOverdue {
		all = append(all, "no marked goods may be sold until they have come")
	}
	return strings.Join(all, "; ")
}

func (d *shownDrive) correctionWords() string {
	if d.Corrected == 0 {
		return ""
	}
	return fmt.Sprintf("%d receipts taken back and not put right", d.Corrected)
}

func days(n int64) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// changeWords are the reasons of a change of registration.
func changeWords(format string, mask uint32) string {
	var tag ffd.Tag = 1205
	bit := func(value uint32) uint32 { return value }
	if ffd.ParseVersion(format) <= ffd.V105 {
		tag, bit = 1101, func(code uint32) uint32 { return 1 << (code - 1) }
	}
	var all []string
	for _, def := range ffd.Definitions() {
		if def.Tag != tag {
			continue
		}
		for _, v := range def.Values {
			if mask&bit(v.N) != 0 {
				all = append(all, v.EN)
			}
		}
	}
	return strings.Join(all, ", ")
}
