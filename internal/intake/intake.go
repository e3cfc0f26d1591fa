package intake

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// Intake accepts exchanges. Safe for concurrent use.
type Intake struct {
	cfg       Config
	store     Store
	committer Committer
	rules     Rules
	keys      fiscal.Keys
	operator  *fiscal.Operator
	log       *slog.Logger
	observer  Observer
	now       func() time.Time
	rand      io.Reader

	lanes    *lanes
	places   *cache[fiscal.Address, Place]
	rows     *cache[fiscal.RegisterID, row]
	contacts *contacts
	refusals *refusals
	benches  sync.Pool // of *bench
}

// New makes an intake. observer may be nil; rand must be safe for concurrent
// use, as crypto/rand.Reader is.
func New(cfg Config, store Store, committer Committer, rules Rules, keys fiscal.Keys, operator *fiscal.Operator,
	log *slog.Logger, observer Observer, now func() time.Time, rand io.Reader) *Intake {
	cfg = cfg.filled()
	if observer == nil {
		observer = noObserver{}
	}
	return &Intake{
		cfg: cfg, store: store, committer: committer, rules: rules, keys: keys, operator: operator,
		log: log, observer: observer, now: now, rand: rand,
		lanes:    newLanes(cfg.Waiting),
		places:   newCache[fiscal.Address, Place](cfg.Cache / 8),
		rows:     newCache[fiscal.RegisterID, row](cfg.Cache - cfg.Cache/8),
		contacts: newContacts(),
		refusals: newRefusals(cfg.RefusedPerDay),
		benches:  sync.Pool{New: func() any { return new(bench) }},
	}
}

// Accept judges one exchange, makes its documents durable and returns the
// answer to send. A retry gets the first answer again, byte for byte. Safe for
// concurrent use; exchanges of one register are taken one at a time. x.Request
// is the caller's again when Accept returns.
//
// Errors: Overloaded (LaneFull, QueueFull, QueuedTooLong, StateMoved) and
// Unavailable (StoreDown), after which nothing is stored and the same request
// may succeed later; OutcomeUnknown (Unavailable), after which the caller says
// nothing; Internal; Corrupt. A refusal is an Answer.
//
// Source: KKM reference §3.2, §3.3.
func (in *Intake) Accept(ctx context.Context, x fiscal.Exchange) (fiscal.Answer, error) {
	b := in.sit(&x)
	d, err := in.accept(ctx, b)
	return in.rise(b, &d, err)
}

func (in *Intake) accept(ctx context.Context, b *bench) (fiscal.Decision, error) {
	x := &b.exchange
	place, err := in.find(ctx, x)
	why := ""
	if in.cfg.Found != nil && (errors.Is(err, fiscal.UnknownRegister) || errors.Is(err, fiscal.NotFound)) {
		if place, err = in.found(ctx, x); err != nil {
			why = ": " + err.Error()
		}
	}
	if errors.Is(err, fiscal.UnknownRegister) || errors.Is(err, fiscal.NotFound) {
		d := in.rules.Unknown(x)
		d.Detail += why
		in.keepRefused(ctx, Place{}, x, &d)
		return d, nil
	}
	if err != nil {
		return fiscal.Decision{}, in.down("find the register", err)
	}
	d, err := in.exchange(ctx, b, place)
	if err == nil {
		if d.Detail != "" && d.Reason == fiscal.NoReason {
			in.log.Warn("a document does not fit what came before", "register", place.Register, "entry", d.Next.LastNumber, "findings", d.Detail)
		}
		in.keepContact(place, x, &d)
		in.keepRefused(ctx, place, x, &d)
	}
	return d, err
}

// Do commits what a person does to a register, through the same lane, rules
// and journal as a document. Answer.Frame is what the act gave: a token in
// digits.
//
// Errors: those of Accept, and a refused act with the Reason of its refusal.
func (in *Intake) Do(ctx context.Context, place Place, act fiscal.Act) (fiscal.Answer, error) {
	b := in.sit(&fiscal.Exchange{Body: act})
	d, err := in.exchange(ctx, b, place)
	if err == nil && d.Reason != fiscal.NoReason {
		err = &fiscal.Error{Reason: d.Reason, Field: d.Field, Msg: d.Detail}
	}
	return in.rise(b, &d, err)
}

// sit lays an exchange on a bench. The time of its receipt becomes what will
// be stored: UTC, microseconds.
func (in *Intake) sit(x *fiscal.Exchange) *bench {
	b := in.benches.Get().(*bench)
	b.exchange = *x
	if x.Received.IsZero() {
		b.exchange.Received = in.now()
	}
	b.exchange.Received = b.exchange.Received.UTC().Truncate(time.Microsecond)
	return b
}

// rise clears the bench and words the answer.
func (in *Intake) rise(b *bench, d *fiscal.Decision, err error) (fiscal.Answer, error) {
	received := b.exchange.Received
	if !errors.Is(err, fiscal.OutcomeUnknown) { // then the journal may still read what lies on it
		b.clear()
		in.benches.Put(b)
	}
	if err != nil {
		in.observer.Failed(kindOf(err))
		return fiscal.Answer{}, err
	}
	in.observer.Judged(in.now().Sub(received), d.Reason, d.Replayed)
	return fiscal.Answer{Frame: d.Answer, Close: d.Close, Reason: d.Reason, Result: d.Result, Replayed: d.Replayed, PassOn: d.PassOn}, nil
}

func kindOf(err error) fiscal.Kind {
	if e := (*fiscal.Error)(nil); errors.As(err, &e) {
		return e.Kind()
	}
	return fiscal.Internal
}

// find leads from a number to a register. Where a register lives never
// changes, so what was found once holds; what is not there is asked for again.
func (in *Intake) find(ctx context.Context, x *fiscal.Exchange) (Place, error) {
	if place, ok := in.places.get(x.Address); ok {
		return place, nil
	}
	ctx, cancel := in.reading(ctx, x)
	defer cancel()
	place, err := in.store.Find(ctx, x.Address)
	if err == nil {
		in.places.put(x.Address, place, addressBytes+len(x.Address.Name))
	}
	return place, err
}

// found asks Config.Found, within the exchange's deadline: it reads and writes
// the store.
func (in *Intake) found(ctx context.Context, x *fiscal.Exchange) (Place, error) {
	ctx, cancel := in.reading(ctx, x)
	defer cancel()
	return in.cfg.Found(ctx, x)
}

// reading bounds a read by what is left of the exchange's deadline.
func (in *Intake) reading(ctx context.Context, x *fiscal.Exchange) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, in.left(x))
}

func (in *Intake) left(x *fiscal.Exchange) time.Duration {
	return in.cfg.Deadline - in.now().Sub(x.Received)
}

// down is the error of a store that could not be read. Damaged data keep their
// Kind: a human must be called.
func (in *Intake) down(what string, err error) error {
	if errors.Is(err, fiscal.Corrupt) {
		return &fiscal.Error{Of: fiscal.Corrupt, Msg: what, Err: err}
	}
	return &fiscal.Error{Reason: fiscal.StoreDown, Msg: what, Err: err}
}

// movedOn is how many times in a row a freshly read state may have moved on
// before the exchange is given up.
const movedOn = 3

// exchange takes the register's lane, judges and commits. A judgement stands
// only on the register's last state: an acceptance because its commit checks
// the version, anything else because the version is looked up first.
func (in *Intake) exchange(ctx context.Context, b *bench, place Place) (d fiscal.Decision, err error) {
	x := &b.exchange
	if err := in.lanes.enter(ctx, place.Register, in.left(x)); err != nil {
		return d, err
	}
	defer in.lanes.leave(place.Register)

	for moved := 0; moved < movedOn; {
		r, cached, err := in.load(ctx, place, x)
		if err != nil {
			return d, err
		}
		d, err = in.judge(ctx, b, place, &r)
		if cached && (err != nil || d.Next == nil) {
			again, err := in.outdated(ctx, place, &r, x)
			if err != nil {
				return d, err
			}
			if again {
				in.observer.JudgedAgain()
				continue
			}
		}
		if err != nil {
			return d, err
		}
		if d.Next == nil {
			if d.Replayed && !cached {
				if err := in.settle(ctx, place, x); err != nil {
					return d, err
				}
				cached = true
				in.rows.put(place.Register, r, r.bytes())
			}
			if d.Confirms && cached && !r.confirmed {
				r.confirmed = true
				in.rows.put(place.Register, r, r.bytes())
			}
			return d, nil
		}
		err = in.commit(ctx, b, place, &r, &d)
		if !errors.Is(err, journal.ErrStale) {
			return d, err
		}
		in.observer.JudgedAgain()
		if !cached {
			moved++
		}
	}
	return d, errMoved
}

var errMoved = &fiscal.Error{Reason: fiscal.StateMoved, Msg: "other nodes change the register again and again"}

// load gives the register's card and state, from the cache if they are there.
// What is read is not cached: it may not survive a failover, after which the
// same version could be another state. The cache has what was made durable by
// this node, and what was settled.
func (in *Intake) load(ctx context.Context, place Place, x *fiscal.Exchange) (r row, cached bool, err error) {
	r, cached = in.rows.get(place.Register)
	in.observer.Loaded(cached)
	if cached {
		return r, true, nil
	}
	ctx, cancel := in.reading(ctx, x)
	defer cancel()
	stored, err := in.store.Row(ctx, place)
	if err != nil {
		return r, false, in.down("read the register", err)
	}
	return row{card: stored.Card, state: stored.State}, false, nil
}

// settle makes sure that a state which was read outlives the answer which
// repeats that its last document was accepted. Not even 254 could be answered
// instead: the document may be stored.
func (in *Intake) settle(ctx context.Context, place Place, x *fiscal.Exchange) error {
	ctx, cancel := in.reading(ctx, x)
	defer cancel()
	return in.committer.Settle(ctx, place.Partition)
}

// outdated reports whether the register has moved on since the row was cached,
// and forgets it then.
func (in *Intake) outdated(ctx context.Context, place Place, r *row, x *fiscal.Exchange) (bool, error) {
	ctx, cancel := in.reading(ctx, x)
	defer cancel()
	version, err := in.store.RowVersion(ctx, place)
	if err != nil {
		return false, in.down("read the register's version", err)
	}
	if version == r.state.Version {
		return false, nil
	}
	in.rows.drop(place.Register)
	return true, nil
}
