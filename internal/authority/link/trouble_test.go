package link_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"openofd/internal/authority/link"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
)

// Whatever a far end does wrong has a name for staff, is Unavailable, and the
// next try of the same thing goes through.
//
// Req: O-005, P-008
func TestTroubles(t *testing.T) {
	const json = "application/json"
	good := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", json)
		fmt.Fprintf(w, `{"batch":%q,"taken":2,"again":0,"refused":[]}`, r.Header.Get("Idempotency-Key"))
	}
	answers := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	days := func(n int, then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", newClock().now().AddDate(0, 0, n).Format(http.TimeFormat))
			then(w, r)
		}
	}
	for _, tt := range []struct {
		name string
		far  http.HandlerFunc
		want delivery.Trouble // "" it goes through
		says string
	}{
		{"cuts the connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, delivery.NoWay, "EOF"},
		{"points elsewhere", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, delivery.Elsewhere, "302"},
		{"points elsewhere for ever", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusPermanentRedirect)
		}, delivery.Elsewhere, "308"},
		{"fails", answers(500, "text/plain", "secret"), delivery.Failing, "500"},
		{"nobody is let in", answers(403, "application/problem+json", `{"detail":"who are you?"}`), delivery.Failing, "who are you?"},
		{"200 and nothing", answers(200, json, ""), delivery.EmptyAnswer, "200"},
		{"204", answers(204, "", ""), delivery.EmptyAnswer, "204"},
		{"half of the text", answers(200, json, `{"taken":2,"aga`), delivery.CutAnswer, ""},
		{"half of the bytes", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", json)
			w.Header().Set("Content-Length", "60")
			io.WriteString(w, `{"taken":2,"again":0,"refused":[]}`)
		}, delivery.CutAnswer, ""},
		{"a page of a proxy", answers(200, "text/html", "<html>"), delivery.Rubbish, "text/html"},
		{"rubbish", answers(200, json, "rubbish"), delivery.Rubbish, ""},
		{"words for numbers", answers(200, json, `{"taken":"two"}`), delivery.Rubbish, ""},
		{"one of two", answers(200, json, `{"taken":1,"again":0,"refused":[]}`), delivery.Rubbish, "2 documents"},
		{"another batch's", answers(200, json, `{"batch":"other","taken":2,"again":0,"refused":[]}`), delivery.ForeignAnswer, "other"},
		{"another document's", answers(200, json, `{"taken":1,"again":0,"refused":[{"id":"z","why":"so"}]}`), delivery.ForeignAnswer, `"z"`},
		{"refuses a week ago", days(-7, answers(422, json, "")), delivery.WrongClock, "168h"},
		{"refuses tomorrow", days(1, answers(422, json, "")), delivery.WrongClock, "24h"},
		{"takes it a week ago", days(-7, good), "", ""},
		{"takes it in a year", days(365, good), "", ""},
		{"does not tell the time", func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Date"] = nil
			good(w, r)
		}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			l, far := open(t, newClock(), func(w http.ResponseWriter, r *http.Request) {
				if asked++; asked > 1 {
					good(w, r)
					return
				}
				tt.far(w, r)
			})
			far.Config.ErrorLog = log.New(io.Discard, "", 0)
			lines := link.Lines{Link: l, Path: "/x"}
			_, err := lines.Send(t.Context(), docs("a", "b"))
			if tt.want == "" {
				if err != nil {
					t.Errorf("Send = %v, want nil", err)
				}
				return
			}
			var got delivery.Trouble
			if !errors.As(err, &got) || got != tt.want || !errors.Is(err, fiscal.Unavailable) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "secret") {
				t.Errorf("Send = %v, want Unavailable, %s with %q", err, tt.want, tt.says)
			}
			if kept := delivery.TroubleIn(err.Error()); kept != tt.want {
				t.Errorf("of the text %q %q is left, want %q", err, kept, tt.want)
			}
			if refused, err := lines.Send(t.Context(), docs("a", "b")); err != nil || len(refused) > 0 || asked != 2 {
				t.Errorf("the next try = %+v, %v, asked %d times; want it taken", refused, err, asked)
			}
		})
	}
}

// A far end whose clock is off names days of its own; what it asks for is
// measured by them.
func TestClockOff(t *testing.T) {
	c := newClock()
	off, day := time.Duration(0), true
	l, _ := open(t, c, func(w http.ResponseWriter, _ *http.Request) {
		now := c.now().Add(off)
		w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
		if day {
			w.Header().Set("Retry-After", now.Add(time.Minute).UTC().Format(http.TimeFormat))
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	for _, off = range []time.Duration{0, 3 * 24 * time.Hour, -5 * time.Hour, time.Second} {
		if err := l.Get(t.Context(), "/", nil, nil); !errors.Is(err, delivery.Failing) {
			t.Fatalf("off by %v: Get = %v, want a failure", off, err)
		}
		if got := l.ClockOff(); got != off {
			t.Errorf("ClockOff = %v, want %v", got, off)
		}
		c.add(59 * time.Second)
		if err := l.Get(t.Context(), "/", nil, nil); !errors.Is(err, delivery.LeaveAlone) {
			t.Errorf("off by %v, a second before the minute is over: Get = %v, want it left alone", off, err)
		}
		c.add(time.Second)
	}
}

// Certificates of either end whose time is not now have names too, and the link
// goes on once they are right.
//
// Req: O-005, P-026, P-027
func TestCertificatesOfAnotherTime(t *testing.T) {
	ours, theirs := newIssuer(t, "ours"), newIssuer(t, "theirs")
	ours.issue("operator")
	theirs.issue("far")
	pair, err := tls.LoadX509KeyPair(theirs.file("far.crt"), theirs.file("far.key"))
	if err != nil {
		t.Fatal(err)
	}
	pool, believed := x509.NewCertPool(), x509.NewCertPool()
	pool.AddCert(ours.cert)
	believed.AddCert(theirs.cert)
	far := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }))
	far.Config.ErrorLog = log.New(io.Discard, "", 0)
	farNow := &clock{t: time.Now()}
	far.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, Time: farNow.now}
	far.StartTLS()
	t.Cleanup(far.Close)
	now := time.Now()
	for _, tt := range []struct {
		name      string
		our       string // certificate; "" none
		here, far time.Time
		want      delivery.Trouble
		says      string
	}{
		{"theirs is expired", "", now.Add(48 * time.Hour), now, delivery.Untrusted, "expired or is not yet valid"},
		{"theirs is not yet valid", "", now.Add(-48 * time.Hour), now, delivery.Untrusted, "expired or is not yet valid"},
		{"we show none", "", now, now, delivery.Unwelcome, "certificate required"},
		{"ours is expired for them", "operator", now, now.Add(48 * time.Hour), delivery.Unwelcome, "expired certificate"},
		{"ours is not yet valid for them", "operator", now, now.Add(-48 * time.Hour), delivery.Unwelcome, "certificate"},
		{"both are good", "operator", now, now, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			here := &clock{t: tt.here}
			farNow.mu.Lock()
			farNow.t = tt.far
			farNow.mu.Unlock()
			cfg := link.Config{Name: "far", URL: far.URL, CA: theirs.file("theirs.crt"), Timeout: 20 * time.Second}
			if tt.our != "" {
				cfg.Cert, cfg.Key = ours.file(tt.our+".crt"), ours.file(tt.our+".key")
			}
			l, err := link.Open(cfg, here.now)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			err = l.Get(t.Context(), "/", nil, nil)
			var got delivery.Trouble
			if tt.want == "" && err == nil {
				return
			}
			if !errors.As(err, &got) || got != tt.want || !strings.Contains(err.Error(), tt.says) || delivery.TroubleIn(err.Error()) != tt.want {
				t.Errorf("Get = %v, want %s with %q", err, tt.want, tt.says)
			}
		})
	}

	// Ours is over while theirs, of a longer life, holds: we say so ourselves.
	ours.life = -time.Minute
	ours.issue("old")
	l, err := link.Open(link.Config{Name: "far", URL: far.URL, CA: theirs.file("theirs.crt"), Cert: ours.file("old.crt"), Key: ours.file("old.key")}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Get(t.Context(), "/", nil, nil); !errors.Is(err, delivery.OursIsOver) || !strings.Contains(err.Error(), "it was good until") {
		t.Errorf("Get with a certificate that is over = %v, want %v", err, delivery.OursIsOver)
	}
}
