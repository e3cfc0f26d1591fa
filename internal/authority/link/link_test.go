package link_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"openofd/internal/authority/link"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)} }

// open opens a link to a handler.
func open(t *testing.T, c *clock, h http.HandlerFunc) (*link.Link, *httptest.Server) {
	t.Helper()
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", c.now().UTC().Format(http.TimeFormat)) // its clock is ours
		h(w, r)
	}))
	t.Cleanup(far.Close)
	l, err := link.Open(link.Config{Name: "far", URL: far.URL + "/", Timeout: 20 * time.Second, Answer: 1 << 10}, c.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l, far
}

// bodyOf reads a body as the far end does.
func bodyOf(r *http.Request) []byte {
	from := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil
		}
		from = z
	}
	b, _ := io.ReadAll(from)
	return b
}

// docs are documents with these IDs.
func docs(ids ...string) (all []delivery.Document) {
	for _, id := range ids {
		all = append(all, delivery.Document{ID: id, Body: fmt.Appendf(nil, "{\"id\":%q}\n", id)})
	}
	return all
}

// What an answer says decides what becomes of the documents, and an answer that
// is not quite one decides nothing.
func TestAnswers(t *testing.T) {
	const json = "application/json"
	tests := []struct {
		name    string
		status  int
		kind    string
		body    string
		refused []delivery.Refusal
		fails   string // part of the error; "" none
	}{
		{"all new", 200, json, `{"taken":3,"again":0,"refused":[]}`, nil, ""},
		{"all there", 200, json + "; charset=utf-8", `{"taken":0,"again":3,"refused":null}`, nil, ""},
		{"what is new in it is passed over", 201, json, `{"taken":3,"again":0,"refused":[],"more":7}`, nil, ""},
		{"one refused", 200, json, `{"taken":1,"again":1,"refused":[{"id":"b","why":"no\nBIN"}]}`, []delivery.Refusal{{ID: "b", Why: "no BIN"}}, ""},
		{"too few", 200, json, `{"taken":2,"again":0,"refused":[]}`, nil, "does not account for 3"},
		{"too many", 200, json, `{"taken":2,"again":2,"refused":[]}`, nil, "does not account for 3"},
		{"that make up for each other", 200, json, `{"taken":4,"again":-1,"refused":[]}`, nil, "does not account for 3"},
		{"nothing said", 200, json, `{}`, nil, "does not account"},
		{"another's refused", 200, json, `{"taken":2,"again":0,"refused":[{"id":"x","why":""}]}`, nil, `it refuses "x"`},
		{"one refused twice", 200, json, `{"taken":1,"again":0,"refused":[{"id":"a","why":""},{"id":"a","why":""}]}`, nil, `it refuses "a"`},
		{"half an answer", 200, json, `{"taken":3,`, nil, "cut off"},
		{"the answer to another batch", 200, json, `{"batch":"b1","taken":3,"again":0,"refused":[]}`, nil, `to batch "b1"`},
		{"two answers", 200, json, `{"taken":3,"again":0,"refused":[]}{}`, nil, "something stands behind it"},
		{"a page of a proxy", 200, "text/html", `<html>`, nil, `"text/html", no application/json`},
		{"an answer without end", 200, json, `{"taken":3,"again":0,"refused":[],"x":"` + strings.Repeat("x", 2000) + `"}`, nil, "more than 1024 bytes"},
		{"another place", 302, "", "", nil, "302 Found"},
		{"a bad request", 400, "application/problem+json", `{"title":"Bad","detail":"line 1"}`, nil, "400 Bad Request: line 1"},
		{"no certificate", 403, "application/problem+json", `{"title":"Who are you?"}`, nil, "403 Forbidden: Who are you?"},
		{"a failure", 500, "text/plain", "secret", nil, "500 Internal Server Error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, _ := open(t, newClock(), func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.kind)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			})
			refused, err := link.Lines{Link: l, Path: "/x"}.Send(t.Context(), docs("a", "b", "c"))
			if tt.fails == "" {
				if err != nil || !reflect.DeepEqual(refused, tt.refused) {
					t.Errorf("Send = %+v, %v; want %+v", refused, err, tt.refused)
				}
				return
			}
			if !errors.Is(err, fiscal.Unavailable) || !strings.Contains(err.Error(), tt.fails) || strings.Contains(err.Error(), "secret") || refused != nil {
				t.Errorf("Send = %+v, %v; want Unavailable with %q", refused, err, tt.fails)
			}
		})
	}
}

// A far end that asks to be left alone is, for as long as it says, but not for
// ever.
func TestRetryAfter(t *testing.T) {
	for name, tt := range map[string]struct {
		status       int
		after        string
		alone, still time.Duration // not asked then, asked again then
	}{
		"seconds":         {503, "30", 29 * time.Second, 30 * time.Second},
		"a date":          {429, "Sat, 14 Mar 2026 09:01:00 GMT", 59 * time.Second, time.Minute},
		"a year":          {503, "31536000", 9 * time.Minute, 10 * time.Minute},
		"nothing to heed": {503, "soon", -1, 0},
		"another answer":  {500, "30", -1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c, asked := newClock(), 0
			l, _ := open(t, c, func(w http.ResponseWriter, _ *http.Request) {
				asked++
				w.Header().Set("Retry-After", tt.after)
				w.WriteHeader(tt.status)
			})
			try := func(want int) {
				t.Helper()
				if err := l.Get(t.Context(), "/", nil, nil); !errors.Is(err, fiscal.Unavailable) || asked != want {
					t.Errorf("%s after its answer: error %v, asked %d times, want %d", c.now().Sub(newClock().now()), err, asked, want)
				}
			}
			try(1)
			if tt.alone >= 0 {
				c.add(tt.alone)
				try(1)
				c.add(tt.still - tt.alone)
			}
			try(2)
		})
	}
}

// A batch in which one document is not to be borne is divided until that one is
// found; the others are taken, in their order, once.
func TestOneIsToBlame(t *testing.T) {
	for name, status := range map[string]int{"too large": 413, "rejected": 422} {
		t.Run(name, func(t *testing.T) {
			var got []string
			keys := map[string]string{} // key to body
			l, _ := open(t, newClock(), func(w http.ResponseWriter, r *http.Request) {
				text := string(bodyOf(r))
				key := r.Header.Get("Idempotency-Key")
				if was, ok := keys[key]; ok && was != text || key == "" {
					t.Errorf("the key %q stands for %q and %q", key, was, text)
				}
				keys[key] = text
				if strings.Contains(text, `"bad"`) {
					w.WriteHeader(status)
					return
				}
				lines := strings.Split(strings.TrimSpace(text), "\n")
				got = append(got, lines...)
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"taken":%d,"again":0,"refused":[]}`, len(lines))
			})
			refused, err := link.Lines{Link: l, Path: "/x", Most: 7}.Send(t.Context(), docs("1", "2", "3", "bad", "5", "6", "7", "8", "9"))
			if err != nil || len(refused) != 1 || refused[0].ID != "bad" || !strings.HasPrefix(refused[0].Why, fmt.Sprint(status)) {
				t.Errorf("Send = %+v, %v; want the one that is to blame", refused, err)
			}
			if want := `{"id":"1"}{"id":"2"}{"id":"3"}{"id":"5"}{"id":"6"}{"id":"7"}{"id":"8"}{"id":"9"}`; strings.Join(got, "") != want {
				t.Errorf("taken were %v, want %v", got, want)
			}
		})
	}
}

// Long bodies are packed and come out as they went in, also when many are on
// their way.
func TestPacked(t *testing.T) {
	l, _ := open(t, newClock(), func(w http.ResponseWriter, r *http.Request) {
		b := bodyOf(r)
		if (r.Header.Get("Content-Encoding") == "gzip") != (len(b) >= 1<<10) {
			t.Errorf("a body of %d bytes is packed %q", len(b), r.Header.Get("Content-Encoding"))
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"n": len(b), "same": strings.Count(string(b), string(b[:1]))})
	})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := 1; n < 1<<16; n *= 4 {
				var a struct{ N, Same int }
				body := strings.Repeat(string(rune('a'+i)), n)
				if err := l.Post(context.Background(), "/", "text/plain", "", []byte(body), &a); err != nil || a.N != n || a.Same != n {
					t.Errorf("of %d bytes %+v arrived, %v", n, a, err)
				}
			}
		})
	}
	all.Wait()
}

// A far end that is not there, or hangs, is Unavailable within the time.
func TestSilence(t *testing.T) {
	hang := make(chan struct{})
	far := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	l, err := link.Open(link.Config{Name: "far", URL: far.URL, Timeout: 50 * time.Millisecond}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Get(t.Context(), "/", nil, nil); !errors.Is(err, fiscal.Unavailable) {
		t.Errorf("Get of one that hangs = %v, want Unavailable", err)
	}
	close(hang)
	far.Close()
	if err := l.Get(t.Context(), "/", nil, nil); !errors.Is(err, fiscal.Unavailable) {
		t.Errorf("Get of one that is gone = %v, want Unavailable", err)
	}
}

// Nothing leaves this machine in the clear, and an address is an address.
func TestAddresses(t *testing.T) {
	for address, good := range map[string]bool{
		"https://exchange.example.kz": true, "https://exchange.example.kz:8443/ofd/": true, "http://127.0.0.1:1": true, "http://[::1]:1": true, "http://localhost:1": true,
		"http://exchange.example.kz": false, "http://10.0.0.1": false, "": false, "exchange.example.kz": false, "ftp://localhost": false, "https://u:p@h": false, "https://h/?q": false,
	} {
		if err := link.CheckURL(address); (err == nil) != good {
			t.Errorf("CheckURL(%q) = %v, want good %t", address, err, good)
		}
	}
}
