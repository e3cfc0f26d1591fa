package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// bench is where one exchange is worked on. Benches are used again.
type bench struct {
	exchange  fiscal.Exchange
	situation fiscal.Situation
	entries   []journal.Entry
	bytes     []byte // the request, then the next state
}

// benchBytes is the most that a bench keeps for the next exchange.
const benchBytes = 64 << 10

func (b *bench) clear() {
	clear(b.entries)
	*b = bench{entries: b.entries[:0], bytes: b.bytes[:0]}
	if cap(b.bytes) > benchBytes {
		b.bytes = nil
	}
}

// rounds is how often rules may be asked about one exchange. Two do for what is
// known; the third reads the carrier of an entry that was asked for.
const rounds = 3

// judge asks the rules, and reads what they need.
func (in *Intake) judge(ctx context.Context, b *bench, place Place, r *row) (fiscal.Decision, error) {
	x, s := &b.exchange, &b.situation
	*s = fiscal.Situation{
		Card: r.card, State: r.state, Exchange: x, Now: in.now().UTC().Truncate(time.Microsecond),
		Keys: in.keys, Rand: in.rand, Operator: in.operator, Confirmed: r.confirmed,
	}
	for range rounds {
		d, err := in.rules.Judge(s)
		if err != nil {
			return d, fmt.Errorf("judge register %d: %w", place.Register, err)
		}
		if d.Needs == nil {
			return d, nil
		}
		if err := in.read(ctx, place, r, x, d.Needs, &s.Found); err != nil {
			return d, err
		}
	}
	return fiscal.Decision{}, &fiscal.Error{Of: fiscal.Internal, Msg: fmt.Sprintf("the rules had not enough after %d rounds", rounds)}
}

// read adds to found what the rules need. What is not there is left out.
func (in *Intake) read(ctx context.Context, place Place, r *row, x *fiscal.Exchange, n *fiscal.Needs, found *fiscal.Found) error {
	ctx, cancel := in.reading(ctx, x)
	defer cancel()
	found.Asked = true
	found.Rounds++
	for _, number := range n.Entries {
		e, err := in.store.Entry(ctx, place.Partition, place.Register, number)
		if errors.Is(err, fiscal.NotFound) {
			continue
		}
		if err != nil {
			return in.down("read an entry", err)
		}
		found.Entries = append(found.Entries, e.Record)
	}
	if n.DeviceNumber != 0 {
		entries, err := in.byDevice(ctx, place, n)
		if err != nil {
			return in.down("read entries by the device's number", err)
		}
		for i := range entries {
			found.ByDevice = append(found.ByDevice, entries[i].Record)
		}
	}
	if n.Sign != nil {
		entries, err := in.store.BySign(ctx, place, *n.Sign)
		if err != nil {
			return in.down("read entries by their sign", err)
		}
		for i := range entries {
			found.BySign = append(found.BySign, entries[i].Record)
		}
	}
	if n.Lead != nil {
		switch err := in.store.AddAddress(ctx, *n.Lead, place.Register); {
		case errors.Is(err, fiscal.AlreadyThere):
			found.Taken = true
		case err != nil:
			return in.down("lead a number to the register", err)
		}
	}
	if n.Cashier != "" {
		cashier, err := in.store.Cashier(ctx, r.card.Taxpayer, n.Cashier)
		if err != nil {
			return in.down("read a cashier", err)
		}
		found.Cashier = cashier
	}
	if n.Catalog != nil {
		catalog, err := in.store.Catalog(ctx, *n.Catalog)
		if err != nil {
			return in.down("read the catalog", err)
		}
		found.Catalog = catalog
	}
	return nil
}

func (in *Intake) byDevice(ctx context.Context, place Place, n *fiscal.Needs) ([]journal.Entry, error) {
	if n.Drive != "" {
		return in.store.ByDriveNumber(ctx, place, n.Drive, n.DeviceNumber)
	}
	return in.store.ByDeviceNumber(ctx, place, n.DeviceNumber, n.DeviceDay)
}

// commit makes a decision durable and moves the cache on.
func (in *Intake) commit(ctx context.Context, b *bench, place Place, r *row, d *fiscal.Decision) error {
	c, err := in.draft(b, place, r, d)
	if err != nil {
		return err
	}
	err = in.committer.Commit(ctx, c)
	switch {
	case err == nil:
		// Whether the peer gets the answer, and the token in it, is not known.
		next := row{card: r.card, state: d.Next}
		if d.Card != nil {
			next.card = d.Card
		}
		in.rows.put(place.Register, next, next.bytes())
	case errors.Is(err, fiscal.Overloaded), errors.Is(err, fiscal.StoreDown):
		// Nothing was stored: what is cached holds.
	default:
		in.rows.drop(place.Register)
	}
	return err
}

// draft makes the commit of a decision: records numbered and linked behind the
// register's last one, the next state pointing to the end of them. The last
// record carries the bytes; it and the commit use b's memory.
func (in *Intake) draft(b *bench, place Place, r *row, d *fiscal.Decision) (journal.Commit, error) {
	x, now, next := &b.exchange, r.state, d.Next
	if len(d.Records) == 0 {
		return journal.Commit{}, &fiscal.Error{Of: fiscal.Internal, Msg: "the rules changed a state without a record"}
	}
	if d.Card != nil {
		if d.Card.Register != place.Register || d.Card.Version != r.card.Version+1 {
			return journal.Commit{}, &fiscal.Error{Of: fiscal.Conflict, Field: "card", Msg: fmt.Sprintf("card %d after card %d", d.Card.Version, r.card.Version)}
		}
		next.CardVersion = d.Card.Version
	}
	last := now.LastNumber + fiscal.Number(len(d.Records))
	entries, hash := b.entries[:0], now.LastHash
	for i := range d.Records {
		entries = append(entries, journal.Entry{Record: d.Records[i], Partition: place.Partition})
		e := &entries[i]
		e.Register, e.Taxpayer, e.CardVersion = place.Register, r.card.Taxpayer, r.card.Version
		e.Number, e.ReceivedAt = now.LastNumber+fiscal.Number(i)+1, x.Received
		if x.Request != nil {
			e.Request, e.Answer, e.Carrier = nil, nil, last
		}
	}
	b.entries = entries

	// The request lies in the door's buffer and the commit may outlive this
	// exchange, so it is copied.
	next.LastNumber, next.Version = last, now.Version+1
	carrier := &entries[len(entries)-1]
	if x.Request != nil {
		carrier.Answer, carrier.Carrier = d.Answer, 0
		b.bytes = append(b.bytes[:0], x.Request...)
		carrier.Request = b.bytes
	}
	for i := range entries {
		if _, err := io.ReadFull(in.rand, entries[i].Salt[:]); err != nil {
			return journal.Commit{}, fmt.Errorf("randomness for a salt: %w", err)
		}
		entries[i].Link(hash)
		hash = entries[i].Hash
	}
	next.LastHash = hash
	start := len(b.bytes)
	b.bytes = next.Append(b.bytes)
	if x.Request != nil {
		carrier.Request = b.bytes[:start:start] // the state may have moved them
	}
	return journal.Commit{
		Partition: place.Partition, Register: place.Register, Judged: now.Version,
		State: b.bytes[start:], Card: d.Card, Entries: entries, Deadline: x.Received.Add(in.cfg.Deadline),
	}, nil
}
