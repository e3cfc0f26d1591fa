package history

import (
	"fmt"
	"slices"
	"strings"
)

// shown is how many events are told on either side of the place where a history
// fails; the picture has all.
const shown = 12

// account tells a history, and how far it could have come about.
func (p *past) account(order []*event) string {
	var b strings.Builder
	s := state{token: p.first}
	fmt.Fprintf(&b, "  begins with token %08x\n", p.first)
	if order == nil {
		for _, e := range tail(p.events) {
			fmt.Fprintf(&b, "  %v\n", e)
		}
		return b.String()
	}
	lines := make([]string, 0, len(order))
	for _, e := range order {
		s, _ = s.step(e)
		lines = append(lines, fmt.Sprintf("  %v\n      → %v", e, s))
	}
	b.WriteString(strings.Join(tail(lines), "\n"))
	b.WriteString("\n  and then none of these could be next:\n")
	left := p.left(order)
	for i, e := range left {
		if i == shown {
			fmt.Fprintf(&b, "  … and %d more\n", len(left)-shown)
			break
		}
		_, why := s.step(e)
		if why == "" {
			why = "possible, but leads nowhere"
		}
		fmt.Fprintf(&b, "  %v\n      ✗ %s\n", e, why)
	}
	return b.String()
}

// stuck says in short why the history ends where it does.
func (p *past) stuck(order []*event) string {
	s := state{token: p.first}
	for _, e := range order {
		s, _ = s.step(e)
	}
	for _, e := range p.left(order) {
		if _, why := s.step(e); why != "" {
			return why
		}
	}
	return "no order of the events is possible"
}

// left are the events that are not in an order, in the order they began.
func (p *past) left(order []*event) []*event {
	return slices.DeleteFunc(slices.Clone(p.events), func(e *event) bool { return slices.Contains(order, e) })
}

func tail[T any](all []T) []T { return all[max(0, len(all)-shown):] }

// String tells one event: when, what, and what came of it.
func (e *event) String() string {
	span := fmt.Sprintf("[%d–%d] %s", e.began, e.ended, e.at.UTC().Format("15:04:05.000"))
	if e.ended == 0 {
		span = fmt.Sprintf("[%d–] %s", e.began, e.at.UTC().Format("15:04:05.000"))
	}
	if q := e.request; q != nil {
		return fmt.Sprintf("%s command %d token %08x reqnum %d %q: %s", span, q.Command, q.Token, q.ReqNum, q.Key, e.answer)
	}
	switch {
	case e.failed:
		return fmt.Sprintf("%s act %s: refused", span, e.act.Kind)
	case e.ended == 0:
		return fmt.Sprintf("%s act %s: silence", span, e.act.Kind)
	}
	return fmt.Sprintf("%s act %s: done, token %08x", span, e.act.Kind, e.act.Token)
}

func (a *Answer) String() string {
	if a == nil {
		return "silence"
	}
	text := fmt.Sprintf("code %d token %08x answer %x", a.Code, a.Token, a.Hash[:4])
	if a.Sign != 0 {
		text += fmt.Sprintf(" sign %d", a.Sign)
	}
	return text
}
