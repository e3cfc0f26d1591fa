package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/store/sqlite"
)

// loadShop is a register under load and what it was answered.
type loadShop struct {
	id    int64
	reg   *kkm.Register
	heard *heard
	slips []kkm.Slip
	sold  atomic.Int64 // how many of them there are, for others to see
	last  fiscal.Money // total of the receipt under way
	err   error
}

func newLoadShop(t *testing.T, s *script, i int, addr string) *loadShop {
	t.Helper()
	s.at = "register add"
	s.run(exitOK, fmt.Sprintf("register add --json --country kz --bin 190340024183 --title 'Load' --model 'Test KZ' --serial L%06d --year 2026 --address 'Алматы'", i))
	var made struct {
		ID                 int64  `json:"id"`
		Token              uint32 `json:"token"`
		RegistrationNumber string `json:"registration_number"`
	}
	if err := json.Unmarshal([]byte(s.stdout), &made); err != nil {
		t.Fatal(err)
	}
	memory, err := kkm.OpenFile(filepath.Join(s.dir, fmt.Sprintf("register-%d", i)))
	if err != nil {
		t.Fatal(err)
	}
	h := &heard{Link: kkm.NewLink(kkm.LinkConfig{Addr: addr, Answer: 15 * time.Second}), answers: map[string]string{}}
	reg, err := kkm.New(kkm.Config{
		Card:        fiscal.Card{Register: fiscal.RegisterID(made.ID), RegistrationNumber: made.RegistrationNumber, Zone: "Asia/Almaty"},
		Transaction: time.Minute, // it waits for the operator, however often that dies
		Pause:       20 * time.Millisecond,
	}, memory, h, time.Now, rand.NewChaCha8([32]byte{byte(i)}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reg.Close() })
	if err := reg.SetToken(made.Token); err != nil {
		t.Fatal(err)
	}
	return &loadShop{id: made.ID, reg: reg, heard: h}
}

// heard is a link that remembers the answers to receipts.
type heard struct {
	*kkm.Link
	answers map[string]string // by the frame sent; used by one register
	differs error
}

// Exchange implements kkm.Exchanger.
func (h *heard) Exchange(ctx context.Context, frame []byte) (kkm.Reply, error) {
	r, err := h.Link.Exchange(ctx, frame)
	if err != nil {
		return r, err
	}
	m, err := wire.ParseResponse(r.Payload)
	if err != nil || m.GetTicket() == nil {
		return r, nil // the register says what it thinks of it
	}
	answer, err := r.Header.AppendBinary(nil)
	if err != nil {
		return r, err
	}
	answer = append(answer, r.Payload...)
	if before, again := h.answers[string(frame)]; again && before != string(answer) {
		h.differs = errors.New("one receipt got two different answers")
	}
	h.answers[string(frame)] = string(answer)
	return r, nil
}

// sell makes one receipt after another, each with a total of its own.
func (c *loadShop) sell(ctx context.Context, random *rand.Rand) {
	for n := 1; ctx.Err() == nil; n++ {
		c.last = fiscal.Money(n)*100 + 50
		// The call itself has no deadline: a receipt under way is finished.
		slip, err := c.reg.Sell(context.Background(), fiscal.Receipt{Items: []fiscal.Item{{
			Kind: fiscal.ItemGoods, Name: "Нан", Section: "1", Unit: "796", Quantity: fiscal.OneUnit, Price: c.last, Cost: c.last,
		}}})
		if err == nil && slip.Offline {
			err = errors.New("went autonomous, which a minute should have prevented")
		}
		if err != nil {
			c.err = err
			return
		}
		c.slips = append(c.slips, slip)
		c.sold.Add(1)
		time.Sleep(time.Duration(random.IntN(3)) * time.Millisecond)
	}
}

// sellMore waits until each of them has sold several times more, the last ones
// wholly after it began to wait.
func sellMore(t *testing.T, shops []*loadShop) {
	t.Helper()
	before := make([]int64, len(shops))
	for i, shop := range shops {
		before[i] = shop.sold.Load()
	}
	for i, shop := range shops {
		until(t, fmt.Sprintf("register %d has sold three times more", shop.id), func() bool { return shop.sold.Load() >= before[i]+3 })
	}
}

// checkStored compares the journal with what the registers were answered: each
// receipt that was answered is stored once, with the bytes that were answered,
// and no other receipt is stored. It returns how many were answered, are missing
// and are there twice.
func checkStored(t *testing.T, dir string, shops []*loadShop) (answered, lost, doubled int) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	stored := map[string]string{}
	for entry := range receipts(t, db) {
		if _, twice := stored[string(entry.Request)]; twice {
			doubled++
			t.Errorf("register %d: receipt number %d is stored twice", entry.Register, entry.Number)
		}
		stored[string(entry.Request)] = string(entry.Answer)
	}
	for _, c := range shops {
		if c.heard.differs != nil {
			t.Errorf("register %d: %v", c.id, c.heard.differs)
		}
		for frame, answer := range c.heard.answers {
			answered++
			if got, ok := stored[frame]; !ok || got != answer {
				lost++
				t.Errorf("register %d: a receipt was answered, stored: %t, with another answer: %t", c.id, ok, ok && got != answer)
			}
		}
		if len(c.heard.answers) < len(c.slips) {
			t.Errorf("register %d: %d receipts printed, %d answered", c.id, len(c.slips), len(c.heard.answers))
		}
	}
	if len(stored) != answered {
		t.Errorf("%d receipts are stored, %d were answered", len(stored), answered)
	}
	return answered, lost, doubled
}

// receipts are those of Kazakhstan in the journal.
func receipts(t *testing.T, db *sqlite.DB) iter.Seq[*journal.Entry] {
	return func(yield func(*journal.Entry) bool) {
		heads, err := db.Heads(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for p := range heads {
			readPartition(t, db, p, func(e *journal.Entry) bool { return e.Kind != fiscal.DocReceipt || russian(&e.Record) || yield(e) })
		}
	}
}

func readPartition(t *testing.T, db *sqlite.DB, p fiscal.Partition, each func(*journal.Entry) bool) {
	t.Helper()
	for from := journal.Seq(1); ; {
		page, err := db.Scan(t.Context(), p, from, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for i := range page {
			if !each(&page[i]) {
				return
			}
		}
		if len(page) == 0 {
			return
		}
		from = page[len(page)-1].Seq + 1
	}
}

// freeAddr is an address that nobody listens on now, and the same after each
// restart. Its port is below those that the system gives out itself: nobody gets
// it by chance while the operator is down.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 15_000+rand.IntN(17_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no free port between 15000 and 32000")
	return ""
}
