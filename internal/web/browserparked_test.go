package web

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/web/room"
)

// forwarder is forwarding to two authorities, one of which has put documents
// aside.
type forwarder struct {
	mu   sync.Mutex
	all  []delivery.Parked // guarded by mu
	fail error             // guarded by mu; nil: the way is open
}

func newForwarder() *forwarder {
	f := &forwarder{}
	for i, why := range []delivery.Reason{delivery.Refused, delivery.Damaged} {
		f.all = append(f.all, delivery.Parked{
			ID: int64(7 + i), Authority: "kgd", Place: fiscal.Place{Register: 200145}, Document: []string{"200145-58", "200145-59"}[i],
			Reason: why, Detail: "registration number of another register", At: time.Now(),
		})
	}
	return f
}

func (f *forwarder) Standings(context.Context) ([]room.ForwardingStanding, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return []room.ForwardingStanding{
		{Authority: "kgd", Behind: 12, Oldest: time.Now(), Waiting: int64(len(f.all)), Stuck: "0/57: 503 Service Unavailable"}, {Authority: "fns"},
	}, nil
}

func (f *forwarder) Parked(_ context.Context, authority string, after int64, limit int) (some []delivery.Parked, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.all {
		if p.Authority == authority && p.ID > after && len(some) < limit {
			some = append(some, p)
		}
	}
	return some, nil
}

func (f *forwarder) Again(_ context.Context, id int64) (delivery.Parked, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, p := range f.all {
		switch {
		case p.ID != id:
		case f.fail != nil:
			return p, f.fail
		case p.Reason == delivery.Damaged:
			return p, nil // still
		default:
			f.all = append(f.all[:i], f.all[i+1:]...)
			p.Settled = time.Now()
			return p, nil
		}
	}
	return delivery.Parked{}, &fiscal.Error{Reason: fiscal.NothingThere}
}

// walkParked has one of the staff see how documents go to authorities and send
// again what was put aside.
func (h *house) walkParked(t *testing.T, b *browser, f *forwarder) {
	t.Helper()
	status := `document.querySelector("[role=status]:not([hidden]), [role=alert]")?.innerText ?? ""`
	b.open(t, h.URL+"/staff/parked?lang=ru")
	b.faultless(t, "parked")
	text := eval[string](t, b, `document.body.innerText`)
	for _, want := range []string{"КГД Казахстана", "503 Service Unavailable", "200145-58", "Орган его не принял", "Хранится не то, что было получено"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page of forwarding lacks %q:\n%s", want, text)
		}
	}
	send := func(n int) {
		t.Helper()
		b.press(t, `document.querySelectorAll("form[action='/staff/parked/again'] button")[`+string(rune('0'+n))+`]`)
	}
	send(0)
	if got := eval[string](t, b, status); got != "Документ передан." {
		t.Errorf("after a document was forwarded the page says %q", got)
	}
	send(0)
	if got := eval[string](t, b, status); !strings.Contains(got, "200145-59 по-прежнему ждёт") {
		t.Errorf("of a document that waits still the page says %q", got)
	}
	b.complained()
	f.mu.Lock()
	f.fail = &fiscal.Error{Of: fiscal.Unavailable}
	f.mu.Unlock()
	send(0)
	if got := eval[string](t, b, status); !strings.Contains(got, "сейчас закрыт") {
		t.Errorf("when the way is closed the page says %q", got)
	}
	b.complained()
	records, err := h.db.Audit(t.Context(), 0, 0, 20)
	tries := 0
	for _, r := range records {
		if r.Act == access.ActSentAgain && r.Object != "" {
			tries++
		}
	}
	if err != nil || tries != 3 {
		t.Errorf("%d tries are in the journal, %v; want 3", tries, err)
	}
}
