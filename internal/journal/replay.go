package journal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"openofd/internal/fiscal"
)

// Replay is the Fold that makes each register's state anew from its entries,
// by the same state machine that acceptance uses, and compares it with the
// stored one: counters, shift, status, last number and hash.
//
// One at a time; use a new one for each Verification.
type Replay struct {
	store  Store
	read   func(*fiscal.Record) (fiscal.Document, error)
	states func(context.Context, fiscal.Place) (*fiscal.State, error)
	made   map[fiscal.RegisterID]*fiscal.State
}

// NewReplay makes a fold. read opens a record by its format; states reads a
// register's stored state.
func NewReplay(store Store, read func(*fiscal.Record) (fiscal.Document, error), states func(context.Context, fiscal.Place) (*fiscal.State, error)) *Replay {
	return &Replay{store: store, read: read, states: states, made: map[fiscal.RegisterID]*fiscal.State{}}
}

// Begin forgets the states of the partition before.
func (r *Replay) Begin(fiscal.Partition) { clear(r.made) }

// Stood takes the state that entries made which are kept no longer.
func (r *Replay) Stood(p fiscal.Partition, e *End) error {
	s, err := fiscal.ParseState(e.State)
	if err != nil {
		return &Damage{Partition: p, Register: e.Register, Number: e.Number, What: "its state at the end of a retired month cannot be read", Err: err}
	}
	r.made[e.Register] = s
	return nil
}

// Entry applies one entry to its register's state.
func (r *Replay) Entry(ctx context.Context, e *Entry) error {
	s := r.made[e.Register]
	if s == nil {
		s = &fiscal.State{CardVersion: 1}
		r.made[e.Register] = s
	}
	return r.apply(ctx, s, e)
}

func (r *Replay) apply(ctx context.Context, s *fiscal.State, e *Entry) error {
	m := fiscal.Making{Time: e.DeviceTime, Received: e.ReceivedAt, Offline: e.Flags.Has(fiscal.FlagReplay), Shift: e.Shift, Own: e.Drive != ""}
	kind := e.Kind
	if e.Flags.Has(fiscal.FlagUncounted) {
		kind = fiscal.DocNone
	}
	switch kind {
	case fiscal.DocReceipt, fiscal.DocCashMove, fiscal.DocAct:
		doc, err := r.read(&e.Record)
		switch {
		case err != nil:
			d := damaged(e, "cannot be opened")
			d.Err = err
			return d
		case e.Kind == fiscal.DocReceipt && doc.Receipt != nil && doc.Receipt.Op.Settlement():
			s.AddReceipt(doc.Receipt, m)
		case e.Kind == fiscal.DocCashMove && doc.Move != nil:
			s.AddMove(doc.Move.Op, doc.Move.Sum, m)
		case e.Kind == fiscal.DocAct && doc.Act != nil:
			act(s, doc.Act)
		default:
			return damaged(e, "is a %v without one", e.Kind)
		}
	case fiscal.DocShiftOpen:
		s.AddOpening(m)
	case fiscal.DocShiftClose:
		s.CloseShift(m)
		s.LastZ = e.Number
	case fiscal.DocCancel:
		if err := r.cancel(ctx, s, e); err != nil {
			return err
		}
	}
	if e.Flags.Has(fiscal.FlagCardMade) {
		s.CardVersion = e.CardVersion + 1
	}
	s.LastNumber, s.LastHash = e.Number, e.Hash
	return nil
}

// cancel takes back the receipt that the entry refers to.
func (r *Replay) cancel(ctx context.Context, s *fiscal.State, e *Entry) error {
	original, err := r.store.Entry(ctx, e.Partition, e.Register, e.Refers)
	if err != nil && !errors.Is(err, fiscal.NotFound) {
		return fmt.Errorf("read number %d of register %d: %w", e.Refers, e.Register, err)
	}
	if err != nil || original.Kind != fiscal.DocReceipt || original.Number >= e.Number {
		return damaged(e, "takes back number %d, which is no earlier receipt", e.Refers)
	}
	doc, err := r.read(&original.Record)
	if err != nil || doc.Receipt == nil {
		d := damaged(e, "takes back number %d, which cannot be opened", e.Refers)
		d.Err = err
		return d
	}
	s.CancelReceipt(doc.Receipt, original.Flags.Has(fiscal.FlagReplay))
	return nil
}

// act applies what every country's acts have in common.
func act(s *fiscal.State, a *fiscal.Act) {
	switch a.Kind {
	case fiscal.ActBlock:
		s.Status = fiscal.StatusBlocked
	case fiscal.ActUnblock:
		s.Status = fiscal.StatusActive
	case fiscal.ActDeregister:
		s.Status = fiscal.StatusDeregistered
	case fiscal.ActCard:
		if a.Card != nil {
			s.CardVersion = a.Card.Version
		}
	}
}

// End compares every register of the partition with its stored state.
func (r *Replay) End(ctx context.Context, p fiscal.Partition) error {
	defer clear(r.made)
	for _, id := range slices.Sorted(maps.Keys(r.made)) {
		if err := r.compare(ctx, fiscal.Place{Partition: p, Register: id}, r.made[id]); err != nil {
			return err
		}
	}
	return nil
}

func (r *Replay) compare(ctx context.Context, place fiscal.Place, made *fiscal.State) error {
	at := &Damage{Partition: place.Partition, Register: place.Register}
	stored, err := r.states(ctx, place)
	switch {
	case errors.Is(err, fiscal.NotFound):
		at.What = "has entries and no state"
		return at
	case errors.Is(err, fiscal.Corrupt):
		at.What, at.Err = "its state cannot be read", err
		return at
	case err != nil:
		return fmt.Errorf("read the state of register %d: %w", place.Register, err)
	}
	// A server may have gone on since the entries were read.
	for made.LastNumber < stored.LastNumber {
		e, err := r.store.Entry(ctx, place.Partition, place.Register, made.LastNumber+1)
		if errors.Is(err, fiscal.NotFound) {
			at.Number = made.LastNumber + 1
			at.What = fmt.Sprintf("entry is missing: the state's last number is %d", stored.LastNumber)
			return at
		}
		if err != nil {
			return fmt.Errorf("read number %d of register %d: %w", made.LastNumber+1, place.Register, err)
		}
		if err := r.apply(ctx, made, &e); err != nil {
			return err
		}
	}
	if path, a, b, differ := difference(reflect.ValueOf(told(stored)), reflect.ValueOf(told(made)), ""); differ {
		at.What = fmt.Sprintf("the stored state's %s is %s, its entries make it %s", path, a, b)
		return at
	}
	return nil
}

// told is a state without what entries alone do not tell: its version, the
// texts of a block, the protocol's own part.
func told(s *fiscal.State) fiscal.State {
	c := *s
	c.Version, c.Block, c.Protocol = 0, fiscal.Block{}, nil
	return c
}

// difference finds the first place where two values of one type differ, and
// what stands there.
func difference(a, b reflect.Value, path string) (at, in, other string, differ bool) {
	equal := true
	switch t := a.Type(); {
	case t == reflect.TypeFor[time.Time]():
		equal = a.Interface().(time.Time).Equal(b.Interface().(time.Time))
	case t == reflect.TypeFor[Hash]():
		equal = a.Interface() == b.Interface()
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			if at, in, other, differ := difference(a.Field(i), b.Field(i), path+"."+t.Field(i).Name); differ {
				return at, in, other, true
			}
		}
	case t.Kind() == reflect.Slice && a.Len() != b.Len():
		equal = false
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Array:
		for i := range a.Len() {
			if at, in, other, differ := difference(a.Index(i), b.Index(i), fmt.Sprintf("%s[%d]", path, i)); differ {
				return at, in, other, true
			}
		}
	default: // numbers and texts
		equal = a.Interface() == b.Interface()
	}
	if equal {
		return "", "", "", false
	}
	return strings.TrimPrefix(path, "."), fmt.Sprint(a.Interface()), fmt.Sprint(b.Interface()), true
}
