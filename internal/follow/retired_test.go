package follow

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"openofd/internal/journal"
)

// A cursor that stands before what was retired, inside of it or at its end goes
// on behind it, in one step and with nothing noted as a failure; what it had
// followed before stays, and nothing comes twice. An entry that is missing
// anywhere else is a hole, and holds the partition up.
//
// Req: P-008, P-022
func TestFollowsPastTheRetired(t *testing.T) {
	for name, tt := range map[string]struct {
		followed, retired journal.Seq // before it is retired; the last that is
		all               int         // entries that there were
	}{
		"nothing followed, half retired":  {0, 50, 100},
		"nothing followed, all retired":   {0, 100, 100},
		"inside":                          {30, 50, 100},
		"one before the end":              {49, 50, 100},
		"at the end":                      {50, 50, 100},
		"behind the end":                  {70, 50, 100},
		"inside, and the rest is retired": {30, 100, 100},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(2)
				m.add(0, int(tt.followed), 10)
				m.add(1, 10, 10)
				l := newList(m)
				_, stop := start(t, Config{Entries: 20, Holder: "a"}, m, l)
				time.Sleep(time.Minute)
				stop()
				before := l.followed(0)
				m.add(0, tt.all-int(tt.followed), 10)
				m.retire(0, tt.retired)
				start(t, Config{Entries: 20, Holder: "b"}, m, l)
				time.Sleep(time.Minute)
				m.add(0, 1, 10) // it goes on
				time.Sleep(time.Minute)

				want := slices.Clone(before)
				for seq := max(tt.followed, tt.retired) + 1; int(seq) <= tt.all+1; seq++ {
					want = append(want, seq)
				}
				if got := l.followed(0); !slices.Equal(got, want) || len(before) != int(tt.followed) {
					t.Errorf("followed %v, want %v", got, want)
				}
				if c := m.cursor(0); int(c.Seq) != tt.all+1 || c.Failure != (Failure{}) {
					t.Errorf("the cursor is %+v, want it at %d without a failure", c, tt.all+1)
				}
				if !l.gapless(1, 10) {
					t.Errorf("the other partition: followed %v", l.followed(1))
				}
				if s, err := Stands(t.Context(), m, testID); err != nil || s.Entries != 0 || len(s.Stuck()) != 0 {
					t.Errorf("Stands = %+v, %v, want nothing behind", s, err)
				}
			})
		})
	}
	t.Run("a hole beside it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory(1)
			m.add(0, 100, 10)
			m.mu.Lock()
			m.entries[0][59].Seq = 99 // where 60 should be
			m.mu.Unlock()
			m.retire(0, 50)
			l := newList(m)
			start(t, Config{Entries: 200, Holder: "a"}, m, l)
			time.Sleep(3 * time.Minute)
			if c := m.cursor(0); c.Seq != 50 || c.Failure.Seq != 60 {
				t.Errorf("the cursor is %+v, want it at 50, stuck at 60", c)
			}
		})
	})
}
