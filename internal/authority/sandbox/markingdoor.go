package sandbox

import (
	"encoding/json"
	"errors"
	"net/http"

	"openofd/internal/authority/marking"
)

// askMarking passes a message of a register on to who answers for marked goods.
// No answer is 503: the register asks again.
func (s *Server) askMarking(w http.ResponseWriter, r *http.Request, _ int64) error {
	body, err := s.body(w, r, marking.MaxMessage)
	if err != nil {
		return err
	}
	var q marking.Request
	if err := json.Unmarshal(body, &q); err != nil {
		return malformed("the body is no request: %v", err)
	}
	if q.Format != marking.Format || len(q.Message) == 0 {
		return unprocessable("format is %s, and message holds header and container", marking.Format)
	}
	if s.cfg.Marking == nil {
		return &refused{status: http.StatusNotImplemented, detail: "nobody answers for marked goods here"}
	}
	container, err := s.cfg.Marking.Ask(r.Context(), q.Message)
	if err != nil {
		return errors.Join(&refused{status: http.StatusServiceUnavailable, detail: "the marking system does not answer: " + err.Error(), after: 1}, err)
	}
	answerJSON(w, marking.Answer{Container: container})
	return nil
}
