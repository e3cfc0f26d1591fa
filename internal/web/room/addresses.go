package room

import (
	"net/http"
	"slices"
)

// addresses leads requests to handlers, and knows what it was told, so that a
// test can ask for each.
type addresses struct {
	http.ServeMux
	patterns []string
}

// HandleFunc adds a pattern with its handler.
func (m *addresses) HandleFunc(pattern string, do func(http.ResponseWriter, *http.Request)) {
	m.patterns = append(m.patterns, pattern)
	m.ServeMux.HandleFunc(pattern, do)
}

// Patterns lists the addresses of the rooms with their methods, as an
// http.ServeMux spells them.
func (h *Handler) Patterns() []string { return slices.Clone(h.mux.patterns) }
