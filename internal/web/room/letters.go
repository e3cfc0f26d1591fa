package room

import (
	"net/http"
	"time"
)

// Letter is one that was kept instead of being sent.
type Letter struct {
	To, Subject, Text string
	At                time.Time
}

// letters shows what a sink keeps: in a demo, the post of everybody.
func (h *Handler) letters(w http.ResponseWriter, r *http.Request) {
	h.outside(w, r, http.StatusOK, "letters.html", "letters.title", h.cfg.Letters())
}
