package config

import (
	"fmt"
	"slices"

	"openofd/internal/fiscal"
)

// Service is what becomes of registers without a contract.
type Service struct {
	// Ended is what becomes of their documents once the contract and its days of
	// grace are over.
	Ended Ended `toml:"ended"`
	// Contract tells whether a register needs one at all.
	Contract Need `toml:"contract"`
	// Text is shown by registers that are refused, behind the reason.
	Text fiscal.Text `toml:"text"`
	// Models is a file with an operator's own lines of the register of models.
	Models string `toml:"models"`
}

// Rule is the same for those who judge.
func (s *Service) Rule() fiscal.ServiceRule {
	return fiscal.ServiceRule{Refuse: s.Ended.Name != EndedWarn, Required: s.Contract.Name == NeedRequired, Text: s.Text}
}

// Ended is what becomes of documents after the end. The zero value is
// EndedRefuse.
type Ended struct{ Name string }

// The names of Ended.
const (
	EndedRefuse = "refuse"
	EndedWarn   = "warn" // they are taken, with a finding
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (e *Ended) UnmarshalText(text []byte) error {
	return oneOf(&e.Name, text, EndedRefuse, EndedWarn)
}

// Need is whether there must be a contract. The zero value is NeedOptional.
type Need struct{ Name string }

// The names of Need.
const (
	NeedOptional = "optional" // a register of which none was recorded is served
	NeedRequired = "required"
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *Need) UnmarshalText(text []byte) error {
	return oneOf(&n.Name, text, NeedOptional, NeedRequired)
}

func oneOf(to *string, text []byte, a, b string) error {
	if !slices.Contains([]string{a, b}, string(text)) {
		return fmt.Errorf("%q is neither %s nor %s", text, a, b)
	}
	*to = string(text)
	return nil
}
