package access

import (
	"context"
	"time"

	"openofd/internal/fiscal"
)

// Store is what this package asks of an engine.
type Store interface {
	// ReadAccess runs do, which only reads.
	ReadAccess(ctx context.Context, do func(Tx) error) error
	// WriteAccess runs do in one transaction; what it reads stays true until it
	// is durable. An error takes everything back.
	WriteAccess(ctx context.Context, do func(Tx) error) error
	// Audit lists records of a chain from before (exclusive; 0: the end) down,
	// limit at most.
	Audit(ctx context.Context, t fiscal.TaxpayerID, before uint64, limit int) ([]Record, error)
	// AuditOf lists what one person did outside of organizations, in the same way.
	AuditOf(ctx context.Context, u UserID, before uint64, limit int) ([]Record, error)
	// AuditChains lists whose chains there are, from after (exclusive) on; 0 is
	// the one of no organization, so a list begins with -1.
	AuditChains(ctx context.Context, after fiscal.TaxpayerID, limit int) ([]fiscal.TaxpayerID, error)
}

// Tx is the use of a store in one transaction. What is not there is NotFound;
// what is there already AlreadyThere.
type Tx interface {
	AddUser(u *User) error // sets ID and Version
	User(id UserID) (User, error)
	UserByEmail(email string) (User, error)
	SetUser(u *User) error // sets Version; StateMoved if it is not the one that was read
	// Users lists from after (exclusive) by ID, limit at most.
	Users(after UserID, limit int) ([]User, error)

	// Inspectors lists those of an authority in the same way.
	Inspectors(after UserID, limit int) ([]User, error)

	AddInspection(i *Inspection) error // sets ID
	Inspection(id InspectionID) (Inspection, error)
	SetInspection(i *Inspection) error // what may change: Looks and Closed
	// Inspections lists one person's, or with 0 everybody's, from before (exclusive;
	// 0: the newest) down.
	Inspections(u UserID, before InspectionID, limit int) ([]Inspection, error)
	AddLook(l Look) error
	// Looks lists those of an inspection from before (exclusive; 0: the end) down.
	Looks(i InspectionID, before uint64, limit int) ([]Look, error)

	PutCode(c Code) error // in place of the one for the same purpose and address
	// Code reads one. Within WriteAccess others wait who want the same, also
	// where there is none yet.
	Code(p Purpose, email string) (Code, error)
	RemoveCode(p Purpose, email string) error
	// RemoveCodes removes those that ended before t, limit at most.
	RemoveCodes(t time.Time, limit int) (int, error)

	PutSession(s Session) error
	Session(id SessionID) (Session, error)
	RemoveSession(id SessionID) error
	Sessions(u UserID) ([]Session, error) // newest first
	// RemoveSessions removes those that ended before t, limit at most.
	RemoveSessions(t time.Time, limit int) (int, error)

	PutMember(m Member) error
	Member(u UserID, t fiscal.TaxpayerID) (Member, error)
	RemoveMember(u UserID, t fiscal.TaxpayerID) error
	Memberships(u UserID) ([]Member, error) // by taxpayer
	// Members lists by user. Within WriteAccess others wait who want the same,
	// also where there are none yet.
	Members(t fiscal.TaxpayerID) ([]Member, error)

	PutInvitation(i Invitation) error
	Invitation(t fiscal.TaxpayerID, email string) (Invitation, error)
	RemoveInvitation(t fiscal.TaxpayerID, email string) error
	Invitations(t fiscal.TaxpayerID) ([]Invitation, error)
	InvitationsFor(email string) ([]Invitation, error)

	AddAPIKey(k *APIKey) error // sets ID
	APIKey(hash [32]byte) (APIKey, error)
	// APIKeys lists an organization's, the newest first. Within WriteAccess others
	// wait who want the same.
	APIKeys(t fiscal.TaxpayerID) ([]APIKey, error)
	SetAPIKey(k *APIKey) error // what may change: all but ID, Hash, Taxpayer and Used
	// UsedAPIKey says when one was used last. It never goes back.
	UsedAPIKey(id APIKeyID, at time.Time) error

	PutReply(r Reply) error // in place of the one of the same key and name
	// Reply reads one. Within WriteAccess others wait who want the same, also
	// where there is none yet.
	Reply(k APIKeyID, name string) (Reply, error)
	RemoveReply(k APIKeyID, name string) error
	// Replies counts those of a key.
	Replies(k APIKeyID) (int, error)
	// RemoveReplies removes those that began before t, limit at most.
	RemoveReplies(t time.Time, limit int) (int, error)

	// Record appends to the chain of the record's taxpayer; it seals it. It comes
	// last in a transaction: who waits for a chain should hold it briefly.
	Record(r *Record) error
}

// Mail is a letter to a person: what happened and its values, which the sender
// words in the language.
type Mail struct {
	To       string
	Language string
	Kind     MailKind
	Code     string // that they type
	Who      string // who caused it
	Name     string // of the organization
	Valid    time.Duration
}

// MailKind says what a letter is about.
type MailKind string

// The kinds of letters.
const (
	MailSignUp        MailKind = "sign_up"
	MailAlreadyThere  MailKind = "already_there"
	MailReset         MailKind = "reset"
	MailResetUnknown  MailKind = "reset_unknown"
	MailLink          MailKind = "link"
	MailInvited       MailKind = "invited"
	MailEntered       MailKind = "entered" // an organization of yours, by its signature
	MailLocked        MailKind = "locked"
	MailPasswordIsNew MailKind = "password_is_new"
)

// MailKinds lists them, for the tests of the locales.
func MailKinds() []MailKind {
	return []MailKind{MailSignUp, MailAlreadyThere, MailReset, MailResetUnknown, MailLink, MailInvited, MailEntered, MailLocked, MailPasswordIsNew}
}

// Mailer takes letters to be sent. It keeps them until they are delivered; an
// error means that it could not even keep this one.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}
