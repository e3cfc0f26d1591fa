package till

import (
	"context"
	"fmt"
	"net/http"

	"openofd/internal/fiscal"
)

// namedAt is a register as the operator's cabinet words it.
type namedAt struct {
	Group int64 `json:"group"`
	Card  struct {
		Name          string      `json:"name"`
		OutletTitle   fiscal.Text `json:"outlet_title"`
		OutletAddress fiscal.Text `json:"outlet_address"`
		Seller        struct {
			XIN   fiscal.XIN  `json:"xin"`
			Title fiscal.Text `json:"title"`
		} `json:"seller"`
	} `json:"card"`
}

func (t *Till) namedAt(ctx context.Context, b *Bound, id fiscal.RegisterID) (n namedAt, err error) {
	o := office{t.caller, t.cfg.Check, b.Key, "ru"}
	err = o.do(ctx, request{method: http.MethodGet, path: fmt.Sprintf("/registers/%d", id), out: &n})
	return n, err
}

// word has a register's card say what paper shows in each language: registers are
// told one text for all by their protocol, and the cabinet has each. Without a
// company that is linked, or without an answer, the card stays as it is.
//
// Source: requirements E-098, T-041, T-140.
func (t *Till) word(ctx context.Context, s *Seat, card *fiscal.Card) {
	if s.Account.Bound == nil {
		return
	}
	n, err := t.namedAt(ctx, s.Account.Bound, card.Register)
	if err != nil || n.Card.Seller.XIN != card.XIN {
		t.log.Info("the cabinet does not word a register", "register", int64(card.Register), "err", err)
		return
	}
	card.Name = or(n.Card.Name, card.Name)
	for _, one := range []struct {
		to   *fiscal.Text
		from fiscal.Text
	}{{&card.Title, n.Card.Seller.Title}, {&card.OutletTitle, n.Card.OutletTitle}, {&card.OutletAddress, n.Card.OutletAddress}} {
		if one.from.KK != "" || one.from.RU != "" {
			*one.to = one.from
		}
	}
}

// tellName has the cabinet show the name that was set here. The till does not
// wait for it: who sets a name has set it.
//
// Source: requirement E-098.
func (t *Till) tellName(s *Seat, id fiscal.RegisterID, name string) {
	b := s.Account.Bound
	if b == nil {
		return
	}
	t.working.Go(func() {
		n, err := t.namedAt(t.ctx, b, id)
		if err == nil && n.Card.Name != name {
			in := struct {
				Name  string `json:"name"`
				Group int64  `json:"group"`
			}{name, n.Group}
			o := office{t.caller, t.cfg.Check, b.Key, "ru"}
			err = o.do(t.ctx, request{method: http.MethodPut, path: fmt.Sprintf("/registers/%d", id), in: in})
		}
		if err != nil && t.ctx.Err() == nil {
			t.log.Info("the cabinet does not take a register's name", "register", int64(id), "err", err)
		}
	})
}
