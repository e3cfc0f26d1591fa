package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// exchange serves a part of the exchange, faults included.
func (s *Server) exchange(at Place, do serve) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.faults.clock() != 0 {
			w.Header().Set("Date", s.now().Format(http.TimeFormat))
		}
		struck := s.faults.strike(at, s.cfg.Dice, Slow, Broken, Busy, Lost, Rubbish, Empty, Half, Foreign, Elsewhere)
		for _, f := range struck {
			if f.Kind == Slow && !linger(r.Context(), time.Duration(f.Millis)*time.Millisecond) {
				return
			}
		}
		var after FaultKind // what becomes of the answer
		for _, f := range struck {
			switch f.Kind {
			case Slow:
			case Lost, Empty, Half, Foreign:
				after = f.Kind
			default:
				f.fail(w)
				return
			}
		}
		if after == "" {
			s.answerTo(w, r, do)
			return
		}
		heard := &unheard{header: http.Header{}, status: http.StatusOK}
		s.answerTo(heard, r, do)
		heard.tell(w, after)
	})
}

// fail answers without having done anything.
func (f *Fault) fail(w http.ResponseWriter) {
	switch f.Kind {
	case Broken:
		answerProblem(w, http.StatusInternalServerError, "a fault that was asked for")
	case Busy:
		w.Header().Set("Retry-After", strconv.Itoa(f.Seconds))
		answerProblem(w, http.StatusServiceUnavailable, "a fault that was asked for")
	case Rubbish:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html><body>Bad gateway? <b>No: a fault that was asked for"))
	case Elsewhere:
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
	}
}

// unheard is an answer that does not leave as it is.
type unheard struct {
	header http.Header
	status int
	body   bytes.Buffer // an answer has a bound
}

func (u *unheard) Header() http.Header         { return u.header }
func (u *unheard) WriteHeader(status int)      { u.status = status }
func (u *unheard) Write(b []byte) (int, error) { return u.body.Write(b) }

// tell sends what is left of the answer.
func (u *unheard) tell(w http.ResponseWriter, how FaultKind) {
	text := u.body.Bytes()
	switch how {
	case Empty:
		w.WriteHeader(http.StatusOK)
		return
	case Foreign:
		text = toSomethingElse(text)
	case Half:
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		text = text[:len(text)/2]
	default: // lost
		panic(http.ErrAbortHandler) // cuts the connection
	}
	if kind := u.header.Get("Content-Type"); kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	w.WriteHeader(u.status)
	_, _ = w.Write(text)
	if how == Half {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// toSomethingElse changes in an answer what it says that it answers.
func toSomethingElse(text []byte) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil {
		return text
	}
	for _, name := range []string{"batch", "id"} {
		if _, ok := members[name]; ok || name == "batch" {
			members[name] = json.RawMessage(`"another"`)
		}
	}
	changed, err := json.Marshal(members)
	if err != nil {
		return text
	}
	return changed
}

// linger waits, and reports whether somebody still waits for the answer.
func linger(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
