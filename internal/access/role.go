package access

import (
	"fmt"
	"slices"

	"openofd/internal/fiscal"
)

// Right is something a person may do in an organization.
type Right uint16

// The rights.
const (
	SeeStatus        Right = 1 << iota // registers: state, clocks, link, no sums
	SeeRevenue                         // receipts, reports, sums
	SeeDocuments                       // contracts, applications, signed files
	EditOrganization                   // legal address, details
	EditOutlets                        // and groups
	EditRegisters                      // names, settings, drafts of applications
	IssueToken                         // show a register's new token
	Apply                              // sign and send applications, accept the contract
	ManageUsers                        // invite, set roles, end access
	ManageKeys                         // keys of the API
	SeeAudit                           // what people did
	rightEnd
)

// Rights lists every right, for tables.
func Rights() (all []Right) {
	for r := Right(1); r < rightEnd; r <<= 1 {
		all = append(all, r)
	}
	return all
}

var rightNames = map[Right]string{
	SeeStatus: "see_status", SeeRevenue: "see_revenue", SeeDocuments: "see_documents", EditOrganization: "edit_organization",
	EditOutlets: "edit_outlets", EditRegisters: "edit_registers", IssueToken: "issue_token", Apply: "apply",
	ManageUsers: "manage_users", ManageKeys: "manage_keys", SeeAudit: "see_audit",
}

// String is the right's stable name, for locale keys and JSON.
func (r Right) String() string { return rightNames[r] }

// Role is what a person is in an organization. Each has its rights; Source:
// requirements P-058, P-083, E-090, O-041.
type Role string

// The roles.
const (
	Owner         Role = "owner"
	Administrator Role = "administrator"
	Accountant    Role = "accountant"
	Manager       Role = "manager"    // of outlets
	Technician    Role = "technician" // keeps registers alive, sees no revenue
	Viewer        Role = "viewer"
	ServiceCenter Role = "service_center" // a person of a service centre, by the owner's grant
)

// roles are all of them with their rights, the strongest first.
var roles = []struct {
	role   Role
	rights Right
}{
	{Owner, rightEnd - 1},
	{Administrator, rightEnd - 1},
	{Accountant, SeeStatus | SeeRevenue | SeeDocuments | SeeAudit},
	{Manager, SeeStatus | SeeRevenue | EditOutlets | EditRegisters},
	{Technician, SeeStatus | EditRegisters | IssueToken},
	{Viewer, SeeStatus | SeeRevenue},
	{ServiceCenter, SeeStatus | IssueToken | EditRegisters | SeeDocuments},
}

// Roles lists every role, the strongest first.
func Roles() (all []Role) {
	for _, r := range roles {
		all = append(all, r.role)
	}
	return all
}

// Rights are what a role may do; none for a role that does not exist.
func (r Role) Rights() Right {
	for _, known := range roles {
		if known.role == r {
			return known.rights
		}
	}
	return 0
}

// Member is a person's place in an organization.
type Member struct {
	User     UserID            `json:"-"`
	Taxpayer fiscal.TaxpayerID `json:"-"`
	Role     Role              `json:"role"`
	// Outlets limits what is seen and done to these places; empty: all of them.
	Outlets []fiscal.OutletID `json:"outlets,omitempty"`
	Since   string            `json:"since"` // date
	By      UserID            `json:"by"`    // who let them in; their own ID for who founded it
}

// Actor is a person who is signed in, or a key of theirs, and acts in one
// organization. The zero value may do nothing.
type Actor struct {
	User     User
	Session  SessionID
	Strong   bool   // proved by two factors
	Address  string // where they are
	Taxpayer fiscal.TaxpayerID
	Member   Member
	Key      APIKeyID // by which a program acts; 0: it is the person
	Scopes   Right    // with a Key: what it may do, of what the person may
	// Inspection is the ground on which an inspector looks; nil: none is open.
	Inspection *Inspection
}

// May reports whether the actor has all of these rights.
func (a *Actor) May(r Right) bool {
	return a.Taxpayer != 0 && a.User.Inspector == nil && (a.Key == 0 || a.Scopes&r == r) && a.Member.Taxpayer == a.Taxpayer && a.Member.User == a.User.ID && !a.User.Disabled && a.Member.Role.Rights()&r == r
}

// Must is Denied, naming the right, unless the actor has it.
func (a *Actor) Must(r Right) error {
	if a.May(r) {
		return nil
	}
	who := "role " + string(a.Member.Role)
	if a.Key != 0 {
		who += fmt.Sprintf(", key %d", a.Key)
	}
	return &fiscal.Error{Of: fiscal.Denied, Field: r.String(), Msg: who}
}

// Sees reports whether an outlet is among those the actor is limited to.
func (a *Actor) Sees(o fiscal.OutletID) bool {
	return len(a.Member.Outlets) == 0 || slices.Contains(a.Member.Outlets, o)
}
