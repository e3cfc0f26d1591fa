package gate

import (
	"sync"
	"testing"
	"time"
)

// TestSeldom shows that a flood becomes a line a second, that nothing is left
// uncounted, and that a clock set back does not silence the log.
func TestSeldom(t *testing.T) {
	var s seldom
	start := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		after time.Duration
		left  int64
		ok    bool
	}{
		{0, 0, true}, {1, 0, false}, {999 * time.Millisecond, 0, false}, {time.Second, 2, true},
		{1500 * time.Millisecond, 0, false}, {-time.Hour, 1, true}, {-time.Hour + time.Second, 0, true},
	} {
		if left, ok := s.turn(start.Add(tt.after)); left != tt.left || ok != tt.ok {
			t.Errorf("turn(%v) = %d, %t, want %d, %t", tt.after, left, ok, tt.left, tt.ok)
		}
	}

	var flood seldom
	var all sync.WaitGroup
	var mu sync.Mutex
	lines, told := 0, int64(0) // what the one line tells may be more than 0: it counts after it has won
	for range 8 {
		all.Go(func() {
			for range 1000 {
				if left, ok := flood.turn(start); ok {
					mu.Lock()
					lines++
					told += left
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	if left, ok := flood.turn(start.Add(time.Second)); lines != 1 || told+left != 7999 || !ok {
		t.Errorf("%d lines at once, %d left out by them and %d by the next, %t; want 1, 7999 in all, true", lines, told, left, ok)
	}
}
