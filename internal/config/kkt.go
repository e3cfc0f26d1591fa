package config

import (
	"fmt"
	"slices"
)

// KKT is how we speak with registers of Russia.
type KKT struct {
	// UnknownDrives is what becomes of a registration report from a fiscal drive
	// that nobody has entered.
	UnknownDrives Unknown `toml:"unknown_drives"`
	// Severities are what broken rules cost, by identifier or key of the table of
	// rules, which is in docs/ffd-tags.md, and "KEY VERSION" in one version of the
	// format.
	Severities map[string]Severity `toml:"severities"`
}

// Unknown is what becomes of the report of a fiscal drive that nobody has
// entered. The zero value is UnknownContract.
type Unknown struct{ Name string }

// The names of Unknown.
const (
	UnknownContract = "contract" // those of taxpayers that are written down are taken up
	UnknownDrop     = "drop"     // none is
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (u *Unknown) UnmarshalText(text []byte) error {
	switch name := string(text); name {
	case UnknownContract, UnknownDrop:
		u.Name = name
		return nil
	}
	return fmt.Errorf("%q is neither contract, which takes up the drives of taxpayers that are written down, nor drop", text)
}

// Severity is what a broken rule costs.
type Severity struct{ Name string }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Severity) UnmarshalText(text []byte) error {
	if !slices.Contains([]string{"off", "warn", "refuse", "unreadable"}, string(text)) {
		return fmt.Errorf("%q is no severity; there are off, warn, refuse and unreadable", text)
	}
	s.Name = string(text)
	return nil
}
