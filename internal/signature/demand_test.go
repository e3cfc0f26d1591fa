package signature

import (
	"errors"
	"testing"

	"openofd/internal/fiscal"
)

// TestDemand: a good signature is not yet the one that was asked for.
//
// Req: E-036, E-075
func TestDemand(t *testing.T) {
	rsa := with(testPerson, func(o *Owner) { o.Key = KeyRSA })
	head := with(testHead, func(o *Owner) { o.Key = KeyGOST })
	employee := with(head, func(o *Owner) { o.Role = RoleEmployee })
	onlyOGRN := Owner{OGRN: "1027700123450", INN: "770012345606", Role: RoleHead}
	tests := []struct {
		name   string
		owner  Owner
		demand Demand
		want   Reason
	}{
		{"nothing asked", employee, Demand{}, NoReason},
		{"a person for himself", rsa, Demand{Taxpayer: "800101300125"}, NoReason},
		{"a person with the kind of key that is asked", rsa, Demand{Taxpayer: "800101300125", Keys: []KeyKind{KeyRSA, KeyGOST}}, NoReason},
		{"the head for the organization", head, Demand{Taxpayer: "150340000179", Entity: true, Keys: []KeyKind{KeyGOST}}, NoReason},
		{"the head of a Russian organization", testRuHead, Demand{Taxpayer: "7700123459", Entity: true}, NoReason},
		{"a Russian person", testRussian, Demand{Taxpayer: "770012345606"}, NoReason},
		{"another person", rsa, Demand{Taxpayer: "900512450034"}, OtherTaxpayer},
		{"the head with her own number", head, Demand{Taxpayer: "900512450034"}, OtherTaxpayer},
		{"another organization", head, Demand{Taxpayer: "150340000189", Entity: true}, OtherTaxpayer},
		{"an organization whose INN is not said", onlyOGRN, Demand{Taxpayer: "770012345606"}, OtherTaxpayer},
		{"a person for an organization", rsa, Demand{Taxpayer: "150340000179", Entity: true}, PersonalKey},
		{"an employee for the organization", employee, Demand{Taxpayer: "150340000179", Entity: true}, NoRightToSign},
		{"an employee, the organization not asked for", employee, Demand{Taxpayer: "150340000179"}, NoRightToSign},
		{"RSA for an organization", with(head, func(o *Owner) { o.Key = KeyRSA }), Demand{Taxpayer: "150340000179", Entity: true, Keys: []KeyKind{KeyGOST}}, OtherKeyKind},
	}
	for _, tt := range tests {
		err := tt.demand.Check(&tt.owner)
		if tt.want == NoReason && err != nil || tt.want != NoReason && (!errors.Is(err, tt.want) || !errors.Is(err, fiscal.Denied)) {
			t.Errorf("%s: Check() = %v, want %v", tt.name, err, tt.want)
		}
		if refusal := RefusalOf(err); refusal != nil && refusal.Owner == nil {
			t.Errorf("%s: the refusal does not say whose certificate it is", tt.name)
		}
	}
}

// TestRoles: the right to sign belongs to the roles that say so.
func TestRoles(t *testing.T) {
	signs := map[Role]bool{RoleHead: true, RoleSigns: true, RoleSignsMoney: true, RoleOrganization: true}
	names := make(map[string]bool)
	for _, r := range Roles() {
		o := Owner{Role: r}
		if o.Signs() != signs[r] {
			t.Errorf("%v signs: %t, want %t", r, o.Signs(), signs[r])
		}
		names[r.String()] = true
	}
	if len(names) != len(Roles()) {
		t.Errorf("%d names for %d roles", len(names), len(Roles()))
	}
}
