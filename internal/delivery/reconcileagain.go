package delivery

import (
	"context"
	"errors"
	"fmt"

	"openofd/internal/fiscal"
)

// Bounds of what is sent again at once.
const (
	againDocuments = 256
	againBytes     = 1 << 20
)

// DayStore is what sending a day again asks beside Store.
type DayStore interface {
	DaySummaries(ctx context.Context, p fiscal.Partition, of []fiscal.DayOf) ([]fiscal.DaySummary, error)
}

// SendDay sends the documents that a register's clock dates on a day once more,
// in their order, wherever the cursor stands: the other end takes each of them
// once. It returns how many were sent and which of them the authority refused.
// What cannot be worded is left out; that is parked since it was first tried.
//
// Errors: Unavailable, after which some may have been sent.
func (d *Delivery) SendDay(ctx context.Context, at fiscal.Place, day fiscal.WallTime) (sent int, refused []Refusal, err error) {
	store, ok := d.store.(DayStore)
	if !ok {
		return 0, nil, &fiscal.Error{Of: fiscal.Internal, Msg: "the store keeps no days"}
	}
	days, err := store.DaySummaries(ctx, at.Partition, []fiscal.DayOf{{Register: at.Register, Day: day.Day()}})
	if err != nil || len(days) == 0 {
		return 0, nil, err
	}
	var docs []Document
	size := 0
	flush := func() error {
		if len(docs) == 0 {
			return nil
		}
		no, err := d.sender.Send(ctx, docs)
		if err != nil {
			return fmt.Errorf("send %d documents: %w", len(docs), err)
		}
		sent, refused = sent+len(docs), append(refused, no...)
		docs, size = docs[:0], 0
		return nil
	}
	// A cancellation belongs to the day of what it takes back, and may stand
	// behind the day's last document.
	for n := days[0].First.Number; n <= max(days[0].Last.Number, days[0].Version); n++ {
		e, err := d.store.Entry(ctx, at.Partition, at.Register, n)
		if err != nil {
			return sent, refused, err
		}
		if e.DeviceTime.Day() != day.Day() && e.Kind != fiscal.DocCancel {
			continue
		}
		doc, _, ok, err := d.word(ctx, nil, &e)
		var unfit *Unfit
		if errors.As(err, &unfit) {
			continue
		}
		if err != nil {
			return sent, refused, fmt.Errorf("word entry %d of register %d: %w", n, at.Register, err)
		}
		if !ok {
			continue
		}
		doc.Again = true
		docs, size = append(docs, doc), size+len(doc.Body)
		if len(docs) >= againDocuments || size >= againBytes {
			if err := flush(); err != nil {
				return sent, refused, err
			}
		}
	}
	return sent, refused, flush()
}
