package access

import (
	_ "embed"
	"strings"
	"unicode/utf8"
)

// minPassword is the shortest password of a person, in characters. No rule asks
// for kinds of characters: length and not being known are what helps.
// Source: NIST SP 800-63B §3.1.1.
const minPassword = 10

// breached are passwords that leaked most often, lower case, one a line,
// sorted: those long enough to pass otherwise, and common words that pass with
// digits behind them. From the list of zxcvbn-ts (MIT), itself made of lists of
// leaked passwords.
//
//go:embed breached.txt
var breached string

// checkPassword is Invalid if a password is too short, too long, known from
// leaks, or made of what everybody knows of this person.
func checkPassword(password, email, name string) error {
	low := strings.ToLower(password)
	local, _, _ := strings.Cut(email, "@")
	switch {
	case password == "":
		return missing("password")
	case utf8.RuneCountInString(password) < minPassword:
		return bad("password", "short")
	case len(password) > MaxPassword || !utf8.ValidString(password):
		return bad("password", "long")
	case leaked(low) || repeats(low):
		return bad("password", "known")
	case low == email || len(local) > 3 && strings.HasPrefix(low, local) && len(low) < len(local)+4 || low == strings.ToLower(name):
		return bad("password", "own")
	}
	return nil
}

// leaked finds a password in the list, and with digits or marks behind it.
func leaked(low string) bool {
	for _, s := range [...]string{low, strings.TrimRight(low, "0123456789!.?*")} {
		if len(s) >= 6 && strings.Contains(breached, "\n"+s+"\n") {
			return true
		}
	}
	return false
}

// repeats reports whether a password is few characters over and over, or a run
// of neighbors.
func repeats(low string) bool {
	seen := map[rune]bool{}
	runs, last := 0, rune(0)
	for _, r := range low {
		seen[r] = true
		if d := r - last; d == 1 || d == -1 {
			runs++
		}
		last = r
	}
	return len(seen) < 5 || runs >= utf8.RuneCountInString(low)-3
}
