package signature

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
)

// TestOwner: what a subject says, and what it only seems to say.
func TestOwner(t *testing.T) {
	root := (*made)(nil).make(t, "root", nil)
	name := func(pairs ...any) (n pkix.Name) {
		for i := 0; i < len(pairs); i += 2 {
			n.ExtraNames = append(n.ExtraNames, pkix.AttributeTypeAndValue{Type: pairs[i].(asn1.ObjectIdentifier), Value: pairs[i+1]})
		}
		return n
	}
	var (
		cn     = asn1.ObjectIdentifier{2, 5, 4, 3}
		serial = asn1.ObjectIdentifier{2, 5, 4, 5}
		unit   = asn1.ObjectIdentifier{2, 5, 4, 11}
		inn    = asn1.ObjectIdentifier{1, 2, 643, 3, 131, 1, 1}
		orgINN = asn1.ObjectIdentifier{1, 2, 643, 100, 4}
		ogrn   = asn1.ObjectIdentifier{1, 2, 643, 100, 1}
	)
	tests := []struct {
		name    string
		subject pkix.Name
		want    Owner
	}{
		{"a person", name(cn, "A B", serial, "IIN800101300125"), Owner{Country: "kz", Name: "A B", IIN: "800101300125"}},
		{"another serial number beside the IIN", name(cn, "A B", serial, "77", serial, "IIN800101300125"), Owner{Country: "kz", Name: "A B", IIN: "800101300125"}},
		{"the IIN twice", name(cn, "A", serial, "IIN800101300125", serial, "IIN800101300125"), Owner{Country: "kz", Name: "A", IIN: "800101300125"}},
		{"two IINs", name(cn, "A", serial, "IIN800101300125", serial, "IIN900512450034"), Owner{Name: "A"}},
		{"an IIN too short", name(cn, "A", serial, "IIN80010130012"), Owner{Name: "A"}},
		{"an IIN with letters", name(cn, "A", serial, "IIN80010130012X"), Owner{Name: "A"}},
		{"digits of another script", name(cn, "A", serial, "IIN٨٠٠١٠١"), Owner{Name: "A"}},
		{"a BIN where the IIN belongs", name(cn, "A", serial, "BIN150340000179"), Owner{Name: "A"}},
		{"an organization's department", name(cn, "A", serial, "IIN800101300125", unit, "Sales", unit, "BIN150340000179"), Owner{Country: "kz", Name: "A", IIN: "800101300125", BIN: "150340000179"}},
		{"letters that steer a terminal", name(cn, "A\x1b[2J\u202eB", serial, "IIN800101300125"), Owner{Country: "kz", Name: "A\ufffd[2J\ufffdB", IIN: "800101300125"}},
		{"a Russian organization, its number padded", name(cn, "O", inn, "007700123459", ogrn, "1027700123450"), Owner{Country: "ru", Organization: "O", Role: RoleOrganization, OrgINN: "7700123459", OGRN: "1027700123450"}},
		{"both forms of the number", name(cn, "O", inn, "007700123459", orgINN, "7700123459"), Owner{Country: "ru", Organization: "O", Role: RoleOrganization, OrgINN: "7700123459"}},
		{"a Russian person", name(cn, "A B C", inn, "770012345606"), Owner{Country: "ru", Name: "A B C", Role: RolePerson, INN: "770012345606"}},
		{"nobody", name(cn, "A"), Owner{Name: "A"}},
	}
	for _, tt := range tests {
		c := root.make(t, "", func(c *x509.Certificate) { leaf(c); c.Subject = tt.subject })
		got := *ownerOf(c.certificate)
		got.Key, got.Serial, got.Issuer, got.NotBefore, got.NotAfter = tt.want.Key, "", "", tt.want.NotBefore, tt.want.NotAfter
		if got != tt.want {
			t.Errorf("%s: ownerOf() = %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
