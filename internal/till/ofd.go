package till

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"openofd/internal/fiscal"
)

// Told is what the operator said of a request that it refused, in the language
// that was asked for.
type Told struct {
	Status int         `json:"status"`
	Title  string      `json:"title"`
	Detail string      `json:"detail"`
	Reason string      `json:"reason"`
	Field  string      `json:"parameter"`
	Fields []ToldField `json:"fields"`
}

// ToldField is what is wrong with one field.
type ToldField struct {
	Field string `json:"field"`
	Title string `json:"title"`
	Only  bool   `json:"only"` // keeps nobody from signing
}

func (t *Told) Error() string { return fmt.Sprintf("the operator answers %d: %s", t.Status, t.Title) }

// kinds of errors by the status of an answer.
var toldKinds = map[int]fiscal.Kind{
	http.StatusBadRequest: fiscal.Invalid, http.StatusUnprocessableEntity: fiscal.Invalid, http.StatusUnauthorized: fiscal.Denied, http.StatusForbidden: fiscal.Denied,
	http.StatusNotFound: fiscal.NotFound, http.StatusConflict: fiscal.Conflict, http.StatusTooManyRequests: fiscal.Overloaded,
}

// Bounds of a call.
const (
	callTime  = 20 * time.Second
	maxAnswer = 1 << 20
)

// office is the operator's API, by a key or without one.
type office struct {
	caller *http.Client
	site   string // https://ofd.example
	key    string // "": none yet
	lang   string
}

// newCaller speaks to the operator for all sellers. A key goes to no other site.
func newCaller() *http.Client {
	return &http.Client{Timeout: callTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// request is one call; out is a *[]byte for an answer that is no JSON.
type request struct {
	method, path string
	in, out      any
	once         string // a name by which it is done once
	known        string // mark of what is known already; errKnown if there is nothing newer
}

// errKnown answers a request for what is known already.
var errKnown = errors.New("nothing newer")

// do asks. A refusal holds a *Told, and says which field it is about.
//
// Errors: Unavailable with the Field "operator" when nobody answers.
func (o office) do(ctx context.Context, q request) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var body bytes.Buffer
	if q.in != nil {
		if err := json.NewEncoder(&body).Encode(q.in); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, q.method, strings.TrimRight(o.site, "/")+"/api/v1"+q.path, &body)
	if err != nil {
		return err
	}
	r.Header.Set("Accept-Language", o.lang)
	if q.in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if o.key != "" {
		r.Header.Set("Authorization", "Bearer "+o.key)
	}
	if q.once != "" {
		r.Header.Set("Idempotency-Key", q.once)
	}
	if q.known != "" {
		r.Header.Set("If-None-Match", q.known)
	}
	answer, err := o.caller.Do(r)
	if err != nil {
		return unreachable(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return unreachable(err)
	case len(got) > maxAnswer:
		return unreachable(errors.New("the answer is too long"))
	case answer.StatusCode == http.StatusNotModified && q.known != "":
		return errKnown
	case answer.StatusCode >= http.StatusMultipleChoices:
		return refusal(answer.StatusCode, got)
	}
	switch out := q.out.(type) {
	case nil:
	case *[]byte:
		*out = got
	default:
		if err := json.Unmarshal(got, out); err != nil {
			return unreachable(err)
		}
	}
	return nil
}

func unreachable(err error) error {
	return &fiscal.Error{Of: fiscal.Unavailable, Field: "operator", Err: err}
}

// refusal is what a status other than success means.
func refusal(status int, body []byte) error {
	t := Told{}
	kind, known := toldKinds[status]
	if json.Unmarshal(body, &t) != nil || t.Title == "" || !known {
		return unreachable(fmt.Errorf("the operator answers %d", status))
	}
	t.Status = status
	if status == http.StatusUnauthorized { // our key does not hold any more
		return &fiscal.Error{Of: kind, Field: "key", Err: &t}
	}
	return &fiscal.Error{Of: kind, Field: t.Field, Err: &t}
}

// office is the operator's API for the company that an account is linked to.
//
// Errors: Denied without the right to settings; NotFound with the Field
// "company" if none is linked.
func (t *Till) office(s *Seat, lang string) (office, error) {
	if err := s.must(MaySettings); err != nil {
		return office{}, err
	}
	if s.Account.Bound == nil {
		return office{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "company"}
	}
	return office{t.caller, t.cfg.Check, s.Account.Bound.Key, lang}, nil
}

// list reads a whole list of the operator's, page by page.
func list[T any](ctx context.Context, o office, path string, most int) (all []T, err error) {
	for after := ""; ; {
		var page struct {
			Items []T    `json:"items"`
			Next  string `json:"next"`
		}
		q := path
		if after != "" {
			mark := "?"
			if strings.Contains(path, "?") {
				mark = "&"
			}
			q += mark + "after=" + url.QueryEscape(after)
		}
		if err := o.do(ctx, request{method: http.MethodGet, path: q, out: &page}); err != nil {
			return all, err
		}
		if all = append(all, page.Items...); page.Next == "" || len(all) >= most {
			return all, nil
		}
		after = page.Next
	}
}
