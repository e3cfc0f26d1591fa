package registry

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"openofd/internal/fiscal"
)

// Token issues a new token: the old one is void at once, whatever is under way.
// It is allowed with an open shift. Source: KKM reference §3.4.
func (s *Service) Token(ctx context.Context, r fiscal.RegisterID, by string) (uint32, error) {
	place, err := s.place(ctx, r)
	if err != nil {
		return 0, err
	}
	return s.token(ctx, place, by)
}

func (s *Service) token(ctx context.Context, place fiscal.Place, by string) (uint32, error) {
	a, err := s.acts.Do(ctx, place, fiscal.Act{Kind: fiscal.ActToken, By: by})
	if err != nil {
		return 0, err
	}
	token, err := strconv.ParseUint(string(a.Frame), 10, 32)
	if err != nil || token == 0 {
		return 0, &fiscal.Error{Of: fiscal.Internal, Field: "token", Msg: "the act gave no token"}
	}
	return uint32(token), nil
}

// maxBlockText is the longest reason of a block, in characters; devices print
// it.
const maxBlockText = 500

// Block stops a register; its device shows and prints the text. A block with a
// new text replaces an older one. Source: KKM reference §6.4.
func (s *Service) Block(ctx context.Context, r fiscal.RegisterID, by, text string) error {
	if err := checkLine("text", text, maxBlockText, true); err != nil {
		return err
	}
	return s.do(ctx, r, fiscal.Act{Kind: fiscal.ActBlock, By: by, Text: text})
}

// Unblock lets a blocked register work again.
func (s *Service) Unblock(ctx context.Context, r fiscal.RegisterID, by string) error {
	return s.do(ctx, r, fiscal.Act{Kind: fiscal.ActUnblock, By: by})
}

// Deregister takes a register off the record for good. Its data stay.
func (s *Service) Deregister(ctx context.Context, r fiscal.RegisterID, by string) error {
	return s.do(ctx, r, fiscal.Act{Kind: fiscal.ActDeregister, By: by})
}

func (s *Service) do(ctx context.Context, r fiscal.RegisterID, act fiscal.Act) error {
	place, err := s.place(ctx, r)
	if err != nil {
		return err
	}
	_, err = s.acts.Do(ctx, place, act)
	return err
}

func (s *Service) place(ctx context.Context, r fiscal.RegisterID) (fiscal.Place, error) {
	l, err := s.store.Register(ctx, r)
	if err != nil {
		return fiscal.Place{}, err
	}
	return fiscal.Place{Partition: l.Partition, Register: r}, nil
}

// triesToChange is how often a card may be changed by somebody else first.
const triesToChange = 3

// ChangeCard changes what the registry says of a register and returns its new
// card, the next version; the old versions stay, for old receipts show them.
// change gets a copy of the last card, and gets a newer one if somebody else
// was faster. Whose register it is, and which device, cannot be changed: a new
// owner is a new register.
//
// A new registration number leads to the register too, is no longer
// provisional, and voids the token (O-071): Token issues the next one. So does
// a new drive lead to it; the old one goes on leading, for it may hold documents
// that have not come.
//
// Errors: Invalid with the Field; AlreadyThere if another register has the
// registration number; StateMoved; those of Acts and of change.
func (s *Service) ChangeCard(ctx context.Context, r fiscal.RegisterID, by string, change func(*fiscal.Card) error) (fiscal.Card, error) {
	for try := 1; ; try++ {
		l, err := s.store.Register(ctx, r)
		if err != nil {
			return fiscal.Card{}, err
		}
		card, err := s.changed(&l.Card, change)
		if err != nil {
			return fiscal.Card{}, err
		}
		if reflect.DeepEqual(card, l.Card) {
			return card, nil
		}
		card.Version, card.Since = l.Card.Version+1, s.instant()
		if card.RegistrationNumber != l.Card.RegistrationNumber {
			card.Provisional = false
			if err := countries[card.Country].register(&card); err != nil {
				return fiscal.Card{}, err
			}
		}
		// New numbers lead here before the card bears them: a device that has them
		// already is found either way.
		for _, a := range addresses(&card) {
			if slices.Contains(addresses(&l.Card), a) {
				continue
			}
			if err := s.store.AddAddress(ctx, a, r); err != nil {
				return fiscal.Card{}, fmt.Errorf("lead number %s to register %d: %w", a.Name, r, err)
			}
		}
		_, err = s.acts.Do(ctx, fiscal.Place{Partition: l.Partition, Register: r}, fiscal.Act{Kind: fiscal.ActCard, By: by, Card: &card})
		if (errors.Is(err, fiscal.StateMoved) || errors.Is(err, fiscal.Conflict)) && try < triesToChange {
			continue
		}
		if err != nil {
			return fiscal.Card{}, err
		}
		return card, nil
	}
}

// changed applies a change to a copy and checks what came of it.
func (s *Service) changed(old *fiscal.Card, change func(*fiscal.Card) error) (fiscal.Card, error) {
	card := *old
	card.Ads = slices.Clone(old.Ads)
	if err := change(&card); err != nil {
		return card, err
	}
	for _, f := range []struct {
		name  string
		fixed bool
	}{
		{"register", card.Register == old.Register},
		{"version", card.Version == old.Version},
		{"country", card.Country == old.Country},
		{"taxpayer", card.Taxpayer == old.Taxpayer && card.XIN == old.XIN},
		{"model", card.Model == old.Model || old.Model == ""},
		{"serial_number", card.SerialNumber == old.SerialNumber || old.SerialNumber == ""},
		{"registered_at", card.RegisteredAt.Equal(old.RegisteredAt)},
	} {
		if !f.fixed {
			return card, bad(f.name, "cannot be changed: register anew")
		}
	}
	return card, checkCard(&card, s.now())
}

// Show is one register; NotFound if there is none.
func (s *Service) Show(ctx context.Context, r fiscal.RegisterID) (Listed, error) {
	return s.store.Register(ctx, r)
}

// Registers lists registers from after (exclusive) by ID, limit at most; of one
// taxpayer, or of all if t is 0.
func (s *Service) Registers(ctx context.Context, t fiscal.TaxpayerID, after fiscal.RegisterID, limit int) ([]Listed, error) {
	return s.store.Registers(ctx, t, after, limit)
}

// Taxpayer is the one with this number; NotFound if there is none.
func (s *Service) Taxpayer(ctx context.Context, c fiscal.Country, x fiscal.XIN) (Taxpayer, error) {
	return s.store.TaxpayerByXIN(ctx, c, x)
}

// Taxpayers lists taxpayers from after (exclusive) by ID, limit at most.
func (s *Service) Taxpayers(ctx context.Context, after fiscal.TaxpayerID, limit int) ([]Taxpayer, error) {
	return s.store.Taxpayers(ctx, after, limit)
}

// PutCatalog publishes a catalog as the next version and sets c.Version.
func (s *Service) PutCatalog(ctx context.Context, c *fiscal.Catalog) error {
	return s.store.PutCatalog(ctx, c)
}
