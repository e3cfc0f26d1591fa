package intake

import (
	"context"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// Rules is a country's judgement. It is pure: the same Situation gives the same
// Decision (randomness is part of the Situation).
type Rules interface {
	// Judge decides one exchange of a known register. It may first name what it
	// needs (Decision.Needs) and is then asked again with Situation.Found.
	Judge(s *fiscal.Situation) (fiscal.Decision, error)
	// Unknown words the refusal for a register that is not there.
	Unknown(x *fiscal.Exchange) fiscal.Decision
}

// Place is where a register lives.
type Place = fiscal.Place

// Row is a register as stored: its card and its state.
type Row struct {
	Place
	Card  *fiscal.Card
	State *fiscal.State // with Version
}

// Store is what intake asks of an engine.
type Store interface {
	// Find leads from a number to a register; NotFound (UnknownRegister) if
	// there is none.
	Find(ctx context.Context, a fiscal.Address) (Place, error)
	// Row reads a register's state and the card that the state names.
	Row(ctx context.Context, p Place) (Row, error)
	// RowVersion reads only the version of the state.
	RowVersion(ctx context.Context, p Place) (uint64, error)
	// Entry reads one entry of a register.
	Entry(ctx context.Context, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (journal.Entry, error)
	// ByDeviceNumber reads a register's receipts with this number of the device
	// and a device time on the same day, and the notices that keep such a number,
	// oldest first, 8 at most.
	ByDeviceNumber(ctx context.Context, p Place, deviceNumber uint64, day fiscal.WallTime) ([]journal.Entry, error)
	// ByDriveNumber reads a register's documents with this number of a fiscal
	// drive, of any day and kind, oldest first, 8 at most.
	ByDriveNumber(ctx context.Context, p Place, drive string, number uint64) ([]journal.Entry, error)
	// BySign reads a register's documents of a fiscal drive with a fiscal sign,
	// among those of the fiscal.SignWindow numbers before a number; oldest first,
	// 8 at most.
	BySign(ctx context.Context, p Place, q fiscal.SignQuery) ([]journal.Entry, error)
	// AddAddress leads one more number to a register. Once more is no error;
	// AlreadyThere if it leads to another register.
	AddAddress(ctx context.Context, a fiscal.Address, r fiscal.RegisterID) error
	// Cashier reads a cashier kept at the operator; nil if there is none.
	Cashier(ctx context.Context, t fiscal.TaxpayerID, login string) (*fiscal.CashierLogin, error)
	// Catalog answers a query: nil if nothing is published; without elements if
	// the device has the current version; with one element for a barcode that
	// is known, without for one that is not.
	Catalog(ctx context.Context, q fiscal.CatalogQuery) (*fiscal.Catalog, error)
	// KeepRefused stores refused documents, at most perDay a register and day.
	KeepRefused(ctx context.Context, all []journal.Refused, perDay int) error
	// Refused reads what was refused to a register, newest first, limit at most.
	Refused(ctx context.Context, r fiscal.RegisterID, limit int) ([]journal.Refused, error)
	// KeepContacts stores the last contacts of registers, newest wins.
	KeepContacts(ctx context.Context, all []fiscal.Contact) error
}

// Committer makes commits durable; journal.Committer is one.
type Committer interface {
	// Commit waits until c is durable. Errors: stale state (journal.ErrStale),
	// Overloaded (QueueFull, QueuedTooLong), StoreDown when nothing was stored,
	// OutcomeUnknown when nobody can tell yet. After OutcomeUnknown alone c's
	// slices may still be read; after any other return they are the caller's.
	Commit(ctx context.Context, c journal.Commit) error
	// Settle waits until what was read of a partition is durable. Error:
	// OutcomeUnknown when that cannot be had in time.
	Settle(ctx context.Context, p fiscal.Partition) error
}
