package gate

import (
	"context"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/fiscal"
)

func TestWary(t *testing.T) {
	w := wary{from: map[netip.Prefix]guesser{}}
	a, b := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	t0 := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	var last time.Duration
	alarms := 0
	for n := 1; n <= 40; n++ {
		d, alarm := w.delay(a, t0)
		if alarm {
			alarms++
		}
		if n <= guessesFree && d != 0 || d < last || d > guessLongest {
			t.Errorf("wrong answer %d is held back for %v, the one before for %v", n, d, last)
		}
		last = d
	}
	if last != guessLongest || alarms != 1 {
		t.Errorf("after 40 wrong answers: %v and %d alarms, want %v and one", last, alarms, guessLongest)
	}
	if d, _ := w.delay(b, t0); d != 0 {
		t.Errorf("another address waits %v", d)
	}
	if d, _ := w.delay(a, t0.Add(2*time.Minute+6*time.Second)); d != 0 {
		t.Errorf("two minutes later the address waits %v, want it forgotten", d)
	}
	// A device with a stale token that asks every five seconds is never slowed.
	for n := range 100 {
		if d, _ := w.delay(b, t0.Add(time.Duration(n)*guessForgot)); d != 0 {
			t.Fatalf("a patient device waits %v at its request %d", d, n)
		}
	}
}

func TestWaryIsBounded(t *testing.T) {
	w := wary{from: map[netip.Prefix]guesser{}}
	t0 := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	at := func(n int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), 32)
	}
	for n := range guessersKept + 20 { // each of them looks through all
		w.delay(at(n), t0)
	}
	if len(w.from) != guessersKept {
		t.Errorf("%d addresses are remembered, want %d", len(w.from), guessersKept)
	}
	w.delay(at(1<<20), t0.Add(time.Minute))
	if len(w.from) != 1 {
		t.Errorf("a minute later %d addresses are remembered, want the new one", len(w.from))
	}
}

// Wrong tokens slow their own answers; right ones from the same address are
// answered at once, and a drain waits for nobody.
func TestGuessingIsSlowed(t *testing.T) {
	var guesses atomic.Int64
	d := open(t, Config{}, func(ctx context.Context, x fiscal.Exchange) (fiscal.Answer, error) {
		a, err := plain(ctx, x)
		if x.Address.Name == "13" {
			guesses.Add(1)
			a.Reason = fiscal.StaleToken
		}
		return a, err
	})
	c := d.dial(t)
	began := time.Now()
	for n := range guessesFree + 3 {
		mustSend(t, c, ping(13, uint16(n)))
		mustHear(t, c)
	}
	if took, least := time.Since(began), (1+2+3)*guessDelay; took < least {
		t.Errorf("%d wrong answers took %v, want at least %v", guessesFree+3, took, least)
	}
	honest := d.dial(t)
	quickest := patience // of several: a busy machine may be slow now and then
	for n := range 20 {
		began = time.Now()
		mustSend(t, honest, ping(1, uint16(n)))
		mustHear(t, honest)
		quickest = min(quickest, time.Since(began))
	}
	if quickest > guessDelay {
		t.Errorf("right tokens were answered after %v and more", quickest)
	}
	for range 20 {
		d.wary.delay(netip.MustParsePrefix("127.0.0.1/32"), time.Now())
	}
	made := guesses.Load()
	mustSend(t, c, ping(13, 99))
	d.soon(t, "judged", func() bool { return guesses.Load() > made })
	began = time.Now()
	if err := d.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	mustHear(t, c)
	if took := time.Since(began); took > guessLongest-100*time.Millisecond {
		t.Errorf("the drain took %v", took)
	}
}
