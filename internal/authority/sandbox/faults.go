package sandbox

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"openofd/internal/fiscal"
)

// FaultKind is a way of breaking down.
type FaultKind string

// The ways.
const (
	Slow        FaultKind = "slow"        // answers after Millis
	Broken      FaultKind = "broken"      // answers 500, nothing was done
	Busy        FaultKind = "busy"        // answers 503 with Retry-After of Seconds, nothing was done
	Lost        FaultKind = "lost"        // does the work and cuts the connection before the answer
	Rubbish     FaultKind = "rubbish"     // answers 200 with something else, nothing was done
	Empty       FaultKind = "empty"       // does the work and answers 200 with nothing
	Half        FaultKind = "half"        // does the work and breaks off in the middle of the answer
	Foreign     FaultKind = "foreign"     // does the work and answers as if to something else
	Elsewhere   FaultKind = "elsewhere"   // answers 302 with another address, nothing was done
	Losing      FaultKind = "losing"      // says that the first document of a batch was taken, and loses it
	Refusing    FaultKind = "refusing"    // refuses applications that wait, whatever they say
	WrongCounts FaultKind = "wrongcounts" // answers counts that are not true
	WrongClock  FaultKind = "wrongclock"  // goes Seconds before the true time, after it when below 0
)

// FaultKinds lists them.
func FaultKinds() []FaultKind {
	return []FaultKind{Slow, Broken, Busy, Lost, Rubbish, Empty, Half, Foreign, Elsewhere, Losing, Refusing, WrongCounts, WrongClock}
}

// Place is a part of the exchange, as faults name it.
type Place string

// The parts.
const (
	Anywhere       Place = ""
	atReceipts     Place = "receipts"
	atApplications Place = "applications"
	atDecisions    Place = "decisions"
	atSummaries    Place = "summaries"
	atCounts       Place = "counts"
	atReports      Place = "reports"
	atDocuments    Place = "documents" // Russia's
	atMarking      Place = "marking"
)

// Places lists the parts, all of them first.
func Places() []Place {
	return []Place{Anywhere, atReceipts, atApplications, atDecisions, atSummaries, atCounts, atReports, atDocuments, atMarking}
}

// Fault is one that was asked for.
type Fault struct {
	ID      int64     `json:"id"`
	Kind    FaultKind `json:"kind"`
	Place   Place     `json:"place,omitempty"`   // "" everywhere
	Percent int       `json:"percent,omitempty"` // of the requests; 0 means all
	Next    int       `json:"next,omitempty"`    // so many times yet, then it is gone; 0 means until it is switched off
	Millis  int       `json:"millis,omitempty"`  // of Slow
	Seconds int       `json:"seconds,omitempty"` // of Busy and WrongClock
	Times   int64     `json:"times"`             // so often it has struck
}

// Bounds of faults.
const (
	maxFaults  = 50
	maxSlow    = 5 * 60 * 1000 // milliseconds
	maxSeconds = 400 * 24 * 60 * 60
	maxNext    = 1_000_000
)

// check reports what a fault must not say.
func (f *Fault) check() error {
	bad := func(field string) error { return &fiscal.Error{Reason: fiscal.BadValue, Field: field} }
	switch {
	case !slices.Contains(FaultKinds(), f.Kind):
		return bad("kind")
	case !slices.Contains(Places(), f.Place):
		return bad("place")
	case f.Percent < 0 || f.Percent > 100:
		return bad("percent")
	case f.Next < 0 || f.Next > maxNext:
		return bad("next")
	case f.Kind == Slow && (f.Millis <= 0 || f.Millis > maxSlow):
		return bad("millis")
	case f.Kind == WrongClock && (f.Seconds == 0 || f.Seconds < -maxSeconds || f.Seconds > maxSeconds):
		return bad("seconds")
	case f.Kind == Busy && (f.Seconds < 0 || f.Seconds > maxSeconds):
		return bad("seconds")
	}
	return nil
}

// faults are those that are on. They are forgotten when the process ends.
type faults struct {
	mu   sync.Mutex
	all  []Fault // guarded by mu, as is what follows
	last int64
}

// AddFault has the authority break down from now on.
//
// Errors: Invalid, which names the field; Overloaded when there are too many.
func (s *Server) AddFault(f Fault) (Fault, error) {
	if err := f.check(); err != nil {
		return f, err
	}
	o := &s.faults
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.all) >= maxFaults {
		return f, &fiscal.Error{Of: fiscal.Overloaded, Field: "faults"}
	}
	o.last++
	f.ID, f.Times = o.last, 0
	o.all = append(o.all, f)
	return f, nil
}

// RemoveFault switches one off, all of them by 0.
//
// Errors: NotFound.
func (s *Server) RemoveFault(id int64) error {
	o := &s.faults
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(o.all)
	o.all = slices.DeleteFunc(o.all, func(f Fault) bool { return id == 0 || f.ID == id })
	if id != 0 && len(o.all) == n {
		return notThere("fault")
	}
	return nil
}

// Faults lists those that are on.
func (s *Server) Faults() []Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return slices.Clone(s.faults.all)
}

// strike gives those of some kinds that strike now, and counts them.
func (o *faults) strike(at Place, dice func(int) int, kinds ...FaultKind) (struck []Fault) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.all {
		f := &o.all[i]
		fits := slices.Contains(kinds, f.Kind) && (f.Place == Anywhere || f.Place == at)
		if !fits || f.Percent > 0 && f.Percent < 100 && dice(100) >= f.Percent {
			continue
		}
		f.Times++
		if f.Next > 0 {
			if f.Next--; f.Next == 0 {
				f.Next = -1 // goes
			}
		}
		struck = append(struck, *f)
	}
	o.all = slices.DeleteFunc(o.all, func(f Fault) bool { return f.Next < 0 })
	return struck
}

// clock is how far the authority's clock is off.
func (o *faults) clock() (off time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, f := range o.all {
		if f.Kind == WrongClock {
			off += time.Duration(f.Seconds) * time.Second
		}
	}
	return off
}

// serve answers a request of an operator, whose number it is told.
type serve func(w http.ResponseWriter, r *http.Request, operator int64) error

// answerTo does the work for who shows to be an operator.
func (s *Server) answerTo(w http.ResponseWriter, r *http.Request, do serve) {
	name, err := s.operatorName(r)
	if err != nil {
		answerProblem(w, http.StatusForbidden, errNoCertificate.Error())
		return
	}
	operator, err := s.operator(r.Context(), name)
	if err == nil {
		err = do(w, r, operator)
	}
	if err != nil {
		s.answerError(w, r, err)
	}
}
