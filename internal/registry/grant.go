package registry

import (
	"context"
	"errors"
	"fmt"

	"openofd/internal/fiscal"
)

// Carry writes what an authority granted on the register, as an act: a new
// version of the card, or the end of the register. It may be asked again, on any
// node, and happens once: a card names the last application that changed it, and
// no other one of a register begins before.
//
// Errors: those of ChangeCard and Deregister; MissingParameter for a first
// registration that brought no number.
// Source: order 135 items 10, 11.
func (s *Service) Carry(ctx context.Context, a *Application) error {
	by := fmt.Sprintf("application %d", a.ID)
	if a.Kind == Remove {
		err := s.Deregister(ctx, a.Register, by)
		if errors.Is(err, fiscal.RegisterDeregistered) {
			return nil
		}
		return err
	}
	outlets, err := s.store.Outlets(ctx, a.Taxpayer)
	if err != nil {
		return fmt.Errorf("outlets of taxpayer %d: %w", a.Taxpayer, err)
	}
	number := a.RegistrationNumber
	if number == "" {
		number = a.Form.RegistrationNumber
	}
	if number == "" {
		return &fiscal.Error{Reason: fiscal.MissingParameter, Field: "registration_number", Msg: "the decision brings none"}
	}
	_, err = s.ChangeCard(ctx, a.Register, by, func(c *fiscal.Card) error {
		if c.Application == int64(a.ID) {
			return nil
		}
		a.Form.onto(c, outlets)
		c.RegistrationNumber, c.Application = number, int64(a.ID)
		return nil
	})
	return err
}
