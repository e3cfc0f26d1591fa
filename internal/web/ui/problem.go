package ui

import (
	"errors"
	"math"
	"net/http"
	"strings"
	"time"

	"openofd/internal/fiscal"
)

// Problem is an error as people and programs are told of it.
type Problem struct {
	Status     int
	Kind       fiscal.Kind
	Reason     fiscal.Reason // NoReason when only the kind is known
	Field      string        // the parameter it is about, "" none
	What       string        // what happened, in the reader's language
	Next       string        // what to do
	RetryAfter int           // seconds, 0 none
}

// Code names the problem to support: the reason, else the kind, and the field.
func (p Problem) Code() string {
	code := p.Reason.String()
	if p.Reason == fiscal.NoReason {
		code = kindKey(p.Kind)
	}
	if p.Field != "" {
		code += " (" + p.Field + ")"
	}
	return code
}

// RetryError says when the same request may succeed.
type RetryError struct{ After time.Duration }

func (e *RetryError) Error() string { return "try again in " + e.After.String() }

// StatusOf is the HTTP status of a kind.
func StatusOf(k fiscal.Kind) int {
	switch k {
	case fiscal.Invalid:
		return http.StatusBadRequest
	case fiscal.Unauthenticated:
		return http.StatusUnauthorized
	case fiscal.Denied:
		return http.StatusForbidden
	case fiscal.NotFound:
		return http.StatusNotFound
	case fiscal.Conflict:
		return http.StatusConflict
	case fiscal.Overloaded, fiscal.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// ProblemOf words an error. What is not ours to tell (Msg, causes) is left out.
func ProblemOf(err error, l *Locale) Problem {
	p := Problem{Kind: fiscal.Internal}
	var e *fiscal.Error
	if errors.As(err, &e) {
		p.Kind, p.Reason, p.Field = e.Kind(), e.Reason, e.Field
	} else {
		for _, k := range fiscal.Kinds() {
			if errors.Is(err, k) {
				p.Kind = k
			}
		}
	}
	p.Status = StatusOf(p.Kind)
	switch p.Reason {
	case fiscal.RateLimited:
		p.Status = http.StatusTooManyRequests
	case fiscal.UnsupportedCommand:
		p.Status = http.StatusMethodNotAllowed
	}
	var retry *RetryError
	if errors.As(err, &retry) {
		p.RetryAfter = max(1, int(math.Ceil(retry.After.Seconds())))
	} else if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		p.RetryAfter = 60
	}
	p.What, p.Next = words(l, p, "what"), words(l, p, "next")
	return p
}

// words are those of the reason and the field, else of the reason, else of its
// kind.
func words(l *Locale, p Problem, part string) string {
	key := "reason." + p.Reason.String() + "." + p.Field + "." + part
	if p.Field == "" || !l.Has(key) {
		key = "reason." + p.Reason.String() + "." + part
	}
	if p.Reason == fiscal.NoReason || !l.Has(key) {
		key = "kind." + kindKey(p.Kind) + "." + part
	}
	return l.T(key, "n", p.RetryAfter)
}

func kindKey(k fiscal.Kind) string { return strings.ReplaceAll(k.String(), " ", "_") }
