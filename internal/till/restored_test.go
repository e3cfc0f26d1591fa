package till_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/till"
)

// A file that is no database is not opened and not touched: the error says what
// it is, and a copy is put in its place.
//
// Req: E-014
func TestSpoiledFile(t *testing.T) {
	s := openShop(t)
	if _, err := s.Form(t.Context(), s.seat(), s.id, cash("1", 100_00), false); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	defer s.open() // for the shop's own end
	whole, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	open := func() error {
		one, err := till.Open(context.Background(), till.Config{Path: s.path, Mailer: s.letters, Now: time.Now, Rand: rand.Reader, Log: quiet})
		if err == nil {
			err = errors.Join(errors.New("it opens"), one.Close())
		}
		return err
	}
	spoiled := append([]byte("spoiled by a disk"), whole[17:]...)
	if err := os.WriteFile(s.path, spoiled, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(); !errors.Is(err, fiscal.Corrupt) {
		t.Errorf("a spoiled file: %v, want Corrupt", err)
	}
	if after, err := os.ReadFile(s.path); err != nil || !bytes.Equal(after, spoiled) {
		t.Errorf("the spoiled file was written to: %v", err)
	}
	if err := os.WriteFile(s.path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A copy of yesterday in the place of the file: what the register made since is
// at the operator alone, and is neither made twice nor overwritten. The register
// is told what it does not know before it sells.
//
// Req: E-014, E-020, E-154
func TestRestoredCopy(t *testing.T) {
	s := openShop(t)
	ctx := t.Context()
	sell := func(i int) (till.Document, error) {
		return s.Form(ctx, s.seat(), s.id, cash(fmt.Sprint("sale ", i), 100_00), false)
	}
	for i := range 3 {
		if _, err := sell(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	s.open()
	for i := range 4 {
		if _, err := sell(3 + i); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(s.path, copied, 0o600), os.RemoveAll(s.path+"-wal"), os.RemoveAll(s.path+"-shm")); err != nil {
		t.Fatal(err)
	}
	s.open()
	if _, err := sell(7); !errors.Is(err, fiscal.StaleToken) {
		t.Errorf("a sale on the copy: %v, want a stale token", err)
	}
	if _, err := sell(7); err == nil {
		t.Error("once more it is sold")
	}
	token, err := s.operator.registry.Token(ctx, s.id, "test")
	if err == nil {
		err = s.Connect(ctx, s.seat(), s.id, token)
	}
	if err != nil {
		t.Fatal(err)
	}
	d, err := sell(7)
	if err != nil {
		t.Fatal(err)
	}
	if d.Number != 8 || d.Shift != 1 || d.FiscalSign == "" {
		t.Errorf("the next receipt has the number %d in shift %d, want 8 in 1", d.Number, d.Shift)
	}
	standing, err := s.Standing(ctx, s.seat(), s.id)
	if err != nil || standing.Counters.Cash != 800_00 {
		t.Errorf("the drawer has %v, %v; want 800.00", standing.Counters.Cash, err)
	}
	l, err := s.operator.registry.Show(ctx, s.id)
	if err != nil || l.State.Counters.Cash != 800_00 || l.State.Counters.Receipts[0].Count != 8 {
		t.Errorf("the operator has %+v, %v; want 8 sales", l.State.Counters, err)
	}
}
