package keyring

import (
	"context"
	"time"

	"openofd/internal/fiscal"
)

// Row is a key as stored.
type Row struct {
	ID      fiscal.KeyID
	Purpose fiscal.KeyPurpose
	From    time.Time // holds from then on, until the next of its purpose
	Sealed  []byte
	Created time.Time
}

// Store is what the keyring asks of an engine.
type Store interface {
	// Keys reads all rows, by ID.
	Keys(ctx context.Context) ([]Row, error)
	// NextKeyID is the ID the next row will have.
	NextKeyID(ctx context.Context) (fiscal.KeyID, error)
	// AddKey stores a row with the ID it names; AlreadyThere if taken.
	AddKey(ctx context.Context, r Row) error
}
