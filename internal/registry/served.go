package registry

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"openofd/internal/fiscal"
)

// Bookmark is how far something was read, and how far it is now.
type Bookmark struct {
	Name     string
	From, To string
	At       time.Time
}

// ContractFeed is what the keeper of cards asks of an engine.
type ContractFeed interface {
	// ContractsAfter are contracts of whoever in the order of their IDs, without
	// their bytes, from after (exclusive).
	ContractsAfter(ctx context.Context, after ContractID, limit int) ([]Contract, error)
	// BookmarkOf is the place of a name; "" if it was never moved.
	BookmarkOf(ctx context.Context, name string) (string, error)
	// MoveBookmark moves it; StateMoved if it is not where the move begins.
	MoveBookmark(ctx context.Context, m Bookmark) error
}

// serviceOf is what papers, the newest first, make of a register's service.
func serviceOf(papers []Contract) (s fiscal.Service) {
	if len(papers) == 0 {
		return s
	}
	s.Contract = int64(papers[0].ID)
	if papers[0].Kind == ContractEnded {
		s.Ended = papers[0].At
	}
	return s
}

// contractsBookmark says which papers have reached the cards.
const contractsBookmark = "contracts to cards"

// KeepServed writes what new papers say on the cards of their registers, which
// is where judgement looks, and tells how many papers it read. It goes on where
// it, or another node, left off; a card that has it already is left alone. What
// could not be changed of one register does not hold up the others: it is among
// the errors that are returned with a number.
//
// Source: requirement P-015; order 135 item 12.
func (s *Service) KeepServed(ctx context.Context, feed ContractFeed, limit int) (read int, err error) {
	place, err := feed.BookmarkOf(ctx, contractsBookmark)
	if err != nil {
		return 0, fmt.Errorf("read the bookmark of contracts: %w", err)
	}
	from, _ := strconv.ParseInt(place, 10, 64) // "" is the beginning
	papers, err := feed.ContractsAfter(ctx, ContractID(from), limit)
	if err != nil || len(papers) == 0 {
		return 0, err
	}
	var skipped error
	done := map[fiscal.TaxpayerID]bool{}
	for _, p := range papers {
		if done[p.Taxpayer] {
			continue
		}
		done[p.Taxpayer] = true
		if err := s.serve(ctx, p.Taxpayer); err != nil {
			if !errors.Is(err, errSkipped) {
				return 0, err
			}
			skipped = errors.Join(skipped, err)
		}
	}
	to := strconv.FormatInt(int64(papers[len(papers)-1].ID), 10)
	err = feed.MoveBookmark(ctx, Bookmark{Name: contractsBookmark, From: place, To: to, At: s.instant()})
	if errors.Is(err, fiscal.StateMoved) { // another node did the same
		err = nil
	}
	return len(papers), errors.Join(err, skipped)
}

// errSkipped marks registers whose card cannot be changed by anybody as it is.
var errSkipped = errors.New("left as it is")

// serve writes on the cards of a taxpayer's registers how they are served.
func (s *Service) serve(ctx context.Context, t fiscal.TaxpayerID) (skipped error) {
	papers, err := s.store.Contracts(ctx, t)
	if err != nil {
		return fmt.Errorf("contracts of taxpayer %d: %w", t, err)
	}
	service := serviceOf(papers)
	for after := fiscal.RegisterID(0); ; {
		page, err := s.store.Registers(ctx, t, after, scanPage)
		if err != nil {
			return fmt.Errorf("registers of taxpayer %d: %w", t, err)
		}
		for i := range page {
			l := &page[i]
			after = l.Card.Register
			if l.Card.Service == service || l.State.Status == fiscal.StatusDeregistered {
				continue
			}
			_, err := s.ChangeCard(ctx, after, "contract "+strconv.FormatInt(service.Contract, 10), func(c *fiscal.Card) error { c.Service = service; return nil })
			switch {
			case errors.Is(err, fiscal.Invalid), errors.Is(err, fiscal.Denied), errors.Is(err, fiscal.Conflict):
				skipped = errors.Join(skipped, fmt.Errorf("register %d %w: %w", after, errSkipped, err))
			case err != nil:
				return fmt.Errorf("say on the card of register %d how it is served: %w", after, err)
			}
		}
		if len(page) < scanPage {
			return skipped
		}
	}
}
