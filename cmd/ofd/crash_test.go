//go:build crash

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlite"
)

// crashes is how often the server is killed. Each kill falls at a random
// moment of full load.
const (
	crashes   = 36
	crashDesk = 24 // registers under load
)

// TestCrash kills the operator with SIGKILL under load, dozens of times, and
// starts it again. Registers repeat what was not answered with the same TOKEN
// and REQNUM. In the end every receipt that was answered is stored once with
// the sign that was answered, no receipt is stored that no register made, the
// operator's counters are the registers' own, and every chain verifies.
//
// Req: P-006, P-010, P-011, O-076, O-077, O-104
func TestCrash(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("CRASH_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	t.Logf("CRASH_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	s := &script{t: t, dir: t.TempDir(), names: map[string]string{}}
	s.names["dir"], s.names["data"] = s.dir, filepath.Join(s.dir, "data")
	addr := freeAddr(t)
	start := func() { s.serve("--kkm-addr " + addr) }
	start()
	defer func() {
		if s.server != nil {
			s.server.end(syscall.SIGKILL)
		}
	}()

	ctx, stop := context.WithCancel(context.Background())
	var shops []*crashShop
	for i := range crashDesk {
		shops = append(shops, newCrashShop(t, s, i, addr))
	}
	var work sync.WaitGroup
	for _, shop := range shops {
		work.Go(func() { shop.sell(ctx, rand.New(rand.NewPCG(seed, uint64(shop.id)))) })
	}
	for range crashes {
		time.Sleep(time.Duration(100+random.IntN(400)) * time.Millisecond)
		s.server.end(syscall.SIGKILL)
		start()
	}
	time.Sleep(300 * time.Millisecond)
	stop()
	work.Wait()

	answered := 0
	for _, shop := range shops {
		if shop.err != nil {
			t.Fatalf("register %d: %v", shop.id, shop.err)
		}
		if len(shop.slips) == 0 {
			t.Errorf("register %d sold nothing", shop.id)
		}
		answered += len(shop.slips)
		shop.close(t)
	}
	t.Logf("%d kills, %d receipts answered", crashes, answered)
	if answered < crashes*crashDesk {
		t.Errorf("only %d receipts were answered: that was no load", answered)
	}
	s.step("stop", "")
	checkStored(t, s.names["data"], shops)
	s.at = "verify"
	s.run(exitOK, "verify")
}

// crashShop is a register under load and what it was answered.
type crashShop struct {
	id    int64
	reg   *kkm.Register
	slips []kkm.Slip
	last  fiscal.Money // total of the receipt under way
	err   error
}

func newCrashShop(t *testing.T, s *script, i int, addr string) *crashShop {
	t.Helper()
	s.at = "register add"
	s.run(exitOK, fmt.Sprintf("register add --json --country kz --bin 190340024183 --title 'Crash' --model 'Test KZ' --serial C%06d --year 2026 --address 'Алматы'", i))
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
	reg, err := kkm.New(kkm.Config{
		Card:        fiscal.Card{Register: fiscal.RegisterID(made.ID), RegistrationNumber: made.RegistrationNumber, Zone: "Asia/Almaty"},
		Transaction: time.Minute, // it waits for the operator, however often that dies
		Pause:       20 * time.Millisecond,
	}, memory, kkm.NewLink(kkm.LinkConfig{Addr: addr, Answer: 15 * time.Second}), time.Now, rand.NewChaCha8([32]byte{byte(i)}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reg.Close() })
	if err := reg.SetToken(made.Token); err != nil {
		t.Fatal(err)
	}
	return &crashShop{id: made.ID, reg: reg}
}

// sell makes one receipt after another, each with a total of its own.
func (c *crashShop) sell(ctx context.Context, random *rand.Rand) {
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
		time.Sleep(time.Duration(random.IntN(3)) * time.Millisecond)
	}
}

// close closes the shift: the operator's Z tells what the register counted.
func (c *crashShop) close(t *testing.T) {
	t.Helper()
	var sum fiscal.Money
	for _, s := range c.slips {
		sum += s.Total
	}
	slip, err := c.reg.CloseShift(context.Background(), fiscal.Cashier{Code: 1}, false)
	if err != nil || slip.Offline || slip.Report == nil {
		t.Fatalf("register %d: close shift: %v, autonomous %v", c.id, err, slip.Offline)
	}
	got := slip.Report.Counters.Receipts[fiscal.OpSale.Index()]
	if got.Count != int64(len(c.slips)) || got.Sum != sum || slip.Report.Counters.Cash != sum {
		t.Errorf("register %d: Z has %d receipts of %v and cash %v, want %d of %v", c.id, got.Count, got.Sum, slip.Report.Counters.Cash, len(c.slips), sum)
	}
}

// checkStored compares the journal with what the registers were answered.
func checkStored(t *testing.T, dir string, shops []*crashShop) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	type document struct {
		register int64
		sign     string
	}
	stored := map[document]fiscal.Money{}
	heads, err := db.Heads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for p := range heads {
		readPartition(t, db, p, func(e *journal.Entry) {
			if e.Kind != fiscal.DocReceipt {
				return
			}
			d := document{int64(e.Register), strconv.FormatUint(e.FiscalSign, 10)}
			if _, twice := stored[d]; twice {
				t.Errorf("register %d: sign %s is stored twice", d.register, d.sign)
			}
			stored[d] = e.Total
		})
	}
	total := 0
	for _, c := range shops {
		total += len(c.slips)
		for _, s := range c.slips {
			if got, ok := stored[document{c.id, s.FiscalSign}]; !ok || got != s.Total {
				t.Errorf("register %d: receipt %s of %v was answered, stored: %v %v", c.id, s.FiscalSign, s.Total, ok, got)
			}
		}
	}
	if len(stored) != total {
		t.Errorf("%d receipts are stored, %d were answered", len(stored), total)
	}
}

func readPartition(t *testing.T, db *sqlite.DB, p fiscal.Partition, each func(*journal.Entry)) {
	t.Helper()
	for from := journal.Seq(1); ; {
		page, err := db.Scan(t.Context(), p, from, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for i := range page {
			each(&page[i])
		}
		if len(page) == 0 {
			return
		}
		from = page[len(page)-1].Seq + 1
	}
}

// freeAddr is an address that nobody listens on now, and the same after each
// restart.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strings.Clone(l.Addr().String())
}
