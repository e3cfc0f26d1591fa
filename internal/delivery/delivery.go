package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
)

// Document is one document on its way.
type Document struct {
	ID       string // by which the authority knows it, for ever
	Place    fiscal.Place
	Number   fiscal.Number // our number of its entry in its register
	Seq      journal.Seq
	Received time.Time // by us
	Body     []byte    // as the authority reads it
	Again    bool      // sent by a person's hand, behind later ones of its register
}

// Entry is what an authority's wording sees of one of the journal.
type Entry struct {
	*fiscal.Record
	Hash [32]byte // of the entry, in the chain of its register
}

// Authority is one that documents are forwarded to, as far as their wording
// goes.
type Authority interface {
	// Name is short and stable: it names the follower, metrics and rows.
	Name() string
	// Word words an entry; ok is false for one that is none of the authority's
	// business. The body is appended to room.
	//
	// Errors: *Unfit for a document that cannot be forwarded; Unavailable when it
	// cannot be worded just now.
	Word(ctx context.Context, room []byte, e Entry) (id string, body []byte, ok bool, err error)
}

// Sender is the way to the authority.
type Sender interface {
	// Send hands over documents in their order. Once it returns nil each of them
	// is safe at the other end, or refused. The same document may come again, in
	// other company; it takes effect once, by its ID.
	Send(ctx context.Context, docs []Document) ([]Refusal, error)
}

// Refusal is a document that the authority did not take.
type Refusal struct {
	ID  string
	Why string
}

// Reason is why a document is parked: one of a closed set.
type Reason string

// The reasons.
const (
	Unreadable Reason = "unreadable" // its body could not be read when it came
	NoKey      Reason = "no_key"     // it is encrypted, and nobody here has the key
	Damaged    Reason = "damaged"    // what is stored is not what came
	Refused    Reason = "refused"    // the authority did not take it
)

// Reasons lists them.
func Reasons() []Reason { return []Reason{Unreadable, NoKey, Damaged, Refused} }

// Unfit is a document that cannot be forwarded.
type Unfit struct {
	Reason Reason
	Err    error
}

func (u *Unfit) Error() string { return string(u.Reason) + ": " + u.Err.Error() }
func (u *Unfit) Unwrap() error { return u.Err }

// Parked is a document that waits for a person.
type Parked struct {
	ID        int64
	Authority string
	Place     fiscal.Place
	Number    fiscal.Number
	Seq       journal.Seq
	Document  string // by which the authority knows it
	Reason    Reason
	Detail    string // no contents of the document
	At        time.Time
	Tries     int       // by hand, since
	TriedAt   time.Time // zero: never
	Settled   time.Time // when it was forwarded after all; zero: it waits
}

// Batch is what was sent of a page.
type Batch struct {
	Authority string
	Documents int
	Bytes     int64
	Parked    []Parked
}

// Store is what delivery asks of an engine.
type Store interface {
	Tidier
	// Cursors are how far a delivery got, by partition.
	Cursors(ctx context.Context, id follow.ID) (map[fiscal.Partition]follow.Cursor, error)
	// Move moves the cursor over a page that has nothing for the authority.
	Move(ctx context.Context, m follow.Move) error
	// KeepBatch stores a batch, what of it was parked, and the move, in one
	// transaction; see follow.Store.
	KeepBatch(ctx context.Context, m follow.Move, b Batch) error
	// Entry reads one entry of a register; NotFound if there is none.
	Entry(ctx context.Context, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (journal.Entry, error)
	// Waiting are parked documents that wait, oldest first, behind an ID.
	Waiting(ctx context.Context, authority string, after int64, limit int) ([]Parked, error)
	// CountWaiting is how many there are.
	CountWaiting(ctx context.Context, authority string) (int64, error)
	// ParkedDocument is one of them, settled or not; NotFound.
	ParkedDocument(ctx context.Context, id int64) (Parked, error)
	// KeepTry stores what became of a parked document that was tried again: its
	// Reason, Detail, Tries, TriedAt and Settled. Conflict if it has been settled
	// meanwhile.
	KeepTry(ctx context.Context, p Parked) error
}

// Observer hears of documents, for metrics. It must not block.
type Observer interface {
	// Sent is told of a batch that the authority took, and of how long its oldest
	// document was with us.
	Sent(authority string, documents int, oldest time.Duration)
	Parked(authority string, r Reason)
}

type noObserver struct{}

func (noObserver) Sent(string, int, time.Duration) {}
func (noObserver) Parked(string, Reason)           {}

// Delivery forwards to one authority. It is a follower; safe for concurrent
// use.
type Delivery struct {
	authority Authority
	sender    Sender
	store     Store
	observer  Observer
	now       func() time.Time
}

var _ follow.Follower = (*Delivery)(nil)

// New makes a delivery. observer may be nil.
func New(a Authority, s Sender, store Store, observer Observer, now func() time.Time) *Delivery {
	if observer == nil {
		observer = noObserver{}
	}
	return &Delivery{authority: a, sender: s, store: store, observer: observer, now: now}
}

// IDOf is the follower's for an authority.
func IDOf(authority string) follow.ID { return follow.ID{Name: authority, Generation: 1, Facts: true} }

// ID implements follow.Follower.
func (d *Delivery) ID() follow.ID { return IDOf(d.authority.Name()) }

// Apply implements follow.Follower.
func (d *Delivery) Apply(ctx context.Context, m follow.Move, page []journal.Entry) error {
	var docs []Document
	var room []byte // of all bodies, one behind the other
	b := Batch{Authority: d.authority.Name()}
	for i := range page {
		e := &page[i]
		doc, end, ok, err := d.word(ctx, room, e)
		var unfit *Unfit
		switch {
		case errors.As(err, &unfit):
			b.Parked = append(b.Parked, d.park(&doc, m.At, unfit.Reason, unfit.Err.Error()))
		case err != nil:
			return &follow.EntryError{Seq: e.Seq, Err: err}
		case ok:
			docs, room = append(docs, doc), end
			b.Bytes += int64(len(doc.Body))
		}
	}
	if len(docs) == 0 && len(b.Parked) == 0 {
		return d.store.Move(ctx, m)
	}
	if len(docs) > 0 {
		refused, err := d.sender.Send(ctx, docs)
		if err != nil {
			return fmt.Errorf("send entries %d to %d of partition %d to %s: %w", m.From+1, m.To, m.Partition, b.Authority, err)
		}
		b.Parked = append(b.Parked, d.parkRefused(docs, refused, m.At)...)
		b.Documents = len(docs) - len(refused)
	}
	if err := d.store.KeepBatch(ctx, m, b); err != nil {
		return err
	}
	if b.Documents > 0 {
		d.observer.Sent(b.Authority, b.Documents, max(d.now().Sub(docs[0].Received), 0))
	}
	for _, p := range b.Parked {
		d.observer.Parked(b.Authority, p.Reason)
	}
	return nil
}

// word words one entry behind room; end is room with it.
func (d *Delivery) word(ctx context.Context, room []byte, e *journal.Entry) (doc Document, end []byte, ok bool, err error) {
	doc = Document{
		Place: fiscal.Place{Partition: e.Partition, Register: e.Register}, Number: e.Number, Seq: e.Seq, Received: e.ReceivedAt,
	}
	if e.Codec != journal.CodecPlain {
		return doc, room, false, &fiscal.Error{Of: fiscal.Internal, Field: "codec", Msg: fmt.Sprintf("the payload is stored in codec %d, which is not known here", e.Codec)}
	}
	doc.ID, end, ok, err = d.authority.Word(ctx, room, Entry{&e.Record, e.Hash})
	if err == nil && ok {
		doc.Body = end[len(room):len(end):len(end)]
	}
	return doc, end, ok, err
}

func (d *Delivery) park(doc *Document, at time.Time, why Reason, detail string) Parked {
	return Parked{
		Authority: d.authority.Name(), Place: doc.Place, Number: doc.Number, Seq: doc.Seq, Document: doc.ID, Reason: why, Detail: brief(detail), At: at,
	}
}

func (d *Delivery) parkRefused(docs []Document, refused []Refusal, at time.Time) (all []Parked) {
	why := make(map[string]string, len(refused))
	for _, r := range refused {
		why[r.ID] = r.Why
	}
	for i := range docs {
		if w, ok := why[docs[i].ID]; ok {
			all = append(all, d.park(&docs[i], at, Refused, w))
		}
	}
	return all
}

// brief keeps a detail short: it is for a person.
func brief(s string) string {
	const longest = 500
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}
