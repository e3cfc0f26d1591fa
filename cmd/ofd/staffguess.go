package main

import (
	"strconv"
	"strings"

	"openofd/internal/cabinet"
	"openofd/internal/registry"
)

// staffGuess is what a text that staff look for may be. What it cannot be is
// empty.
type staffGuess struct {
	Number             string // of a client, or any of a register
	Register, Document string // numbers of a register and of its document
	Check              *cabinet.Query
	Application        registry.ApplicationID
	Words              string // lower case: a client's title, a factory number
}

// guessStaff takes a text for the text of a QR code, for the number of an
// application (№ 17), for a number of a register and one of its document, for
// one number, in groups or not, and for words.
func guessStaff(text string) (g staffGuess) {
	text = strings.TrimSpace(text)
	if values, ok := cabinet.Pasted(text); ok {
		if q, err := cabinet.ParseQuery(values); err == nil {
			return staffGuess{Check: &q}
		}
	}
	if rest := strings.TrimSpace(strings.TrimLeft(text, "№#")); rest != text && digits(rest) {
		if n, err := strconv.ParseInt(rest, 10, 64); err == nil && n > 0 {
			return staffGuess{Application: registry.ApplicationID(n)}
		}
	}
	words := strings.Fields(text)
	numbers := len(words) > 0
	for _, w := range words {
		numbers = numbers && digits(w)
	}
	g.Words = strings.ToLower(strings.Join(words, " "))
	switch {
	case !numbers:
	case len(words) == 2:
		g.Register, g.Document = words[0], words[1]
		g.Number = strings.Join(words, "")
	default: // as paper groups them: 0101 0190 7421
		g.Number = strings.Join(words, "")
	}
	return g
}
