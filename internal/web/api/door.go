package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// caller is a program that has shown a key, and how it wants to be answered.
type caller struct {
	*access.Actor
	key    access.APIKey
	locale *ui.Locale
}

type callerKey struct{}

// maxBody and maxSigned bound what a request may send, in bytes; the latter with
// a signature in it.
const (
	maxBody   = 64 << 10
	maxSigned = 768 << 10
)

func bodyLimit(path string) int64 {
	if strings.HasSuffix(path, "/signature") || linking(path) || linking(Prefix+path) {
		return maxSigned
	}
	if path == comparePath || path == Prefix+comparePath {
		return maxCompared
	}
	return maxBody
}

// withKey lets a program in that shows a key, as often as its measure allows.
func (h *Handler) withKey(w http.ResponseWriter, r *http.Request) {
	address := h.cfg.Address(r)
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		h.Fail(w, r, &fiscal.Error{Of: fiscal.Unauthenticated, Field: "key"})
		return
	}
	if l := h.knocks.take(address, 0); l.remaining == 0 {
		h.Fail(w, r, &fiscal.Error{Reason: fiscal.RateLimited, Err: &ui.RetryError{After: h.knocks.after(l)}})
		return
	}
	a, key, err := h.cfg.Access.ResumeKey(r.Context(), strings.TrimSpace(token), access.Visit{Address: address, Agent: r.UserAgent()})
	if err != nil {
		if errors.Is(err, fiscal.Unauthenticated) {
			h.knocks.take(address, 1)
		}
		h.Fail(w, r, err)
		return
	}
	l := h.keys.take(strconv.FormatInt(int64(key.ID), 10), 1)
	w.Header().Set("RateLimit-Limit", strconv.Itoa(l.limit))
	w.Header().Set("RateLimit-Remaining", strconv.Itoa(l.remaining))
	w.Header().Set("RateLimit-Reset", strconv.Itoa(l.reset))
	if l.wait > 0 {
		h.Fail(w, r, &fiscal.Error{Reason: fiscal.RateLimited, Err: &ui.RetryError{After: l.wait}})
		return
	}
	c := &caller{Actor: &a, key: key, locale: h.cfg.Locales.For(r, language)}
	r = r.WithContext(context.WithValue(r.Context(), callerKey{}, c))
	limit := bodyLimit(r.URL.Path)
	if r.ContentLength > limit {
		h.tooLarge(w, r)
		return
	}
	if r.Body != nil {
		r.Body = http.MaxBytesReader(w, r.Body, limit)
	}
	if name := r.Header.Get(onceHeader); r.Method == http.MethodPost && name != "" && r.URL.Path != Prefix+comparePath { // a comparison changes nothing
		h.once(w, r, c, name)
		return
	}
	h.mux.ServeHTTP(w, r)
}

// tooLarge refuses a body without reading it.
func (h *Handler) tooLarge(w http.ResponseWriter, r *http.Request) {
	f := h.fault(&fiscal.Error{Reason: fiscal.BadForm, Field: "body"}, h.cfg.Locales.For(r, language), r.URL.Path)
	f.Status = http.StatusRequestEntityTooLarge
	w.Header().Set("Connection", "close")
	h.fail(w, f)
}

// onceHeader names a request that is to be done once.
const onceHeader = "Idempotency-Key"

// answered is an answer as it is kept.
type answered struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// keptHeaders are those of an answer that are given again.
var keptHeaders = []string{"Content-Type", "Content-Language", "Vary", "Location", "Etag"}

// once does a request that a program named, or gives the answer that it had. A
// request that was refused changed nothing, so that it may be made again.
func (h *Handler) once(w http.ResponseWriter, r *http.Request, c *caller, name string) {
	body, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		h.tooLarge(w, r)
		return
	case err != nil:
		h.Fail(w, r, &fiscal.Error{Reason: fiscal.BadForm, Field: "body", Err: err})
		return
	}
	request := append([]byte(r.Method+" "+r.URL.RequestURI()+"\n"), body...)
	kept, again, err := h.cfg.Access.Once(r.Context(), c.Actor, name, request)
	if err != nil {
		h.Fail(w, r, err)
		return
	}
	if again {
		var a answered
		if err := json.Unmarshal(kept, &a); err != nil {
			h.Fail(w, r, &fiscal.Error{Of: fiscal.Corrupt, Field: "reply", Err: err})
			return
		}
		w.Header().Set("Idempotent-Replayed", "true")
		a.send(w)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := &recorder{header: http.Header{}}
	h.mux.ServeHTTP(rec, r)
	// What was done stays done though the client be gone, so its answer is kept.
	ctx := context.WithoutCancel(r.Context())
	if rec.status >= http.StatusBadRequest {
		err = h.cfg.Access.Forgo(ctx, c.Actor, name)
	} else {
		err = h.keep(ctx, c, name, request, rec)
	}
	if err != nil {
		h.cfg.Log.Error("answer not kept", "key", c.key.ID, "err", err)
	}
	for k, v := range rec.header {
		w.Header()[k] = v
	}
	w.WriteHeader(rec.status)
	_, _ = w.Write(rec.body.Bytes()) // the client is gone: nothing to tell it
}

func (h *Handler) keep(ctx context.Context, c *caller, name string, request []byte, rec *recorder) error {
	a := answered{Status: rec.status, Header: http.Header{}, Body: rec.body.Bytes()}
	for _, k := range keptHeaders {
		if v, ok := rec.header[k]; ok {
			a.Header[k] = v
		}
	}
	b, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("word an answer: %w", err)
	}
	return h.cfg.Access.Replied(ctx, c.Actor, name, request, b)
}

func (a *answered) send(w http.ResponseWriter) {
	for k, v := range a.Header {
		w.Header()[k] = v
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // the client is gone: nothing to tell it
}

// recorder is an answer on its way into a reply.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}
