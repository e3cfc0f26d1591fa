package till

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"openofd/internal/fiscal"
)

// NewDraft names a draft for a page whose device cannot choose a name itself.
func (t *Till) NewDraft() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(t.cfg.Rand, b[:]); err != nil {
		return "", fmt.Errorf("randomness for a draft: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// Returnable is a receipt by its printed number, and what is left to return of
// it.
//
// Errors: Denied without the right to return it; NotFound with the Field
// "parent"; Invalid with the Field "parent" for what is a return itself.
// Source: requirements E-129, E-130.
func (t *Till) Returnable(ctx context.Context, s *Seat, id fiscal.RegisterID, number uint64) (sold Document, left fiscal.Money, err error) {
	r, err := t.Register(ctx, s, id)
	if err != nil {
		return sold, 0, err
	}
	if sold, left, err = t.returnable(ctx, &r, number); err != nil {
		return sold, 0, err
	}
	op, ok := sold.Returned()
	if !ok {
		return sold, 0, bad("parent", "is a %s", sold.Op)
	}
	return sold, left, s.must(rightFor(op))
}

// Returned is the operation that returns a document, if one does.
func (d *Document) Returned() (fiscal.Op, bool) {
	for _, op := range []fiscal.Op{fiscal.OpSaleReturn, fiscal.OpPurchaseReturn} {
		if d.Kind == KindReceipt && d.Op == (op-1).String() { // a return follows what it returns
			return op, true
		}
	}
	return fiscal.OpNone, false
}

func (t *Till) returnable(ctx context.Context, r *Register, number uint64) (sold Document, left fiscal.Money, err error) {
	sold, err = t.find(ctx, `register = ? AND number = ? AND kind = 'receipt' AND fate NOT IN ('refused', 'removed')`, int64(r.ID), int64(number))
	if errors.Is(err, fiscal.NotFound) {
		return sold, 0, &fiscal.Error{Reason: fiscal.NothingThere, Field: "parent"}
	}
	if err != nil {
		return sold, 0, err
	}
	back, err := t.givenBack(ctx, r, number)
	return sold, sold.Sum - back, err
}

func (t *Till) givenBack(ctx context.Context, r *Register, sold uint64) (fiscal.Money, error) {
	back, _, err := number(ctx, t.shelf, `SELECT coalesce(sum(json_extract(body, '$.sum_minor')), 0) FROM documents
		WHERE register = ? AND json_extract(body, '$.parent') = ? AND fate NOT IN ('refused', 'removed')`, int64(r.ID), int64(sold))
	return fiscal.Money(back), err
}
