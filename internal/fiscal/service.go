package fiscal

import "time"

// ServiceRule is an operator's choice about registers without a contract.
//
// Source: requirement P-015; order 135 item 12.
type ServiceRule struct {
	Required bool // a register of which no contract was ever recorded is not served either
	Refuse   bool // what is made after the end is refused; if not, it is accepted with FlagNoService
	Text     Text // what the register shows
}

// EndOf is when the service of a register ends: so long after its contract did,
// or after it was registered without one where that is asked for. Zero: it goes
// on.
func (r *ServiceRule) EndOf(c *Card, grace time.Duration) time.Time {
	switch s := &c.Service; {
	case !s.Ended.IsZero():
		return s.Ended.Add(grace)
	case s.Contract == 0 && r.Required:
		return c.RegisteredAt.Add(grace)
	}
	return time.Time{}
}

// Over reports whether a document stands outside of the service. One that was
// made in time, by the register's clock, is taken for as long as autonomous work
// may last: the buyer has it.
func (r *ServiceRule) Over(c *Card, grace, offline time.Duration, now time.Time, made WallTime) bool {
	if c.Service == (Service{}) && !r.Required { // nearly all
		return false
	}
	end := r.EndOf(c, grace)
	if end.IsZero() || now.Before(end) {
		return false
	}
	return made >= WallIn(end, c.Location()) || !now.Before(end.Add(offline))
}
