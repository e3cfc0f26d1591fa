package room

import (
	"net/http"
	"sync"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// How many lists are given as files at once. Each reads on while its client
// takes it, however long the list is.
const (
	filesOfAll = 4 // of one organization
	filesOfOne = 2 // of one person or key in it
)

// exporter streams a list as a file. An error comes before the first byte.
type exporter func(http.ResponseWriter, *http.Request, *visitor, opener) error

// taker is who takes files: an organization, or somebody in it.
type taker struct {
	taxpayer fiscal.TaxpayerID
	user     access.UserID // 0: whoever
	key      access.APIKeyID
}

// giving counts those under way.
type giving struct {
	mu    sync.Mutex
	under map[taker]int // guarded by mu; no zeros
}

// begin counts one more, until end is called. RateLimited with the Field
// "export" if there are many.
func (f *giving) begin(a *visitor) (end func(), err error) {
	each := []taker{{a.Taxpayer, a.User.ID, a.Key}}
	if a.Taxpayer != 0 {
		each = append(each, taker{taxpayer: a.Taxpayer})
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range each {
		most := filesOfOne
		if t.user == 0 {
			most = filesOfAll
		}
		if f.under[t] >= most {
			return nil, &fiscal.Error{Reason: fiscal.RateLimited, Field: "export", Err: &ui.RetryError{After: 10 * time.Second}}
		}
	}
	for _, t := range each {
		f.under[t]++
	}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, t := range each {
			if f.under[t]--; f.under[t] == 0 {
				delete(f.under, t)
			}
		}
	}, nil
}

// bounded is an exporter of which few are under way at once.
func (h *Handler) bounded(export exporter) exporter {
	return func(w http.ResponseWriter, r *http.Request, a *visitor, open opener) error {
		end, err := h.files.begin(a)
		if err != nil {
			return err
		}
		defer end()
		return export(w, r, a, open)
	}
}
