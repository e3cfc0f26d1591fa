package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"openofd/internal/fiscal"
)

// Again tries a parked document once more, and tells what became of it: it is
// settled, or parked still, perhaps for another reason.
//
// Errors: NotFound; AlreadyThere for one that was forwarded before; those of the
// way, after which nothing has changed.
func (d *Delivery) Again(ctx context.Context, id int64) (Parked, error) {
	p, err := d.store.ParkedDocument(ctx, id)
	if err != nil {
		return p, err
	}
	if p.Authority != d.authority.Name() {
		return p, &fiscal.Error{Reason: fiscal.NothingThere, Msg: fmt.Sprintf("parked document %d is %s's", id, p.Authority)}
	}
	if !p.Settled.IsZero() {
		return p, &fiscal.Error{Reason: fiscal.AlreadyThere, Msg: fmt.Sprintf("document %d was forwarded %s", id, p.Settled.Format(time.DateTime))}
	}
	e, err := d.store.Entry(ctx, p.Place.Partition, p.Place.Register, p.Number)
	if err != nil {
		return p, err
	}
	p.Tries++
	p.TriedAt = d.now().UTC().Truncate(time.Microsecond)
	doc, _, ok, err := d.word(ctx, nil, &e)
	var unfit *Unfit
	switch {
	case errors.As(err, &unfit):
		p.Reason, p.Detail = unfit.Reason, brief(unfit.Err.Error())
		return p, d.store.KeepTry(ctx, p)
	case err != nil:
		return p, err
	case !ok:
		return p, &fiscal.Error{Of: fiscal.Internal, Msg: fmt.Sprintf("entry %d of register %d is none of %s's business", p.Number, p.Place.Register, p.Authority)}
	}
	doc.Again = true
	refused, err := d.sender.Send(ctx, []Document{doc})
	if err != nil {
		return p, fmt.Errorf("send document %s to %s: %w", doc.ID, p.Authority, err)
	}
	p.Document = doc.ID
	if len(refused) > 0 {
		p.Reason, p.Detail = Refused, brief(refused[0].Why)
	} else {
		p.Settled = p.TriedAt
	}
	return p, d.store.KeepTry(ctx, p)
}
