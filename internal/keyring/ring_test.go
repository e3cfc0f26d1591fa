package keyring_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/keyring"
	"openofd/internal/testkit"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func open(t testing.TB, store keyring.Store, path string) *keyring.Ring {
	t.Helper()
	r, err := keyring.Open(t.Context(), store, path, true, func() time.Time { return noon }, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFirstStart(t *testing.T) {
	store, path := testkit.NewMemStore(1), filepath.Join(t.TempDir(), "master.key")
	r := open(t, store, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("master key file: mode %v, %v; want 0600", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	secrets := map[[32]byte]bool{}
	for _, p := range keyring.Purposes() {
		for _, at := range []time.Time{time.Unix(0, 0), noon, noon.AddDate(100, 0, 0)} {
			k, err := r.At(p, at)
			if err != nil || k.Purpose != p || k.ID == 0 {
				t.Errorf("At(%s, %v) = key %d for %s, %v", p, at, k.ID, k.Purpose, err)
			}
			secrets[k.Secret] = true
		}
	}
	if len(secrets) != len(keyring.Purposes()) {
		t.Errorf("%d different secrets, want one a purpose", len(secrets))
	}
	again := open(t, store, path)
	for _, p := range keyring.Purposes() {
		a, _ := r.At(p, noon)
		if b, err := again.At(p, noon); err != nil || a != b {
			t.Errorf("after a restart the key for %s is another one: %v", p, err)
		}
	}
	rows, _ := store.Keys(t.Context())
	for _, row := range rows {
		for s := range secrets {
			if bytes.Contains(row.Sealed, s[:8]) {
				t.Errorf("row %d holds its secret in clear", row.ID)
			}
		}
	}
}

func TestMasterFile(t *testing.T) {
	good := strings.Repeat("5a", 32)
	for _, tt := range []struct {
		name string
		text string
		mode os.FileMode
		want string // part of the error; "" is none
	}{
		{"good", good + "\n", 0o600, ""},
		{"read only", good, 0o400, ""},
		{"read by the group", good, 0o640, "by others (mode 0640)"},
		{"read by all", good, 0o604, "by others (mode 0604)"},
		{"written by the group", good, 0o620, "by others (mode 0620)"},
		{"empty", "", 0o600, "64 hex digits"},
		{"too short", good[2:], 0o600, "64 hex digits"},
		{"too long", good + "5a", 0o600, "64 hex digits"},
		{"no hex", "g" + good[1:], 0o600, "64 hex digits"},
		{"long and no key", strings.Repeat("key ", 1000), 0o600, "64 hex digits"},
	} {
		path := filepath.Join(t.TempDir(), "master.key")
		if err := errors.Join(os.WriteFile(path, []byte(tt.text), 0o600), os.Chmod(path, tt.mode)); err != nil {
			t.Fatal(err)
		}
		_, err := keyring.Open(t.Context(), testkit.NewMemStore(1), path, true, time.Now, rand.Reader)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Open() = %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := keyring.Open(t.Context(), testkit.NewMemStore(1), t.TempDir(), true, time.Now, rand.Reader); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder for a key: %v", err)
	}
}

// A file that does not open the rows is an error that says so, and no file is
// made where one is missing.
func TestWrongMasterFile(t *testing.T) {
	store, folder := testkit.NewMemStore(1), t.TempDir()
	path := filepath.Join(folder, "master.key")
	if _, err := keyring.Open(t.Context(), store, path, false, time.Now, rand.Reader); err == nil || !strings.Contains(err.Error(), "every node needs a copy") {
		t.Errorf("no file, not to be made: %v", err)
	}
	open(t, store, path)
	other := filepath.Join(folder, "other.key")
	open(t, testkit.NewMemStore(1), other)
	if _, err := keyring.Open(t.Context(), store, other, true, time.Now, rand.Reader); !errors.Is(err, fiscal.Corrupt) || !strings.Contains(err.Error(), "does not open under this master key file") {
		t.Errorf("another installation's file: %v", err)
	}
	missing := filepath.Join(folder, "missing.key")
	if _, err := keyring.Open(t.Context(), store, missing, true, time.Now, rand.Reader); err == nil || !strings.Contains(err.Error(), "3 keys are sealed under it") {
		t.Errorf("file lost: %v", err)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a new master key file was made beside rows that it cannot open")
	}
}

// rows is a store whose rows a test changes.
type rows struct {
	keyring.Store
	change func([]keyring.Row)
}

func (r *rows) Keys(ctx context.Context) ([]keyring.Row, error) {
	all, err := r.Store.Keys(ctx)
	if r.change != nil {
		for i := range all {
			all[i].Sealed = bytes.Clone(all[i].Sealed)
		}
		r.change(all)
	}
	return all, err
}

// A row cannot be changed or stand in for another.
func TestRowsAuthenticated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	store := &rows{Store: testkit.NewMemStore(1)}
	r := open(t, store, path)
	for name, change := range map[string]func([]keyring.Row){
		"secret":       func(all []keyring.Row) { all[0].Sealed[20] ^= 1 },
		"nonce":        func(all []keyring.Row) { all[0].Sealed[1] ^= 1 },
		"layout":       func(all []keyring.Row) { all[0].Sealed[0]++ },
		"cut":          func(all []keyring.Row) { all[0].Sealed = all[0].Sealed[:30] },
		"empty":        func(all []keyring.Row) { all[0].Sealed = nil },
		"instant":      func(all []keyring.Row) { all[0].From = all[0].From.Add(time.Microsecond) },
		"purpose":      func(all []keyring.Row) { all[0].Purpose, all[1].Purpose = all[1].Purpose, all[0].Purpose },
		"number":       func(all []keyring.Row) { all[0].ID = 77 },
		"rows swapped": func(all []keyring.Row) { all[0].Sealed, all[1].Sealed = all[1].Sealed, all[0].Sealed },
	} {
		before, _ := r.At(fiscal.KeyForSign, noon)
		store.change = change
		if err := r.Reload(t.Context()); !errors.Is(err, fiscal.Corrupt) {
			t.Errorf("%s: Reload() = %v, want %v", name, err, fiscal.Corrupt)
		}
		if after, err := r.At(fiscal.KeyForSign, noon); err != nil || after != before {
			t.Errorf("%s: a failed reload changed the ring", name)
		}
	}
	store.change = nil
	if err := r.Reload(t.Context()); err != nil {
		t.Errorf("rows as they were: %v", err)
	}
}

func TestRotate(t *testing.T) {
	store, path := testkit.NewMemStore(1), filepath.Join(t.TempDir(), "master.key")
	r := open(t, store, path)
	first, _ := r.At(fiscal.KeyForSign, noon)
	day := noon.AddDate(0, 0, 1)
	later, err := r.Rotate(t.Context(), fiscal.KeyForSign, day)
	if err != nil {
		t.Fatal(err)
	}
	now, err := r.Rotate(t.Context(), fiscal.KeyForSign, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		at   time.Time
		want fiscal.Key
	}{
		{noon.Add(-1), first}, {noon, now}, {day.Add(-1), now}, {day, later}, {day.AddDate(1, 0, 0), later},
	} {
		if got, err := r.At(fiscal.KeyForSign, tt.at); err != nil || got != tt.want {
			t.Errorf("At(%v) = key %d, %v; want %d", tt.at, got.ID, err, tt.want.ID)
		}
	}
	var order []fiscal.KeyID
	for _, k := range r.All(fiscal.KeyForSign) {
		order = append(order, k.ID)
	}
	if len(order) != 3 || order[0] != first.ID || order[1] != now.ID || order[2] != later.ID {
		t.Errorf("All() = %v, want by instant: %d %d %d", order, first.ID, now.ID, later.ID)
	}
	for name, try := range map[string]func() error{
		"from": func() error {
			_, err := r.Rotate(t.Context(), fiscal.KeyForSign, noon.Add(-time.Second))
			return err
		},
		"purpose": func() error { _, err := r.Rotate(t.Context(), "sing", time.Time{}); return err },
	} {
		var e *fiscal.Error
		if err := try(); !errors.As(err, &e) || e.Field != name || !errors.Is(err, fiscal.Invalid) {
			t.Errorf("Rotate() with a bad %s = %v", name, err)
		}
	}
}

// A ring that does not know a number reads the rows once more.
func TestByID(t *testing.T) {
	store, path := testkit.NewMemStore(1), filepath.Join(t.TempDir(), "master.key")
	r, other := open(t, store, path), open(t, store, path)
	k, err := other.Rotate(t.Context(), fiscal.KeyForSign, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.ByID(k.ID); err != nil || got != k {
		t.Errorf("ByID(made by another process) = key %d, %v", got.ID, err)
	}
	if _, err := r.ByID(99); !errors.Is(err, fiscal.NotFound) {
		t.Errorf("ByID(99) = %v, want %v", err, fiscal.NotFound)
	}
	if _, err := r.At("payload", noon); !errors.Is(err, fiscal.Internal) {
		t.Errorf("At(no such purpose) = %v, want %v", err, fiscal.Internal)
	}
}

// Processes that start at once on a new installation end with one set of keys.
func TestStartTogether(t *testing.T) {
	store, path := testkit.NewMemStore(1), filepath.Join(t.TempDir(), "master.key")
	rings := make([]*keyring.Ring, 8)
	var all sync.WaitGroup
	for i := range rings {
		all.Go(func() {
			r, err := keyring.Open(context.Background(), store, path, true, func() time.Time { return noon }, rand.Reader)
			if err != nil {
				t.Error(err)
			}
			rings[i] = r
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	for _, r := range rings {
		if err := r.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range keyring.Purposes() {
		want, _ := rings[0].At(p, noon)
		for i, r := range rings {
			if got, err := r.At(p, noon); err != nil || got != want {
				t.Errorf("process %d signs with key %d, process 0 with %d: %v", i, got.ID, want.ID, err)
			}
		}
	}
}

// Reading goes on while the ring is read anew.
func TestReloadWhileRead(t *testing.T) {
	r := open(t, testkit.NewMemStore(1), filepath.Join(t.TempDir(), "master.key"))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 200 {
				if _, err := r.At(fiscal.KeyForToken, noon); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 20 {
		if err := r.Reload(t.Context()); err != nil {
			t.Error(err)
		}
	}
	all.Wait()
}
