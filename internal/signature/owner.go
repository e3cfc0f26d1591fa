package signature

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode"

	"openofd/internal/fiscal"
)

// Role is what the owner of a certificate is to the organization in it.
type Role uint8

// The roles.
const (
	RoleUnknown      Role = iota // the certificate does not say
	RolePerson                   // nobody's: a person signs for himself
	RoleHead                     // first head, who needs no power of attorney
	RoleSigns                    // may sign
	RoleSignsMoney               // may sign financial documents
	RoleStaff                    // human resources
	RoleEmployee                 // any other employee
	RoleOrganization             // the organization itself, or its information system
	roleCount
)

var roleNames = [roleCount]string{"unknown", "person", "head", "signs", "signs_money", "staff", "employee", "organization"}

// String is the role's stable name, for JSON and locale keys.
func (r Role) String() string {
	if r < roleCount {
		return roleNames[r]
	}
	return roleNames[RoleUnknown]
}

// MarshalText gives a role to JSON by its name.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a stored role; a name that is not known is RoleUnknown.
func (r *Role) UnmarshalText(b []byte) error {
	*r = Role(max(slices.Index(roleNames[:], string(b)), 0))
	return nil
}

// Roles lists every role, for the texts of the doors.
func Roles() []Role {
	all := make([]Role, roleCount)
	for i := range all {
		all[i] = Role(i)
	}
	return all
}

// Owner is what a certificate says of whom it was issued to.
type Owner struct {
	Country      string     `json:"country,omitempty"` // kz, ru, or empty
	Name         string     `json:"name,omitempty"`    // of the person
	Organization string     `json:"organization,omitempty"`
	Title        string     `json:"title,omitempty"` // position, in words (Russia)
	Role         Role       `json:"role"`
	IIN          fiscal.XIN `json:"iin,omitempty"`     // person, Kazakhstan
	BIN          fiscal.XIN `json:"bin,omitempty"`     // organization, Kazakhstan
	INN          fiscal.XIN `json:"inn,omitempty"`     // person or sole trader, Russia: 12 digits
	OrgINN       fiscal.XIN `json:"org_inn,omitempty"` // organization, Russia: 10 digits
	OGRN         string     `json:"ogrn,omitempty"`    // 13 digits
	OGRNIP       string     `json:"ogrnip,omitempty"`  // of a sole trader, 15 digits
	SNILS        string     `json:"snils,omitempty"`   // 11 digits
	Email        string     `json:"email,omitempty"`
	Key          KeyKind    `json:"key"`
	Serial       string     `json:"serial"` // hexadecimal
	Issuer       string     `json:"issuer"`
	NotBefore    time.Time  `json:"not_before"`
	NotAfter     time.Time  `json:"not_after"`
}

// Entity reports whether the certificate was issued to an organization.
func (o *Owner) Entity() bool { return o.BIN != "" || o.OrgINN != "" || o.OGRN != "" }

// Taxpayer is the number of the taxpayer for whom the owner signs: that of the
// organization where there is one, else the person's.
func (o *Owner) Taxpayer() fiscal.XIN {
	for _, n := range []fiscal.XIN{o.BIN, o.OrgINN} {
		if n != "" {
			return n
		}
	}
	if o.Entity() { // an organization that says its OGRN alone
		return ""
	}
	if o.IIN != "" {
		return o.IIN
	}
	return o.INN
}

// Signs reports whether the role alone gives the right to sign for the
// organization. A role that the certificate does not say gives none.
func (o *Owner) Signs() bool {
	return slices.Contains([]Role{RoleHead, RoleSigns, RoleSignsMoney, RoleOrganization}, o.Role)
}

// The names of a subject. The Russian ones are from the order of the FSB 795
// of 2011 on qualified certificates.
const (
	nameCommon       = "2.5.4.3"
	nameSurname      = "2.5.4.4"
	nameSerial       = "2.5.4.5"
	nameCountry      = "2.5.4.6"
	nameOrganization = "2.5.4.10"
	nameUnit         = "2.5.4.11"
	nameTitle        = "2.5.4.12"
	nameGiven        = "2.5.4.42"
	nameEmail        = "1.2.840.113549.1.9.1"
	nameINN          = "1.2.643.3.131.1.1"
	nameOGRN         = "1.2.643.100.1"
	nameSNILS        = "1.2.643.100.3"
	nameOrgINN       = "1.2.643.100.4"
	nameOGRNIP       = "1.2.643.100.5"
)

// purposes are the extended key usages of Kazakhstan's authority that say who
// the owner is. Where several stand, the last of the table counts: an
// organization's certificate names both the organization and the role.
var purposes = []struct {
	oid  string
	role Role
}{
	{"1.2.398.3.3.4.1.1", RolePerson},
	{"1.2.398.3.3.4.1.1.1", RolePerson},
	{"1.2.398.3.3.4.1.2.5", RoleEmployee},
	{"1.2.398.3.3.4.1.2.4", RoleStaff},
	{"1.2.398.3.3.4.1.2.6", RoleOrganization},
	{"1.2.398.3.3.4.1.2.3", RoleSignsMoney},
	{"1.2.398.3.3.4.1.2.2", RoleSigns},
	{"1.2.398.3.3.4.1.2.1", RoleHead},
}

// ownerOf reads the subject of a certificate.
func ownerOf(c *certificate) *Owner {
	said := make(map[string][]string)
	for _, n := range c.Subject.Names {
		if text, ok := n.Value.(string); ok {
			oid := n.Type.String()
			said[oid] = append(said[oid], clean(text))
		}
	}
	first := func(oid string) string {
		if len(said[oid]) > 0 {
			return said[oid][0]
		}
		return ""
	}
	number := func(oid string, n int) string { return only(said[oid], "", n) }
	o := &Owner{
		Organization: first(nameOrganization),
		Title:        first(nameTitle),
		Email:        first(nameEmail),
		Key:          c.key.kind(),
		Serial:       serialOf(c.Certificate),
		Issuer:       issuerOf(c.Certificate),
		NotBefore:    c.NotBefore.UTC(),
		NotAfter:     c.NotAfter.UTC(),
	}
	if o.Email == "" && len(c.EmailAddresses) > 0 {
		o.Email = clean(c.EmailAddresses[0])
	}
	o.IIN = fiscal.XIN(only(said[nameSerial], "IIN", 12))
	o.BIN = fiscal.XIN(only(said[nameUnit], "BIN", 12))
	if o.IIN != "" || o.BIN != "" {
		o.Country = "kz"
		o.Name = join(first(nameCommon), first(nameGiven))
		o.Role = kazakhRole(c.Certificate)
		return o
	}
	o.INN, o.OrgINN = fiscal.XIN(number(nameINN, 12)), fiscal.XIN(number(nameOrgINN, 10))
	o.OGRN, o.OGRNIP, o.SNILS = number(nameOGRN, 13), number(nameOGRNIP, 15), number(nameSNILS, 11)
	if o.INN != "" && strings.HasPrefix(string(o.INN), "00") { // an organization's, padded: so until 2022
		if o.OrgINN == "" {
			o.OrgINN = o.INN[2:]
		}
		o.INN = ""
	}
	named := first(nameSurname) != ""
	switch {
	case named:
		o.Name = strings.TrimSpace(first(nameSurname) + " " + first(nameGiven))
	case !o.Entity():
		o.Name = first(nameCommon)
	}
	if o.INN != "" || o.Entity() {
		o.Country = "ru"
		o.Role = russianRole(o, named)
	}
	if o.Entity() && o.Organization == "" {
		o.Organization = first(nameCommon)
	}
	return o
}

// kazakhRole reads the role from the extended key usage.
func kazakhRole(c *x509.Certificate) (role Role) {
	for _, p := range purposes {
		for _, oid := range c.UnknownExtKeyUsage {
			if oid.String() == p.oid {
				role = p.role
			}
		}
	}
	return role
}

// russianRole: a certificate of an organization names the person who acts for
// it without a power of attorney, or nobody when a machine signs; an employee
// signs with his own and a power of attorney beside it.
// Source: Federal Law 63-FZ, articles 14 and 17.2.
func russianRole(o *Owner, named bool) Role {
	switch {
	case !o.Entity():
		return RolePerson
	case named:
		return RoleHead
	}
	return RoleOrganization
}

// only finds the number of so many digits that stands behind a prefix, as in
// IIN123456789012. Two that differ are none: whose would it be?
func only(values []string, prefix string, digits int) (found string) {
	for _, v := range values {
		n, ok := strings.CutPrefix(v, prefix)
		if !ok || len(n) != digits || strings.Trim(n, "0123456789") != "" || n == found {
			continue
		}
		if found != "" {
			return ""
		}
		found = n
	}
	return found
}

// clean makes a text from a certificate, which nobody may have vouched for, fit
// to be shown: no control characters, no turning of the direction of writing.
func clean(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text))
}

// join puts a patronymic behind a name that lacks it.
func join(name, more string) string {
	if more == "" || strings.Contains(" "+name+" ", " "+more+" ") {
		return name
	}
	return strings.TrimSpace(name + " " + more)
}

func serialOf(c *x509.Certificate) string {
	if c.SerialNumber.Sign() == 0 {
		return "00"
	}
	text := new(big.Int).Abs(c.SerialNumber).Text(16)
	if len(text)%2 == 1 {
		text = "0" + text
	}
	return text
}

func issuerOf(c *x509.Certificate) string { return nameOf(&c.Issuer) }

// issuedTo is the name on a certificate.
func issuedTo(c *certificate) string { return nameOf(&c.Subject) }

func nameOf(n *pkix.Name) string {
	if n.CommonName != "" {
		return clean(n.CommonName)
	}
	return clean(n.String())
}
