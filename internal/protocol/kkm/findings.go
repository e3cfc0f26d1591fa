package kkm

import (
	"fmt"
	"strconv"

	"openofd/internal/fiscal"
)

// findings collect what is odd about a document. Online the first missing
// requisite, or else the first wrong value, refuses it; a replay is accepted
// with the flags alone, for a refusal would freeze the device.
// Source: KKM reference §4 (order of checks), §8, §9.3.
type findings struct {
	flags    fiscal.Flags
	missing  string        // field
	wrong    string        // field
	reason   fiscal.Reason // of wrong
	detail   string        // of wrong
	hopeless string        // field of a value that no store can hold: refused even in a replay
}

// place names a field; its text is made only when something is wrong there.
type place struct {
	list string // repeated field, "" none
	i    int    // index in list
	body string // message within, "" none
	name string
}

func at(name string) place { return place{name: name} }

func line(i int, body, name string) place { return place{"items", i, body, name} }

// String is the path in the protocol's names: "items[3].commodity.sum".
func (p place) String() string {
	s := p.name
	if p.body != "" && s != "" {
		s = p.body + "." + s
	} else if p.body != "" {
		s = p.body
	}
	if p.list != "" {
		s = p.list + "[" + strconv.Itoa(p.i) + "]." + s
	}
	return s
}

func (f *findings) flag(g fiscal.Flags) { f.flags |= g }

// lacks notes a mandatory requisite that is absent.
func (f *findings) lacks(field place, g fiscal.Flags) {
	f.flags |= g
	if f.missing == "" {
		f.missing = field.String()
	}
}

// bad notes a value that cannot be right. Detail names values for the maker of
// the register, never the buyer's data.
func (f *findings) bad(field place, g fiscal.Flags, detail string, args ...any) {
	f.badFor(fiscal.BadValue, field, g, detail, args...)
}

func (f *findings) badFor(r fiscal.Reason, field place, g fiscal.Flags, detail string, args ...any) {
	f.flags |= g
	if f.wrong == "" {
		f.wrong, f.reason, f.detail = field.String(), r, fmt.Sprintf(detail, args...)
	}
}

// cannotStore notes a value that cannot be represented.
func (f *findings) cannotStore(field place) {
	if f.hopeless == "" {
		f.hopeless = field.String()
	}
}

// verdict is the refusal that the findings demand, NoReason if none.
func (f *findings) verdict(replay bool) (r fiscal.Reason, field, detail string) {
	switch {
	case replay && f.hopeless != "":
		return fiscal.BadValue, f.hopeless, "the value does not fit any store"
	case replay:
		return fiscal.NoReason, "", ""
	case f.missing != "":
		return fiscal.MissingParameter, f.missing, "mandatory in this version"
	case f.hopeless != "":
		return fiscal.BadValue, f.hopeless, "the amount is too large, or has 100 tiyn or more"
	case f.wrong != "":
		return f.reason, f.wrong, f.detail
	}
	return fiscal.NoReason, "", ""
}
