package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Req: U-15
func TestLimit(t *testing.T) {
	clock := now()
	l := newLimits(Config{ChecksPerSecond: 2, ChecksAtOnce: 20, MissCost: 10, MaxAddresses: 100}, func() time.Time { return clock })
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i := range 20 {
		if wait := l.take(a); wait != 0 {
			t.Fatalf("check %d has to wait %v", i, wait)
		}
	}
	if wait := l.take(a); wait != 500*time.Millisecond {
		t.Errorf("after all were used up: wait %v, want 500ms", wait)
	}
	if wait := l.take(a); wait != 500*time.Millisecond {
		t.Errorf("asking again costs nothing: wait %v, want 500ms", wait)
	}
	if wait := l.take(b); wait != 0 {
		t.Errorf("another address has to wait %v", wait)
	}
	clock = clock.Add(500 * time.Millisecond)
	if wait := l.take(a); wait != 0 {
		t.Errorf("after waiting: wait %v", wait)
	}
	// A miss may lead below zero: 9 more are owed, and the next check is one.
	l.charge(a, 9)
	if wait := l.take(a); wait != 5*time.Second {
		t.Errorf("after a miss: wait %v, want 5s", wait)
	}
}

func TestLimitTableIsBounded(t *testing.T) {
	l := newLimits(Config{ChecksPerSecond: 1, ChecksAtOnce: 1, MaxAddresses: 8}, now)
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	busy := address(0)
	l.take(busy)
	for i := 1; i < 1000; i++ {
		l.take(address(i))
		if wait := l.take(busy); wait == 0 {
			t.Fatalf("after %d other addresses a busy one was forgotten", i)
		}
		if len(l.places) > 8 || l.recent.Len() != len(l.places) {
			t.Fatalf("%d addresses are remembered in %d places, want 8 at most", l.recent.Len(), len(l.places))
		}
	}
}

func TestTooManyChecks(t *testing.T) {
	s := door(t, Config{ChecksAtOnce: 21, ChecksPerSecond: 2, MissCost: 10}, newShop(t))
	hit, miss := "/check?lang=en&"+queries(t)["sale"], "/check?lang=en&"+queries(t)["none"]
	for i := range 2 {
		if res, _ := get(t, s, miss); res.StatusCode != http.StatusOK {
			t.Fatalf("miss %d = %d", i, res.StatusCode)
		}
	}
	if res, _ := get(t, s, hit); res.StatusCode != http.StatusOK {
		t.Fatalf("two misses and a hit are 21: %d", res.StatusCode)
	}
	for _, accept := range []string{"text/html", "application/json"} {
		res, body := get(t, s, hit, "Accept", accept)
		if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "1" || !strings.Contains(body, "Too many requests") {
			t.Errorf("%s: %d, Retry-After %q:\n%s", accept, res.StatusCode, res.Header.Get("Retry-After"), body)
		}
	}
	// The front page is nobody's guess.
	if res, _ := get(t, s, "/"); res.StatusCode != http.StatusOK {
		t.Errorf("the front page = %d", res.StatusCode)
	}
	// A header of the client's own making changes nothing: it is no proxy of ours.
	if res, _ := get(t, s, hit, "X-Forwarded-For", "203.0.113.9"); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("with an address of its own making = %d, want 429", res.StatusCode)
	}
}

func TestClient(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := []struct{ peer, forwarded, want string }{
		{"192.0.2.1:4000", "", "192.0.2.1"},
		{"192.0.2.1:4000", "203.0.113.9", "192.0.2.1"}, // not a proxy of ours
		{"10.0.0.1:4000", "203.0.113.9", "203.0.113.9"},
		{"10.0.0.1:4000", "1.1.1.1, 203.0.113.9", "203.0.113.9"}, // the client wrote 1.1.1.1
		{"10.0.0.1:4000", "203.0.113.9, 10.0.0.2", "203.0.113.9"},
		{"10.0.0.1:4000", "", "10.0.0.1"},
		{"10.0.0.1:4000", "203.0.113.9, nonsense", "10.0.0.1"},
		{"10.0.0.1:4000", "unknown", "10.0.0.1"},
		{"10.0.0.1:4000", strings.Repeat("10.0.0.3,", 40) + "10.0.0.2", "10.0.0.3"},
		{"[::ffff:192.0.2.1]:4000", "", "192.0.2.1"},
		{"[2001:db8:1:2:3:4:5:6]:4000", "", "2001:db8:1:2::"},
		{"[fd00::1]:4000", "2001:db8:1:2:aaaa::1", "2001:db8:1:2::"},
		{"[fe80::1%eth0]:4000", "", "fe80::"},
		{"@", "", "invalid IP"},
	}
	for _, tt := range tests {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = tt.peer
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		if got := client(r, trusted).String(); got != tt.want {
			t.Errorf("client of %s for %.40q = %s, want %s", tt.peer, tt.forwarded, got, tt.want)
		}
	}
}

func TestServerLimits(t *testing.T) {
	s := door(t, Config{}, newShop(t))
	if res, _ := get(t, s, "/check?i="+strings.Repeat("1", 8000)); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a long code = %d, want 400", res.StatusCode)
	}
	if res, _ := get(t, s, "/", "X-Long", strings.Repeat("x", 32<<10)); res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("long headers = %d, want 431", res.StatusCode)
	}
	if c := s.Config; c.ReadHeaderTimeout <= 0 || c.ReadTimeout <= 0 || c.WriteTimeout <= 0 || c.IdleTimeout <= 0 {
		t.Errorf("a server without a deadline: %+v", c)
	}
}

func BenchmarkCheckPage(b *testing.B) {
	h := benchDoor(b)
	ask := "/check?" + queries(b)["sale"]
	for _, accept := range []string{"text/html", "application/json"} {
		b.Run(accept, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, ask, nil)
				r.Header.Set("Accept", accept)
				r.RemoteAddr = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String() + ":" + strconv.Itoa(4000)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(fmt.Sprint(w.Code, w.Body))
				}
			}
		})
	}
}
