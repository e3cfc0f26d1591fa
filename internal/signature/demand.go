package signature

import (
	"slices"

	"openofd/internal/fiscal"
)

// Demand is what a document asks of its signer, beside a good signature. The
// zero value asks nothing.
type Demand struct {
	// Taxpayer is for whom the owner must sign: BIN, IIN or INN. Empty: anyone.
	Taxpayer fiscal.XIN
	// Entity asks for an organization's certificate whose owner may sign for it.
	Entity bool
	// Keys are the kinds of keys that are taken. Empty: every kind.
	Keys []KeyKind
}

// Check holds an owner against the demand. The error holds a *Refusal:
// OtherTaxpayer, PersonalKey, NoRightToSign or OtherKeyKind.
func (d Demand) Check(o *Owner) error {
	if refused := d.refuse(o); refused != nil {
		refused.Owner = o
		return crossing(refused)
	}
	return nil
}

func (d Demand) refuse(o *Owner) *Refusal {
	switch {
	case d.Entity && !o.Entity():
		return refuse(PersonalKey, "the certificate names no organization")
	case d.Taxpayer != "" && o.Taxpayer() != d.Taxpayer:
		return refuse(OtherTaxpayer, "the certificate bears another number") // no numbers here: an IIN is a person's
	case o.Entity() && (d.Entity || d.Taxpayer != "") && !o.Signs():
		return refuse(NoRightToSign, "the role is %s", o.Role)
	case len(d.Keys) > 0 && !slices.Contains(d.Keys, o.Key):
		return refuse(OtherKeyKind, "the key is %s", o.Key)
	}
	return nil
}
