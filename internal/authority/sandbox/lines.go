package sandbox

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"openofd/internal/authority/kgd"
	"openofd/internal/fiscal"
)

// refused is an answer that is an error.
type refused struct {
	status int
	detail string
	after  int // seconds to wait, 0 none
}

func (e *refused) Error() string { return e.detail }

func tooLarge(what string) error {
	return &refused{status: http.StatusRequestEntityTooLarge, detail: what}
}

func malformed(format string, args ...any) error {
	return &refused{status: http.StatusBadRequest, detail: fmt.Sprintf(format, args...)}
}

// unprocessable is for what is no message of the exchange at all.
func unprocessable(format string, args ...any) error {
	return &refused{status: http.StatusUnprocessableEntity, detail: fmt.Sprintf(format, args...)}
}

// answerError answers with what went wrong.
func (s *Server) answerError(w http.ResponseWriter, r *http.Request, err error) {
	var e *refused
	if errors.As(err, &e) {
		if e.after > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(e.after))
		}
		answerProblem(w, e.status, e.detail)
		return
	}
	if r.Context().Err() != nil {
		answerProblem(w, http.StatusServiceUnavailable, "the request was given up")
		return
	}
	s.cfg.Log.Error("request failed", "path", r.URL.Path, "err", err)
	if errors.Is(err, fiscal.Unavailable) {
		w.Header().Set("Retry-After", "5")
		answerProblem(w, http.StatusServiceUnavailable, "the store does not answer")
		return
	}
	answerProblem(w, http.StatusInternalServerError, "")
}

// answerProblem answers with an error. Source: RFC 9457.
func answerProblem(w http.ResponseWriter, status int, detail string) {
	answer(w, status, kgd.TypeProblem, kgd.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail})
}

func answerJSON(w http.ResponseWriter, v any) { answer(w, http.StatusOK, kgd.TypeJSON, v) }

func answer(w http.ResponseWriter, status int, kind string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client is gone: nothing to tell it
}

// readFor is how long a body may take to come in.
const readFor = time.Minute

// body reads what a request brings, unpacked; longer than limit is 413.
func (s *Server) body(w http.ResponseWriter, r *http.Request, limit int) ([]byte, error) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readFor)) // where there is a connection
	if r.ContentLength > int64(limit) {
		return nil, tooLarge(fmt.Sprintf("a body has %d bytes at most", limit))
	}
	var from io.Reader = http.MaxBytesReader(w, r.Body, int64(limit))
	size := r.ContentLength
	switch r.Header.Get("Content-Encoding") {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(from)
		if err != nil {
			return nil, malformed("the body is not gzip: %v", err)
		}
		from, size = unpacked, 4*size
	default:
		return nil, &refused{status: http.StatusUnsupportedMediaType, detail: "a body is plain or gzip"}
	}
	var b bytes.Buffer
	if size > 0 {
		b.Grow(min(int(size), limit) + bytes.MinRead)
	}
	n, err := b.ReadFrom(io.LimitReader(from, int64(limit)+1))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over), n > int64(limit):
		return nil, tooLarge(fmt.Sprintf("a body has %d bytes at most, unpacked", limit))
	case err != nil:
		return nil, malformed("the body ends too early: %v", err)
	}
	return b.Bytes(), nil
}

// each calls do with every line, numbered from 1.
func each(body []byte, do func(n int, line []byte) error) error {
	n := 0
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if n++; n > kgd.MaxLines {
			return tooLarge(fmt.Sprintf("a batch has %d lines at most", kgd.MaxLines))
		}
		if len(line) > kgd.MaxLine {
			return tooLarge(fmt.Sprintf("line %d: a line has %d bytes at most", n, kgd.MaxLine))
		}
		if err := do(n, line); err != nil {
			return err
		}
	}
	if n == 0 {
		return malformed("there are no lines")
	}
	return nil
}

// place waits for room in memory; who does not get any comes back later.
func (s *Server) place() (leave func(), err error) {
	select {
	case s.batches <- struct{}{}:
		return func() { <-s.batches }, nil
	default:
		return nil, &refused{status: http.StatusServiceUnavailable, detail: "there are as many batches under way as there may be", after: 1}
	}
}

// batchOf is the name that a batch was given, if it is one that can be told back.
func batchOf(r *http.Request) string {
	if name := r.Header.Get(kgd.HeaderKey); len(name) <= 64 {
		return name
	}
	return ""
}

// takeLines takes a batch of documents.
func (s *Server) takeLines(what string, c country, parse func([]byte) (document, error)) serve {
	return func(w http.ResponseWriter, r *http.Request, operator int64) error {
		leave, err := s.place()
		if err != nil {
			return err
		}
		defer leave()
		body, err := s.body(w, r, kgd.MaxBatch)
		if err != nil {
			return err
		}
		b := batch{operator: operator, country: c, what: what, taken: kgd.Taken{Batch: batchOf(r), Refused: []kgd.Refusal{}}}
		err = each(body, func(n int, line []byte) error {
			d, err := parse(line)
			if err == nil {
				b.lines = append(b.lines, d)
				return nil
			}
			var rule *wrong
			switch {
			case errors.As(err, &rule) && d.id != "":
				b.refuse(strings.ToValidUTF8(d.id[:min(len(d.id), 100)], ""), rule.Error())
				return nil
			default: // no document can be named: whoever sends fewer lines finds out which
				return unprocessable("line %d: %v", n, err)
			}
		})
		if err != nil {
			return err
		}
		lost := 0
		if len(b.lines) > 0 && len(s.faults.strike(Place(what), s.cfg.Dice, Losing)) > 0 {
			lost, b.lines = 1, b.lines[1:]
		}
		if err := b.store(r.Context(), s.file, s.now().UnixMicro()); err != nil {
			return err
		}
		b.taken.Taken += lost
		answerJSON(w, &b.taken)
		return nil
	}
}
