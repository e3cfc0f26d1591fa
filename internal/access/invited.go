package access

import (
	"context"
	"fmt"
	"time"

	"openofd/internal/fiscal"
)

// How many letters with invitations go out in an hour. They go to people who
// never asked for them.
const (
	invitedEach  = 3   // to one address, from one organization
	invitedAll   = 100 // from one organization
	invitedWhile = time.Hour
	invitedPage  = 200 // records read at once
)

// mayWrite is RateLimited, with a *Wait, when an organization has sent as many
// invitations as may go out for now. They are counted in the journal of what was
// done, which outlives an invitation that is taken back. Two at the same instant
// may both be the last.
func (s *Service) mayWrite(ctx context.Context, t fiscal.TaxpayerID, email string) error {
	since := s.now().Add(-invitedWhile)
	each, all := 0, 0
	for before := uint64(0); ; {
		page, err := s.store.Audit(ctx, t, before, invitedPage)
		if err != nil {
			return fmt.Errorf("count invitations: %w", err)
		}
		for i := range page {
			r := &page[i]
			if !r.At.After(since) {
				return nil
			}
			if before = r.Seq; r.Act != ActInvited {
				continue
			}
			all++
			if r.Object == email {
				each++
			}
			if all >= invitedAll || each >= invitedEach { // until the oldest that counts is an hour old
				return &fiscal.Error{Reason: fiscal.RateLimited, Field: "email", Msg: "many invitations", Err: &Wait{r.At.Sub(since)}}
			}
		}
		if len(page) < invitedPage {
			return nil
		}
	}
}
