package cabinet

import (
	"slices"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// Scope says whose documents a question is about: those of one taxpayer and, if
// the person is limited to outlets, of these. It cannot be made without a person
// who has the right.
type Scope struct {
	taxpayer fiscal.TaxpayerID
	outlets  []fiscal.OutletID // empty: all
}

// ScopeOf is what a person may see who has the right. Denied if they have not.
func ScopeOf(a *access.Actor, right access.Right) (Scope, error) {
	if err := a.Must(right); err != nil {
		return Scope{}, err
	}
	return Scope{taxpayer: a.Taxpayer, outlets: slices.Clone(a.Member.Outlets)}, nil
}

// Taxpayer is whose documents they are; 0 of a Scope that nobody made.
func (s *Scope) Taxpayer() fiscal.TaxpayerID { return s.taxpayer }

// sees reports whether an outlet is within the scope.
func (s *Scope) sees(o fiscal.OutletID) bool {
	return len(s.outlets) == 0 || slices.Contains(s.outlets, o)
}
