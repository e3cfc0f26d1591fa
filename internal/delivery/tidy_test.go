package delivery

import (
	"context"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/follow"
)

// tidyStore is an engine whose clock is slow, and which refuses to remove a
// record before its term as that clock has it.
type tidyStore struct {
	Store
	now  time.Time
	sent []time.Time
}

func (*tidyStore) Cursors(context.Context, follow.ID) (map[fiscal.Partition]follow.Cursor, error) {
	return map[fiscal.Partition]follow.Cursor{0: {Seq: 1}}, nil
}

func (s *tidyStore) ForgetBatches(_ context.Context, _ string, _ fiscal.Partition, before time.Time, _ int) (n int, err error) {
	left := s.sent[:0:0]
	for _, at := range s.sent {
		switch {
		case !at.Before(before):
			left = append(left, at)
		case at.After(s.now.Add(-BatchTerm)):
			return 0, &fiscal.Error{Of: fiscal.Internal, Msg: "the record of a batch stays for eight days"}
		default:
			n++
		}
	}
	s.sent = left
	return n, nil
}

// TestTidyLeavesWhatClocksDoNotAgreeOn: a batch was sent each minute, and the
// database's clock is a second behind ours.
func TestTidyLeavesWhatClocksDoNotAgreeOn(t *testing.T) {
	now := dawn
	s := &tidyStore{now: now.Add(-time.Second)}
	for i := range 10 * 24 * 60 {
		s.sent = append(s.sent, now.Add(-time.Duration(i)*time.Minute-BatchTerm+24*time.Hour-500*time.Millisecond))
	}
	d := New(&word{}, nil, s, nil, func() time.Time { return now })
	n, err := d.Tidy(t.Context())
	if err != nil || n < 8*24*60 || len(s.sent) > 24*60+15 {
		t.Errorf("Tidy = %d, %v, %d are left, want all but those of the last eight days gone", n, err, len(s.sent))
	}
}
