package cabinet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// Store is what the check asks of an engine.
type Store interface {
	// Find leads from a number to a register; UnknownRegister or NotFound if
	// there is none.
	Find(ctx context.Context, a fiscal.Address) (fiscal.Place, error)
	// Entry reads one entry of a register; NotFound if there is none.
	Entry(ctx context.Context, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (journal.Entry, error)
	// ByDeviceNumber reads a register's receipts with this number of the device
	// and a device time on the same day, and the notices that keep such a number,
	// oldest first, a few at most.
	ByDeviceNumber(ctx context.Context, p fiscal.Place, deviceNumber uint64, day fiscal.WallTime) ([]journal.Entry, error)
	// ByDriveNumber reads a register's documents with this number of a fiscal
	// drive, of any day and kind, oldest first, a few at most.
	ByDriveNumber(ctx context.Context, p fiscal.Place, drive string, number uint64) ([]journal.Entry, error)
	// RetiredOn tells of an entry that Entry says is Retired in which month it came,
	// and when that month left; NotFound of any other.
	RetiredOn(ctx context.Context, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (Retirement, error)
	// Card reads one version of a register's card.
	Card(ctx context.Context, r fiscal.RegisterID, version uint32) (fiscal.Card, error)
}

// Retirement is a month of documents that are kept no longer.
type Retirement struct {
	Month int32     // yyyymm, in UTC, in which they came
	On    time.Time // when it left
}

// about reports whether a receipt of a time may have come in the month: within
// what clocks, zones and autonomous work explain.
func (r *Retirement) about(t fiscal.WallTime) bool {
	begin := time.Date(int(r.Month/100), time.Month(r.Month%100), 1, 0, 0, 0, 0, time.UTC)
	at := t.UTC()
	return at.After(begin.AddDate(0, 0, -10)) && at.Before(begin.AddDate(0, 1, 2))
}

// Signs turns a fiscal sign back into the number of its entry: candidates
// for each key that made signs.
type Signs interface {
	Numbers(register fiscal.RegisterID, sign uint64) []fiscal.Number
}

// Read opens an entry with the decoder of its format.
type Read func(fiscal.Record) (fiscal.Document, error)

// CheckConfig sizes the check. The zero value is usable.
type CheckConfig struct {
	Zone     *time.Location // of the receipts' clocks; nil means UTC+5, all of Kazakhstan
	Patience time.Duration  // how long a receipt may be on its way; 0 means 72 h, the limit of autonomous work
	// RussianPatience is the same for Russia; 0 means 30 days, after which a
	// drive that could not deliver is blocked.
	RussianPatience time.Duration
}

// Checker answers one question: is this receipt real? Safe for concurrent use.
//
// Nothing can be enumerated. What a receipt says is given only to who knows its
// code, its register and its time (and its sum, if one is named at all). That a
// register or a code is unknown gives one and the same Result, which depends on
// nothing but the query and the clock. Who knows code and register, and so
// holds the paper or guessed a number of 12 digits, learns which other fields
// differ and no more; autonomous codes, which can be guessed, tell even that
// only to who also names their day.
//
// Of a receipt that was kept for its term and is kept no longer nothing is left to
// compare. Who names its sign, its register and, nearly, its month learns when it
// left; without a sign that is ours it is one that is unknown.
//
// Receipts of Russia are asked for by drive and number, which anybody can count,
// and judged by their sign, which nobody can. Who knows the sign learns which
// other fields differ. Who does not is told that the sign differs only if he
// knows all the rest: sum, minute and operation.
//
// Sources: order 135 items 5.10 and 17, KKM reference §11, KKT reference §13.
type Checker struct {
	cfg   CheckConfig
	store Store
	signs Signs
	read  Read
	now   func() time.Time
}

// NewChecker makes a Checker. It does no I/O.
func NewChecker(cfg CheckConfig, store Store, signs Signs, read Read, now func() time.Time) *Checker {
	if cfg.Zone == nil {
		cfg.Zone = time.FixedZone("UTC+5", 5*60*60)
	}
	if cfg.Patience <= 0 {
		cfg.Patience = 72 * time.Hour
	}
	if cfg.RussianPatience <= 0 {
		cfg.RussianPatience = 30 * 24 * time.Hour
	}
	return &Checker{cfg: cfg, store: store, signs: signs, read: read, now: now}
}

// Verdict is the answer in one word.
type Verdict uint8

// The verdicts.
const (
	None    Verdict = iota // no such receipt
	NotYet                 // none so far, but it may be on its way
	Differs                // the receipt is known, fields are not what it says
	Genuine                // all that was given fits
	verdictCount
)

var verdictNames = [verdictCount]string{"none", "not_yet", "differs", "genuine"}

func (v Verdict) String() string {
	if v < verdictCount {
		return verdictNames[v]
	}
	return "unknown"
}

// MarshalText gives a verdict to JSON by its name.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// Verdicts lists every verdict, for tests and locales.
func Verdicts() []Verdict { return []Verdict{None, NotYet, Differs, Genuine} }

// Result is what a check found.
type Result struct {
	Verdict   Verdict
	Query     Query
	Differs   []Param         // with Differs: which fields, in the order of QR codes
	LookAgain fiscal.WallTime // with NotYet: when the receipt must be there
	Found     *Found          // with Genuine
	// Retired, with None, says that there was a receipt of this register, number
	// and month, which was kept for its term.
	Retired *Retirement
	// Old, with None, says that the receipt named may be one whose term is over.
	Old bool
}

// shortestTerm is for how many years any law at least has receipts kept.
const shortestTerm = 5

// Check looks a receipt up. Errors: Unavailable and its like from the store,
// Corrupt when an entry cannot be opened.
func (c *Checker) Check(ctx context.Context, q Query) (Result, error) {
	if q.Country == fiscal.Russia {
		return c.checkRussian(ctx, q)
	}
	code, err := strconv.ParseUint(q.Code, 10, 64)
	if err != nil {
		return Result{}, bad(ParamCode, "%q is not a number", q.Code)
	}
	p, err := c.store.Find(ctx, fiscal.Address{Kind: fiscal.ByRegistrationNumber, Name: q.RegistrationNumber})
	if absent(err) {
		return c.nothing(q), nil
	}
	if err != nil {
		return Result{}, fmt.Errorf("find the register of a receipt: %w", err)
	}
	candidates, gone, err := c.candidates(ctx, p, code, q)
	if err != nil {
		return Result{}, err
	}
	var nearest []Param
	for i := range candidates {
		e := &candidates[i]
		differs := q.differs(&e.Record)
		if len(differs) == 0 {
			found, err := c.open(ctx, e)
			if err != nil {
				return Result{}, err
			}
			return Result{Verdict: Genuine, Query: q, Found: found}, nil
		}
		if nearest == nil || len(differs) < len(nearest) {
			nearest = differs
		}
	}
	if nearest == nil {
		r := c.nothing(q)
		if r.Verdict == None {
			r.Retired = gone
		}
		return r, nil
	}
	return Result{Verdict: Differs, Query: q, Differs: nearest}, nil
}

// candidates are the receipts of the register that bear the code: as its
// fiscal sign, or as its autonomous code on the day of the query. A device may
// use an autonomous code again on another day, so one of another day says
// nothing about this receipt, which may still be on its way. Receipts
// of a fiscal drive are not among them: their numbers count upwards, and they
// are asked for by drive and sign. gone is the month of one whose sign this is
// and which is kept no longer; a sign is made of the number, so that holds though
// nothing of the receipt is left.
func (c *Checker) candidates(ctx context.Context, p fiscal.Place, code uint64, q Query) (found []journal.Entry, gone *Retirement, err error) {
	for _, n := range c.signs.Numbers(p.Register, code) {
		e, err := c.store.Entry(ctx, p.Partition, p.Register, n)
		if errors.Is(err, fiscal.Retired) {
			left, err := c.store.RetiredOn(ctx, p.Partition, p.Register, n)
			if err != nil && !absent(err) {
				return nil, nil, fmt.Errorf("look when entry %d of register %d left: %w", n, p.Register, err)
			}
			if err == nil && left.about(q.Time) {
				gone = &left
			}
			continue
		}
		if absent(err) {
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read entry %d of register %d: %w", n, p.Register, err)
		}
		if e.Kind == fiscal.DocReceipt && e.FiscalSign == code && e.Drive == "" {
			found = append(found, e)
		}
	}
	byDevice, err := c.store.ByDeviceNumber(ctx, p, code, q.Time)
	if err != nil && !absent(err) {
		return nil, nil, fmt.Errorf("look for an autonomous code of register %d: %w", p.Register, err)
	}
	for _, e := range byDevice {
		if e.Kind == fiscal.DocNotice && e.Refers != 0 {
			// The receipt was accepted online, its answer was lost, and it was
			// printed with an autonomous code: a notice keeps the code.
			if e, err = c.store.Entry(ctx, p.Partition, p.Register, e.Refers); err != nil {
				return nil, nil, fmt.Errorf("read the receipt behind an autonomous code of register %d: %w", p.Register, err)
			}
		}
		if e.Kind == fiscal.DocReceipt && e.Drive == "" {
			found = append(found, e)
		}
	}
	return found, gone, nil
}

// differs lists what the receipt contradicts.
func (q *Query) differs(r *fiscal.Record) []Param {
	var d []Param
	if q.Sum != nil && *q.Sum != r.Total {
		d = append(d, ParamSum)
	}
	at := r.DeviceTime
	if q.Minute {
		at -= at % 60
	}
	if at != q.Time {
		d = append(d, ParamTime)
	}
	return d
}

// nothing is the answer when there is no such receipt, for whatever reason. It
// must depend on the query and the clock alone.
func (c *Checker) nothing(q Query) Result {
	west, east, patience := c.cfg.Zone, c.cfg.Zone, c.cfg.Patience
	if q.Country == fiscal.Russia {
		west, east, patience = kaliningrad, kamchatka, c.cfg.RussianPatience
	}
	// An hour ahead is what a wrong clock or a neighboring zone explains.
	now := c.now()
	if fiscal.WallIn(now, west).Sub(q.Time) < patience && fiscal.WallIn(now, east).Sub(q.Time) > -time.Hour {
		return Result{Verdict: NotYet, Query: q, LookAgain: q.Time.Add(patience)}
	}
	return Result{Verdict: None, Query: q, Old: q.Time.UTC().AddDate(shortestTerm, 0, 0).Before(now)}
}

// open reads what a buyer may see.
func (c *Checker) open(ctx context.Context, e *journal.Entry) (*Found, error) {
	doc, err := c.read(e.Record)
	if err == nil && doc.Receipt == nil {
		err = errors.New("it holds no receipt")
	}
	if err != nil {
		return nil, &fiscal.Error{Of: fiscal.Corrupt, Msg: fmt.Sprintf("open entry %d of register %d", e.Number, e.Register), Err: err}
	}
	card, err := c.store.Card(ctx, e.Register, e.CardVersion)
	if err != nil {
		return nil, fmt.Errorf("read card %d of register %d: %w", e.CardVersion, e.Register, err)
	}
	found := &Found{Document: doc, Card: card}
	if found.Russian() {
		return found, nil // what was wrong is corrected there, never canceled
	}
	found.Canceled, err = c.cancellation(ctx, e)
	return found, err
}

// lookAhead bounds how many entries are read to find a cancellation. Between
// a receipt and its cancellation stand at most reports, notices and acts.
const lookAhead = 64

// cancellation looks for the entry that takes the receipt back. Only the last
// document of a register can be canceled, so the first other document ends
// the search. Source: KKM reference §5.7.
func (c *Checker) cancellation(ctx context.Context, e *journal.Entry) (*Cancellation, error) {
	return cancellation(e, func(n fiscal.Number) (journal.Entry, error) { return c.store.Entry(ctx, e.Partition, e.Register, n) })
}

// cancellation looks among the entries behind a receipt, which read gives.
func cancellation(e *journal.Entry, read func(fiscal.Number) (journal.Entry, error)) (*Cancellation, error) {
	for n := e.Number + 1; n <= e.Number+lookAhead; n++ {
		next, err := read(n)
		if absent(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read entry %d of register %d: %w", n, e.Register, err)
		}
		if next.Kind == fiscal.DocCancel && next.Refers == e.Number {
			return &Cancellation{Time: next.DeviceTime, ReceivedAt: next.ReceivedAt}, nil
		}
		if slices.Contains([]fiscal.DocumentKind{fiscal.DocReceipt, fiscal.DocCashMove, fiscal.DocShiftClose}, next.Kind) {
			return nil, nil
		}
	}
	return nil, nil
}

// absent reports whether err says that there is no such thing.
func absent(err error) bool {
	return errors.Is(err, fiscal.NotFound) || errors.Is(err, fiscal.UnknownRegister)
}
