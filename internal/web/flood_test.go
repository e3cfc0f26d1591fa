package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/mail"
	"openofd/internal/store/sqlite"
	"openofd/internal/web/room"
)

// TestFlood sends many tries at every door, from one address and from hundreds:
// one address is held back, memory stays, and somebody elsewhere gets in.
func TestFlood(t *testing.T) {
	db, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	quiet := slog.New(slog.DiscardHandler)
	var sink mail.Sink
	mailer, err := mail.New(&sink, operator, operator.Site, quiet, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer mailer.Close()
	people, err := access.New(access.Config{}, db, mailer, access.NewPasswords(0, rand.Reader), oneKey{}, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (access.Operator{Service: people, By: "test"}).AddUser(t.Context(), access.NewUser{Email: "asel@example.kz", Name: "Әсел", Password: strong, Language: "kk"}, false); err != nil {
		t.Fatal(err)
	}
	nobody := knownFunc(func() (room.Organization, error) {
		return room.Organization{}, &fiscal.Error{Reason: fiscal.NothingThere}
	})
	handler, err := New(Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Rooms: Rooms{Access: people, Known: nobody, Zone: time.UTC}}, newShop(t), operator, quiet, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(handler)
	defer s.Close()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	knock := func(ctx context.Context, from, path string, form url.Values) (int, string) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Forwarded-For", from)
		answer, err := client.Do(r)
		if err != nil {
			return 0, "" // the test is over
		}
		defer answer.Body.Close()
		_, _ = io.Copy(io.Discard, answer.Body)
		return answer.StatusCode, answer.Header.Get("Location")
	}
	doors := []struct {
		path string
		form func(i int) url.Values
	}{
		{"/signin", func(i int) url.Values {
			return url.Values{"email": {fmt.Sprintf("n%d@example.kz", i)}, "password": {"not the password"}}
		}},
		{"/signin/second", func(int) url.Values { return url.Values{"totp": {"123456"}} }},
		{"/signin/passkey", func(int) url.Values { return url.Values{"answer": {"{}"}} }},
		{"/signup", func(i int) url.Values { return url.Values{"email": {fmt.Sprintf("s%d@example.kz", i)}} }},
		{"/signup/confirm", func(i int) url.Values {
			return url.Values{"email": {fmt.Sprintf("s%d@example.kz", i)}, "code": {"123456"}, "name": {"Х"}, "password": {strong}}
		}},
		{"/forgot", func(i int) url.Values { return url.Values{"email": {fmt.Sprintf("f%d@example.kz", i)}} }},
		{"/reset", func(i int) url.Values {
			return url.Values{"email": {"asel@example.kz"}, "code": {"123456"}, "password": {strong + "!"}}
		}},
	}

	// One address: what it may at once, and hardly more, in all doors together.
	passed, began := 0, time.Now()
	for i := range 120 {
		d := doors[i%len(doors)]
		if status, _ := knock(t.Context(), "203.0.113.5", d.path, d.form(i)); status != http.StatusTooManyRequests {
			passed++
		}
	}
	if most := triesAtOnce + 1 + int(triesPerSecond*time.Since(began).Seconds()); passed < triesAtOnce || passed > most {
		t.Errorf("one address came through %d times of 120 within %v, want %d to %d", passed, time.Since(began), triesAtOnce, most)
	}

	// Hundreds of addresses, and one honest person among them.
	memory := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := memory()
	ctx, stop := context.WithCancel(t.Context())
	var flood sync.WaitGroup
	var sent atomic.Int64
	for k := range 32 {
		flood.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				n := k*10_000 + i
				d := doors[n%len(doors)]
				knock(ctx, fmt.Sprintf("198.51.%d.%d", n%200, k), d.path, d.form(n))
				sent.Add(1)
			}
		})
	}
	for end := time.Now().Add(60 * time.Second); sent.Load() < 300 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
	}
	in := false
	for end := time.Now().Add(60 * time.Second); !in && time.Now().Before(end); {
		_, to := knock(t.Context(), "192.0.2.77", "/signin", url.Values{"email": {"asel@example.kz"}, "password": {strong}})
		in = to == "/cabinet"
	}
	stop()
	flood.Wait()
	if !in {
		t.Errorf("an honest person did not get in within a minute of %d tries of others", sent.Load())
	}
	if after := memory(); after > before+64<<20 {
		t.Errorf("memory grew from %d to %d MiB over %d tries", before>>20, after>>20, sent.Load())
	}
}

type knownFunc func() (room.Organization, error)

func (f knownFunc) Organization(context.Context, fiscal.TaxpayerID) (room.Organization, error) {
	return f()
}
