package keyring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"openofd/internal/fiscal"
)

// Purposes are those for which every installation has keys.
func Purposes() []fiscal.KeyPurpose {
	return []fiscal.KeyPurpose{fiscal.KeyForSign, fiscal.KeyForToken, fiscal.KeyForAccess}
}

// beginning is the instant from which the first keys hold: long before
// anything was received, so that there is a key for every moment.
var beginning = time.Unix(0, 0).UTC()

// Ring holds the opened keys. It implements fiscal.Keys. Safe for concurrent
// use; reading takes no lock.
type Ring struct {
	store Store
	path  string
	now   func() time.Time
	rand  io.Reader

	mu   sync.Mutex // one reload or rotation at a time
	keys atomic.Pointer[keys]
}

// keys never change once they are in a Ring.
type keys struct {
	master master
	byID   map[fiscal.KeyID]fiscal.Key
	// of a purpose, the earliest first; of two with one instant the larger ID
	// is the later
	byPurpose map[fiscal.KeyPurpose][]fiscal.Key
}

// Open reads the master key file and opens every key under it. A new
// installation gets its first keys, which hold from the beginning of 1970; its
// master key file is made if create is set, and only while there is no key that
// another file sealed.
//
// Errors: Corrupt if a row does not open under this file; Internal with the
// Field "key-file" if the file is missing, can be read by others or is not a
// key; those of the store.
func Open(ctx context.Context, store Store, path string, create bool, now func() time.Time, rand io.Reader) (*Ring, error) {
	r := &Ring{store: store, path: path, now: now, rand: rand}
	if _, err := readMaster(path); errors.Is(err, fs.ErrNotExist) {
		rows, err := store.Keys(ctx)
		switch {
		case err != nil:
			return nil, fmt.Errorf("read the keys: %w", err)
		case len(rows) > 0:
			return nil, wrongFile(path, fmt.Sprintf("is missing, and %d keys are sealed under it: restore it from its backup", len(rows)))
		case !create:
			return nil, wrongFile(path, "is missing: every node needs a copy of the installation's one")
		}
		if _, err := makeMaster(path, rand); err != nil {
			return nil, fmt.Errorf("make the master key file: %w", err)
		}
	}
	if err := r.Reload(ctx); err != nil {
		return nil, err
	}
	for _, p := range Purposes() {
		if len(r.All(p)) > 0 {
			continue
		}
		if _, err := r.add(ctx, p, beginning); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Reload reads the master key file and the rows anew. After an error the ring
// is as it was.
func (r *Ring) Reload(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reload(ctx)
}

func (r *Ring) reload(ctx context.Context) error {
	m, err := readMaster(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return wrongFile(r.path, "is missing: restore it from its backup")
	}
	if err != nil {
		return err
	}
	rows, err := r.store.Keys(ctx)
	if err != nil {
		return fmt.Errorf("read the keys: %w", err)
	}
	next := &keys{master: m, byID: make(map[fiscal.KeyID]fiscal.Key, len(rows)), byPurpose: map[fiscal.KeyPurpose][]fiscal.Key{}}
	for i := range rows {
		k, err := m.open(&rows[i])
		if err != nil {
			return err
		}
		next.byID[k.ID] = k
		next.byPurpose[k.Purpose] = append(next.byPurpose[k.Purpose], k)
	}
	for _, of := range next.byPurpose {
		slices.SortFunc(of, func(a, b fiscal.Key) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.ID, b.ID)) })
	}
	r.keys.Store(next)
	return nil
}

// At is the key for a purpose that holds at t. Internal if there is none.
func (r *Ring) At(purpose fiscal.KeyPurpose, t time.Time) (fiscal.Key, error) {
	of := r.keys.Load().byPurpose[purpose]
	for i := len(of) - 1; i >= 0; i-- {
		if !t.Before(of[i].From) {
			return of[i], nil
		}
	}
	return fiscal.Key{}, &fiscal.Error{Of: fiscal.Internal, Field: "key", Msg: fmt.Sprintf("no key for %q holds at %v", purpose, t)}
}

// reloadTimeout bounds the reading that an unknown ID causes.
const reloadTimeout = 5 * time.Second

// ByID is one key, however old. An ID that the ring does not know may have been
// made by another process since: the rows are read once more. NotFound
// (NothingThere) if there is no such key.
func (r *Ring) ByID(id fiscal.KeyID) (fiscal.Key, error) {
	if k, ok := r.keys.Load().byID[id]; ok {
		return k, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if k, ok := r.keys.Load().byID[id]; ok { // read by another meanwhile
		return k, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), reloadTimeout)
	defer cancel()
	if err := r.reload(ctx); err != nil {
		return fiscal.Key{}, err
	}
	if k, ok := r.keys.Load().byID[id]; ok {
		return k, nil
	}
	return fiscal.Key{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "key", Msg: fmt.Sprintf("no key %d", id)}
}

// All lists the keys of a purpose, the earliest first.
func (r *Ring) All(purpose fiscal.KeyPurpose) []fiscal.Key {
	return slices.Clone(r.keys.Load().byPurpose[purpose])
}

// Rotate makes a new key that holds from an instant on; the zero time is now.
// Other processes know it after their next Reload, so a rotation is dated far
// enough ahead. Invalid for an instant that has passed, for what was signed
// since then names another key.
func (r *Ring) Rotate(ctx context.Context, purpose fiscal.KeyPurpose, from time.Time) (fiscal.Key, error) {
	now := r.now().UTC().Truncate(time.Microsecond)
	if from.IsZero() {
		from = now
	}
	from = from.UTC().Truncate(time.Microsecond)
	if from.Before(now) {
		return fiscal.Key{}, &fiscal.Error{Reason: fiscal.BadValue, Field: "from", Msg: fmt.Sprintf("%v has passed", from)}
	}
	if !slices.Contains(Purposes(), purpose) {
		return fiscal.Key{}, &fiscal.Error{Reason: fiscal.BadValue, Field: "purpose", Msg: fmt.Sprintf("%q is not one of %q", purpose, Purposes())}
	}
	return r.add(ctx, purpose, from)
}

// triesToAdd is how often a number may be taken by another process.
const triesToAdd = 10

// add makes a key, stores it and reads the ring anew. A number that another
// process took meanwhile is tried again with the next one, unless that process
// made the first key of the purpose, which then serves both.
func (r *Ring) add(ctx context.Context, purpose fiscal.KeyPurpose, from time.Time) (fiscal.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for range triesToAdd {
		id, err := r.store.NextKeyID(ctx)
		if err != nil {
			return fiscal.Key{}, fmt.Errorf("number of the next key: %w", err)
		}
		k := fiscal.Key{ID: id, Purpose: purpose, From: from}
		if _, err := io.ReadFull(r.rand, k.Secret[:]); err != nil {
			return fiscal.Key{}, fmt.Errorf("randomness for a key: %w", err)
		}
		m := r.keys.Load().master
		sealed, err := m.seal(&k, r.rand)
		if err != nil {
			return fiscal.Key{}, err
		}
		err = r.store.AddKey(ctx, Row{ID: id, Purpose: purpose, From: from, Sealed: sealed, Created: r.now().UTC().Truncate(time.Microsecond)})
		taken := errors.Is(err, fiscal.AlreadyThere)
		if err != nil && !taken {
			return fiscal.Key{}, fmt.Errorf("store key %d: %w", id, err)
		}
		if err := r.reload(ctx); err != nil {
			return fiscal.Key{}, err
		}
		if !taken {
			return k, nil
		}
		if of := r.keys.Load().byPurpose[purpose]; from.Equal(beginning) && len(of) > 0 {
			return of[0], nil
		}
	}
	return fiscal.Key{}, &fiscal.Error{Of: fiscal.Conflict, Field: "key", Msg: "others take every number; try again"}
}
