//go:build crash || long

package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlite"
	"openofd/internal/testkit/registers"
)

const (
	crashes      = 10 // how often the server is killed; OFD_FAULTS says otherwise
	crashesRound = 25 // then a new installation: verifying takes as long as the journal is
	crashDesk    = 24 // registers under load, every second one of Russia
)

// TestCrash kills the operator with SIGKILL at random moments of full load, and
// starts it again. Registers repeat what was not answered with the same TOKEN
// and REQNUM, or as the same container. After each kill everything stored
// verifies; in the end every document that was answered is stored once with the
// bytes that were answered, none is stored that no register made, no drive keeps
// one, and the operator's counters are the registers' own.
//
// Req: P-006, P-010, P-011, O-076, O-077, O-104
func TestCrash(t *testing.T) {
	number := func(name string, otherwise uint64) uint64 {
		s := os.Getenv(name)
		if s == "" {
			return otherwise
		}
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("%s=%s: %v", name, s, err)
		}
		return n
	}
	seed := number("CRASH_SEED", uint64(time.Now().UnixNano()))
	faults := int(number("OFD_FAULTS", crashes))
	t.Logf("CRASH_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var answered, lost, doubled int
	for left := faults; left > 0 && !t.Failed(); left -= crashesRound {
		a, l, d := crashRound(t, min(left, crashesRound), random)
		answered, lost, doubled = answered+a, lost+l, doubled+d
	}
	if answered < faults*crashDesk {
		t.Errorf("only %d receipts were answered: that was no load", answered)
	}
	t.Logf("faults injected %d, documents answered %d, lost %d, doubled %d", faults, answered, lost, doubled)
}

// crashRound is a number of kills of one installation.
func crashRound(t *testing.T, kills int, random *rand.Rand) (answered, lost, doubled int) {
	s := &script{t: t, dir: t.TempDir(), names: map[string]string{}}
	s.names["dir"], s.names["data"] = s.dir, filepath.Join(s.dir, "data")
	addr, russianAddr := freeAddr(t), freeAddr(t)
	s.write("ofd.toml", servesRussia)
	start := func() { s.serve("--kkm-addr " + addr + " --kkt-addr " + russianAddr) }
	start()
	defer func() {
		if s.server != nil {
			s.server.end(syscall.SIGKILL)
		}
	}()

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var shops []*loadShop
	for i := range crashDesk - crashDesk/2 {
		shops = append(shops, newLoadShop(t, s, i, addr))
	}
	crowd := newDrives(t, s.names["data"], crashDesk/2, russianAddr)
	var work sync.WaitGroup
	work.Go(func() { crowd.Run(ctx) })
	for _, shop := range shops {
		own := rand.New(rand.NewPCG(random.Uint64(), 0))
		work.Go(func() { shop.sell(ctx, own) })
	}
	for range kills {
		time.Sleep(time.Duration(100+random.IntN(400)) * time.Millisecond)
		s.server.end(syscall.SIGKILL)
		start()
		s.at = "verify after a kill"
		s.run(exitOK, "verify")
	}
	time.Sleep(300 * time.Millisecond)
	stop()
	work.Wait()
	for _, shop := range shops {
		if shop.err != nil {
			t.Fatalf("register %d: %v", shop.id, shop.err)
		}
		if len(shop.slips) == 0 {
			t.Errorf("register %d sold nothing", shop.id)
		}
		shop.close(t)
	}
	settled, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := crowd.Settle(settled); err != nil {
		t.Fatal(err)
	}
	s.step("stop", "")
	answered, lost, doubled = checkStored(t, s.names["data"], shops)
	n := checkDrives(t, s.names["data"], crowd)
	s.at = "verify"
	s.run(exitOK, "verify")
	return answered + n.Answered, lost + n.Lost, doubled + n.Doubled
}

// newDrives puts registers of Russia on the record, beside the server, and makes
// a crowd of them.
func newDrives(t *testing.T, dir string, n int, addr string) *registers.Crowd {
	t.Helper()
	c, err := startCore(t.Context(), coreConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	all, err := registers.AddDrives(t.Context(), c.registry, n)
	if err := errors.Join(err, c.stop()); err != nil {
		t.Fatal(err)
	}
	crowd := registers.New(registers.Config{DriveAddrs: []string{addr}, Drives: all, Answer: 15 * time.Second, Rest: 5 * time.Millisecond})
	t.Cleanup(func() { crowd.Close() })
	return crowd
}

// checkDrives compares the journal with what drives were answered.
func checkDrives(t *testing.T, dir string, crowd *registers.Crowd) registers.Counts {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	n := crowd.Compare(t.Context(), t, db)
	if n.Answered == 0 || n.Answered != n.Stored || n.Pending != 0 {
		t.Errorf("drives: answered %d, stored %d, pending %d; want as many stored as answered", n.Answered, n.Stored, n.Pending)
	}
	return n
}

// close closes the shift: the operator's Z tells what the register counted.
func (c *loadShop) close(t *testing.T) {
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
