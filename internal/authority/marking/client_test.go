package marking

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"openofd/internal/authority/link"
	"openofd/internal/fiscal"
	"openofd/internal/testkit"
)

// A message goes out as it came and its answer comes back; a far end that is
// down is left alone after some failures, asked now and then, and believed again
// at once.
//
// Req: F-020, F-021, F-024
func TestFarEnd(t *testing.T) {
	var mu sync.Mutex // guards what follows
	at, up, asked := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), true, 0
	message := testkit.KKTVectorNamed(t, "receipt-1.2-measure-kg").Message
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked++
		var q Request
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.URL.Path != PathRequests || q.Format != Format || len(q.Drive) != 16 || !bytes.Equal(q.Message, message) {
			t.Errorf("the far end was asked %s %+v, %v", r.URL.Path, q, err)
		}
		if !up {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(Answer{Container: []byte("sealed")})
	}))
	defer far.Close()
	c, err := OpenClient(link.Config{URL: far.URL}, func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return at
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	change := func(is bool, later time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		up, at = is, at.Add(later)
	}
	ask := func(works bool, times int) {
		t.Helper()
		got, err := c.Ask(t.Context(), message)
		mu.Lock()
		defer mu.Unlock()
		if works != (err == nil && string(got) == "sealed") || !works && !errors.Is(err, fiscal.Unavailable) || asked != times {
			t.Errorf("Ask = %q, %v, and the far end was asked %d times; want it to work %t, and %d", got, err, asked, works, times)
		}
	}
	ask(true, 1)
	change(false, 0)
	for i := range blowsAfter {
		ask(false, 2+i)
	}
	ask(false, 6) // at once
	change(false, firstPause)
	ask(false, 7) // one looks
	ask(false, 7)
	change(false, firstPause)
	ask(false, 7) // the pause has doubled
	change(true, firstPause)
	ask(true, 8)
	ask(true, 9)
	if _, err := c.Ask(t.Context(), []byte("none")); err == nil || errors.Is(err, fiscal.Unavailable) {
		t.Errorf("Ask of what is no message: error %v", err)
	}
}
