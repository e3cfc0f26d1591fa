package access

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"openofd/internal/fiscal"
)

// InspectionID numbers inspections, from 1.
type InspectionID int64

// Inspection is the ground of an inspector's looks: a paper with a number and a
// date, a reason, and whom it concerns. It stays what it was when it was opened.
type Inspection struct {
	ID        InspectionID `json:"-"`
	User      UserID       `json:"-"`
	Who       string       `json:"who"`  // address of the inspector
	Name      string       `json:"name"` // of the inspector
	Authority string       `json:"authority"`
	Number    string       `json:"number"`
	Date      string       `json:"date"` // of the paper, as in 2006-01-02
	Reason    string       `json:"reason"`
	// Taxpayer is whom it concerns, with the register that was named if one was;
	// 0 is monitoring: everybody.
	Taxpayer fiscal.TaxpayerID `json:"taxpayer,omitempty"`
	Register fiscal.RegisterID `json:"register,omitempty"`
	Subject  string            `json:"subject,omitempty"` // title and number of the taxpayer then
	Opened   time.Time         `json:"-"`
	Closed   time.Time         `json:"-"` // zero: it is open
	Looks    uint64            `json:"-"` // taken on it
}

// Ground is the paper in one line, as it is recorded with each look.
func (i *Inspection) Ground() string {
	return fmt.Sprintf("№ %s, %s · %s · %s", i.Number, i.Date, i.Reason, i.Authority)
}

// Covers reports whether a taxpayer's data are looked at on this ground.
func (i *Inspection) Covers(t fiscal.TaxpayerID) bool { return i.Taxpayer == 0 || i.Taxpayer == t }

// Look is one thing that an inspector saw. It never changes.
type Look struct {
	Inspection InspectionID
	N          uint64 // from 1, gapless
	At         time.Time
	Taxpayer   fiscal.TaxpayerID // 0: a search, before anybody was found
	Act        Act
	Object     string
	Address    string
}

// NewInspection is what a ground is opened with.
type NewInspection struct {
	Number, Date, Reason string
	Taxpayer             fiscal.TaxpayerID // 0: monitoring
	Register             fiscal.RegisterID
	Subject              string
}

// maxNumber bounds the number of a paper, in characters.
const maxNumber = 60

// Check brings what was typed into its form. Invalid, naming the field.
func (in *NewInspection) Check(now time.Time) (err error) {
	in.Number = strings.Join(strings.Fields(in.Number), " ")
	if in.Number == "" {
		return missing("number")
	}
	if !line(in.Number, maxNumber) {
		return bad("number", "is longer than 60 characters")
	}
	if in.Date == "" {
		return missing("date")
	}
	day, err := time.Parse(time.DateOnly, in.Date)
	if err != nil || day.After(now.Add(24*time.Hour)) || day.Before(now.AddDate(-10, 0, 0)) {
		return bad("date", "is no day of the last ten years")
	}
	in.Reason, err = ground(in.Reason)
	var e *fiscal.Error
	if errors.As(err, &e) {
		named := *e
		named.Field = "reason"
		return &named
	}
	return err
}

// OpenInspection opens a ground, on which the actor looks in this session from
// now on. It is recorded where the looks are.
//
// Errors: Denied for who is no inspector; Invalid with the Field of what is
// wrong.
func (s *Service) OpenInspection(ctx context.Context, a *Actor, in NewInspection) (i Inspection, err error) {
	if err := a.MustInspect(); err != nil {
		return i, err
	}
	if err := in.Check(s.now()); err != nil {
		return i, err
	}
	i = Inspection{User: a.User.ID, Who: a.User.Email, Name: a.User.Name, Authority: a.User.Inspector.Authority, Number: in.Number, Date: in.Date, Reason: in.Reason,
		Taxpayer: in.Taxpayer, Register: in.Register, Subject: in.Subject, Opened: s.now()}
	err = s.store.WriteAccess(ctx, func(tx Tx) error {
		if err := s.stillInspects(tx, a); err != nil {
			return err
		}
		if err := tx.AddInspection(&i); err != nil {
			return err
		}
		if err := s.on(tx, a, i.ID); err != nil {
			return err
		}
		return tx.Record(s.inspected(a, &i, i.Taxpayer, ActInspectionOpened, cmp.Or(i.Subject, "*")))
	})
	if err == nil {
		a.Inspection = &i
	}
	return i, err
}

// stillInspects is Denied if the actor was shut out since they were resumed.
func (s *Service) stillInspects(tx Tx, a *Actor) error {
	u, err := tx.User(a.User.ID)
	if err == nil && (u.Disabled || u.Inspector == nil) {
		err = errDisabled
	}
	return err
}

// on has the session look on an inspection, 0 on none.
func (s *Service) on(tx Tx, a *Actor, id InspectionID) error {
	x, err := tx.Session(a.Session)
	if errors.Is(err, fiscal.NotFound) {
		return errNoSession
	}
	if err != nil {
		return err
	}
	x.Inspection = id
	return tx.PutSession(x)
}

// ResumeInspection goes on with an inspection of the actor's own that is open.
// NotFound if there is no such one.
func (s *Service) ResumeInspection(ctx context.Context, a *Actor, id InspectionID) error {
	if err := a.MustInspect(); err != nil {
		return err
	}
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		i, err := tx.Inspection(id)
		if err == nil && (i.User != a.User.ID || !i.Closed.IsZero()) {
			err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "inspection"}
		}
		if err != nil {
			return err
		}
		return s.on(tx, a, id)
	})
}

// CloseInspection closes the ground on which the actor looks; nothing is seen on
// it any more.
func (s *Service) CloseInspection(ctx context.Context, a *Actor) error {
	if err := a.mustGround(); err != nil {
		return err
	}
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		i, err := tx.Inspection(a.Inspection.ID)
		if err != nil {
			return err
		}
		if err := s.on(tx, a, 0); err != nil || !i.Closed.IsZero() {
			return err
		}
		i.Closed = s.now()
		if err := tx.SetInspection(&i); err != nil {
			return err
		}
		return tx.Record(s.inspected(a, &i, i.Taxpayer, ActInspectionClosed, fmt.Sprint(i.Looks)))
	})
}

// mustGround is Denied unless the actor is an inspector with a ground.
func (a *Actor) mustGround() error {
	if err := a.MustInspect(); err != nil {
		return err
	}
	if a.Inspection == nil {
		return &fiscal.Error{Of: fiscal.Denied, Field: "ground"}
	}
	return nil
}

// Inspected records a look at a taxpayer's data, with 0 a search, and counts it
// on its ground. It comes before the look: without a record nothing is seen.
//
// Errors: Denied for who is no inspector, has no ground, with the Field
// "inspection" if the ground concerns somebody else.
func (s *Service) Inspected(ctx context.Context, a *Actor, t fiscal.TaxpayerID, act Act, object string) error {
	if err := a.mustGround(); err != nil {
		return err
	}
	if t != 0 && !a.Inspection.Covers(t) {
		return &fiscal.Error{Of: fiscal.Denied, Field: "inspection"}
	}
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		i, err := tx.Inspection(a.Inspection.ID)
		if err != nil {
			return err
		}
		if !i.Closed.IsZero() { // in another window
			return &fiscal.Error{Of: fiscal.Denied, Field: "ground"}
		}
		r := s.inspected(a, &i, t, act, object)
		i.Looks++
		if err := tx.SetInspection(&i); err != nil {
			return err
		}
		if err := tx.AddLook(Look{i.ID, i.Looks, r.At, t, act, object, a.Address}); err != nil {
			return err
		}
		return tx.Record(r)
	})
}

// inspected begins a record of what an inspector did: in the chain of whom it
// concerns, if they may know.
func (s *Service) inspected(a *Actor, i *Inspection, t fiscal.TaxpayerID, act Act, object string) *Record {
	r := s.of(&a.User, a.Address, act, object, i.Ground())
	switch {
	case t == 0:
	case s.cfg.HideInspections:
		r.Object = fmt.Sprintf("taxpayer %d: %s", t, object)
	default:
		r.Taxpayer = t
	}
	return r
}

// mayReview is Denied unless the actor may see inspections of a person: their
// own, or as one of the operator's staff everybody's (0).
func (a *Actor) mayReview(u UserID) error {
	if err := a.MustInspect(); err == nil && u == a.User.ID {
		return nil
	}
	return a.MustStaff()
}

// Inspections lists grounds of a person, or with 0 of everybody, from before
// (exclusive; 0: the newest) down.
func (s *Service) Inspections(ctx context.Context, a *Actor, u UserID, before InspectionID, limit int) (all []Inspection, err error) {
	if err := a.mayReview(u); err != nil {
		return nil, err
	}
	err = s.store.ReadAccess(ctx, func(tx Tx) (err error) {
		all, err = tx.Inspections(u, before, limit)
		return err
	})
	return all, err
}

// Looks lists the looks on a ground from before (exclusive; 0: the end) down,
// with the ground. NotFound for a ground that the actor may not see.
func (s *Service) Looks(ctx context.Context, a *Actor, id InspectionID, before uint64, limit int) (i Inspection, all []Look, err error) {
	if a.MustInspect() != nil && a.MustStaff() != nil {
		return i, nil, a.MustStaff()
	}
	err = s.store.ReadAccess(ctx, func(tx Tx) (err error) {
		if i, err = tx.Inspection(id); err != nil {
			return err
		}
		if a.mayReview(i.User) != nil {
			return &fiscal.Error{Reason: fiscal.NothingThere, Field: "inspection"}
		}
		all, err = tx.Looks(id, before, limit)
		return err
	})
	return i, all, err
}
