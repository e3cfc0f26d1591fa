package ui

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
)

// TestProblemWords walks every Kind and Reason in every language: what
// happened and what to do next are said, and no placeholder is left.
func TestProblemWords(t *testing.T) {
	var all []error
	for _, k := range fiscal.Kinds() {
		all = append(all, &fiscal.Error{Of: k}, k)
	}
	for _, r := range fiscal.Reasons() {
		all = append(all, &fiscal.Error{Reason: r}, fmt.Errorf("read a page: %w", &fiscal.Error{Reason: r, Field: "t"}))
	}
	for lang, l := range locales(t) {
		for _, err := range all {
			p := ProblemOf(err, l)
			for _, text := range []string{p.What, p.Next} {
				if text == "" || strings.Contains(text, "{") || strings.HasPrefix(text, "kind.") || strings.HasPrefix(text, "reason.") {
					t.Errorf("%s: %v is worded %q, %q", lang, err, p.What, p.Next)
				}
			}
			if p.Status < 400 || p.Status > 599 {
				t.Errorf("%v is answered with %d", err, p.Status)
			}
			if p.Code() == "" || strings.Contains(p.Code(), " error") {
				t.Errorf("%v has the code %q", err, p.Code())
			}
		}
		for _, r := range fiscal.Reasons() {
			if !l.Has("reason." + r.String() + ".what") {
				t.Errorf("%s has no words for %v", lang, r)
			}
		}
	}
}

func TestProblemOf(t *testing.T) {
	l := locales(t)["en"]
	tests := []struct {
		err    error
		status int
		code   string
		retry  int
	}{
		{&fiscal.Error{Reason: fiscal.BadValue, Field: "t"}, http.StatusBadRequest, "bad_value (t)", 0},
		{&fiscal.Error{Reason: fiscal.NothingThere}, http.StatusNotFound, "nothing_there", 0},
		{&fiscal.Error{Reason: fiscal.UnsupportedCommand}, http.StatusMethodNotAllowed, "unsupported_command", 0},
		{&fiscal.Error{Reason: fiscal.RateLimited, Err: &RetryError{1500 * time.Millisecond}}, http.StatusTooManyRequests, "rate_limited", 2},
		{&fiscal.Error{Reason: fiscal.RateLimited, Err: &RetryError{0}}, http.StatusTooManyRequests, "rate_limited", 1},
		{&fiscal.Error{Reason: fiscal.StoreDown}, http.StatusServiceUnavailable, "store_down", 60},
		{&fiscal.Error{Of: fiscal.Corrupt}, http.StatusInternalServerError, "corrupt", 0},
		{fiscal.NotFound, http.StatusNotFound, "not_found", 0},
		{errors.New("pointer is nil"), http.StatusInternalServerError, "internal", 0},
	}
	for _, tt := range tests {
		p := ProblemOf(tt.err, l)
		if p.Status != tt.status || p.Code() != tt.code || p.RetryAfter != tt.retry {
			t.Errorf("ProblemOf(%v) = %d %s, again after %d, want %d %s, %d", tt.err, p.Status, p.Code(), p.RetryAfter, tt.status, tt.code, tt.retry)
		}
		if strings.Contains(p.What+p.Next, "pointer") {
			t.Errorf("ProblemOf(%v) tells what is not for readers: %s %s", tt.err, p.What, p.Next)
		}
	}
}
