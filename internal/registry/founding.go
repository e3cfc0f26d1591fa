package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"openofd/internal/fiscal"
)

// Report is what a register of Russia says of itself in a registration report,
// by a fiscal drive that nobody has entered. Whoever fills it has made sure that
// the report is authentic, that it names us as the operator, and that its numbers
// check each other.
type Report struct {
	By                 string
	XIN                fiscal.XIN
	RegistrationNumber string
	SerialNumber       string
	Drive              string
	// Ended reports whether the drive in a register's state has come to its end,
	// or none was heard: only then another may take its place unasked.
	Ended func(*fiscal.State) (bool, error)
}

// Found leads an unknown drive to a register, by its first registration report:
//
//   - of a register that is known by its registration number, whose drive has
//     sent its last document, to that register. The numbers stand on every
//     receipt, so that they prove nothing, but nobody else can end a drive; one
//     that broke is replaced by ChangeCard;
//   - of a taxpayer that is written down, which is what a contract is here, to a
//     new register, provisional until the report itself completes its card;
//   - of anybody else to none: strangers cannot fill the database.
//
// Of one taxpayer it makes FoundedPerDay registers a day at most, of all together
// FoundedTogether, on this node.
//
// Errors: NotFound, with why; those of Store and of Acts.
func (s *Service) Found(ctx context.Context, in Report) (fiscal.Place, error) {
	place, err := s.store.Find(ctx, fiscal.Address{Kind: fiscal.ByRegistrationNumber, Name: in.RegistrationNumber})
	switch {
	case err == nil:
		return place, s.attach(ctx, place.Register, &in)
	case !absent(err):
		return fiscal.Place{}, err
	}
	t, err := s.store.TaxpayerByXIN(ctx, fiscal.Russia, in.XIN)
	switch {
	case absent(err):
		return fiscal.Place{}, notFounded("taxpayer %s is not written down here", in.XIN)
	case err != nil:
		return fiscal.Place{}, err
	}
	day := s.now().Unix() / 86_400
	if !s.founding.allow(t.ID, day) {
		return fiscal.Place{}, notFounded("taxpayer %s has founded enough registers for today; add them by hand", in.XIN)
	}
	made, err := s.AddRegister(ctx, NewRegister{By: in.By, Country: fiscal.Russia, XIN: in.XIN, Drive: in.Drive})
	if err != nil && made.Place.Register == 0 { // nothing was made: what fails must not use up the day
		s.founding.giveBack(t.ID, day)
	}
	if errors.Is(err, fiscal.AlreadyThere) || errors.Is(err, fiscal.StateMoved) { // the same report came twice at once
		return s.store.Find(ctx, fiscal.Address{Kind: fiscal.ByDrive, Name: in.Drive})
	}
	return made.Place, err
}

// attach leads a drive to a register whose drive was replaced.
func (s *Service) attach(ctx context.Context, r fiscal.RegisterID, in *Report) error {
	l, err := s.store.Register(ctx, r)
	if err != nil {
		return err
	}
	c := &l.Card
	switch {
	case c.Country != fiscal.Russia || c.XIN != in.XIN || c.SerialNumber != "" && c.SerialNumber != in.SerialNumber:
		return notFounded("registration number %s is that of register %d, of another owner or device", in.RegistrationNumber, r)
	case l.State.Status != fiscal.StatusActive:
		return notFounded("register %d, whose registration number it is, is %v", r, l.State.Status)
	}
	switch ended, err := in.Ended(l.State); {
	case err != nil:
		return err
	case !ended:
		return notFounded("register %d has drive %s, which has not been closed; enter the new one by hand", r, c.Drive)
	}
	err = s.store.AddAddress(ctx, fiscal.Address{Kind: fiscal.ByDrive, Name: in.Drive}, r)
	if errors.Is(err, fiscal.AlreadyThere) {
		return notFounded("drive %s is in another register", in.Drive)
	}
	return err
}

func absent(err error) bool {
	return errors.Is(err, fiscal.NotFound) || errors.Is(err, fiscal.UnknownRegister)
}

func notFounded(format string, args ...any) error {
	return &fiscal.Error{Reason: fiscal.NothingThere, Msg: fmt.Sprintf(format, args...)}
}

// Bounds of what reports may found on one node in a day. An installation that
// moves in at once is entered by hand.
const (
	FoundedPerDay   = 100 // of one taxpayer
	FoundedTogether = 5000
)

// founding counts the registers of a day. The zero value is ready.
type founding struct {
	mu       sync.Mutex
	day      int64 // since 1970
	together int
	of       map[fiscal.TaxpayerID]int
}

// allow reports whether one more may be founded, and counts it.
func (f *founding) allow(t fiscal.TaxpayerID, day int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil || day != f.day {
		f.day, f.together, f.of = day, 0, make(map[fiscal.TaxpayerID]int)
	}
	if f.of[t] >= FoundedPerDay || f.together >= FoundedTogether {
		return false
	}
	f.of[t]++
	f.together++
	return true
}

// giveBack takes back what allow counted, of a register that was not founded.
func (f *founding) giveBack(t fiscal.TaxpayerID, day int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.day == day && f.of[t] > 0 {
		f.of[t]--
		f.together--
	}
}
