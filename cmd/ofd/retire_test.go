package main

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"openofd/internal/access"
	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/registry"
)

// longAgo makes a core whose exchanges come in at another time than now. The
// clock of a database server cannot be set, so that of the exchanges is.
func longAgo(t *testing.T, at coreConfig, clock func() time.Time) *core {
	t.Helper()
	c, err := startCore(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	severities, err := severitiesOf(nil)
	if err != nil {
		t.Fatal(err)
	}
	service := config.Service{}
	quiet, metrics := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	committer := journal.New(journal.Config{Committers: c.store.lines}, c.store, quiet, newJournalMetrics(metrics), clock)
	c.running.Go(func() { committer.Run(context.Background()) })
	c.intake = intake.New(intake.Config{}, c.store, committer, newCountries(config.KKM{}, service.Rule(), severities, access.NewPasswords(0, crand.Reader)),
		c.ring, &at.Operator, quiet, newIntakeMetrics(metrics), clock, crand.Reader)
	c.registry = registry.New(c.store, c.intake, clock)
	t.Cleanup(func() {
		committer.Stop()
		if err := c.stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// Months whose term is over leave, once: refused early, only told, killed
// between two steps and gone on with, archived, noted; what stays verifies, and
// the register goes on.
//
// Req: P-022, T-092, O-047, P-021
func TestRetire(t *testing.T) {
	onBothEngines(t, func(t *testing.T, engine string) {
		s := &script{t: t, at: engine, dir: t.TempDir(), names: map[string]string{"data": t.TempDir()}}
		at := coreConfig{Dir: s.names["data"], Serve: true} // followers go where the folder is served
		if engine == "postgres" {
			at.DB = migratedDatabase(t)
			s.names["db"] = at.DB
			if err := migrateServer(t.Context(), at, false, nil); err != nil {
				t.Fatal(err)
			}
		}
		lot := &pastLot{rand: rand.New(rand.NewPCG(1, 2)), at: time.Date(2016, 1, 30, 9, 0, 0, 0, time.UTC)}
		c := longAgo(t, at, lot.clock)
		lot.link = &pastLink{ctx: t.Context(), core: c, now: lot.clock}
		past := &demoPast{core: c, site: "http://localhost"}
		seller, err := past.kazakh(t.Context(), lot, demoShops(12_000)[0])
		if err != nil {
			t.Fatal(err)
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(seller.begin(t.Context()))
		days := func(n int) {
			for range n {
				must(seller.morning(t.Context()))
				for range 4 {
					lot.at = lot.at.Add(time.Minute)
					must(seller.customer(t.Context()))
				}
				must(seller.evening(t.Context()))
				lot.at = lot.at.Add(24*time.Hour - 4*time.Minute)
			}
		}
		days(4) // two in January, two in February
		lot.at = time.Date(2016, 3, 1, 9, 0, 0, 0, time.UTC)
		days(1)
		place := fiscal.Place{Register: seller.register()}
		listed, err := c.store.Register(t.Context(), seller.register())
		must(err)
		place.Partition = listed.Partition

		followed := followBeforeRetired(t, c, place, time.Date(2016, 1, 30, 9, 0, 0, 0, time.UTC), time.Date(2016, 2, 1, 9, 0, 0, 0, time.UTC))

		// Too early, by this program and without a file.
		s.run(exitUsage, "retire --before 2016-02")
		s.run(exitUsage, "retire --before Februar --no-archive")
		s.run(exitFailed, "retire --before 2024-02 --no-archive")
		if want := "documents of 2024-01 have to be kept until 2033-01-01"; !strings.Contains(s.stderr, want) || !strings.Contains(s.stderr, "Today --before ") {
			t.Errorf("retire says %q, want %q and what may leave", s.stderr, want)
		}
		s.run(exitFailed, "retire --before 2016-02 --no-archive --keep-years 30")
		s.run(exitOK, "retire --before 2016-03 --dry-run")
		if !strings.Contains(s.stdout, "Would be retired") || !strings.Contains(s.stdout, "2016-02") || strings.Contains(s.stdout, "2016-03  ") {
			t.Errorf("a dry run says %q, want January and February", s.stdout)
		}

		// Killed when all was prepared, then when January had left.
		file := filepath.Join(s.dir, "old.gz")
		for _, step := range []int{0, 1} {
			killed := errors.New("killed")
			died := &dies{engine: c.store.engine, after: step, err: killed}
			whole := c.store.engine
			c.store.engine = died
			con := &console{ctx: t.Context(), out: &strings.Builder{}, talk: &strings.Builder{}}
			_, err := c.retire(con, &retireCmd{Before: "2016-03", Archive: file}, 201602)
			c.store.engine = whole
			if !errors.Is(err, killed) {
				t.Fatalf("retire = %v, want it killed", err)
			}
			s.run(exitOK, "verify")
		}
		s.run(exitOK, "retire --before 2016-03 --archive "+file)
		if !strings.Contains(s.stdout, "Retired") || !strings.Contains(s.stdout, "2016-02") || strings.Contains(s.stdout, "2016-01") {
			t.Errorf("the last run says %q, want February alone", s.stdout)
		}
		s.run(exitOK, "retire --before 2016-03 --archive "+file)
		if !strings.Contains(s.stdout, "nothing from before 2016-03") {
			t.Errorf("one more says %q, want nothing", s.stdout)
		}
		s.run(exitOK, "verify")
		if !strings.Contains(s.stdout, "Signed segments stand for") {
			t.Errorf("verify says %q, want the segments", s.stdout)
		}
		s.run(exitOK, "verify --archive "+file)
		s.run(exitOK, "user audit")
		if !strings.Contains(s.stdout, "2016-01 – 2016-02, 30 entries") {
			t.Errorf("what people did is %q, want the retirement in it", s.stdout)
		}
		if _, err := c.store.Entry(t.Context(), place.Partition, place.Register, 4); !errors.Is(err, fiscal.Retired) {
			t.Errorf("an entry of January: %v, want Retired", err)
		}

		// A changed archive is found.
		b, err := os.ReadFile(file)
		must(err)
		for i := range 16 { // a single bit may be one that the packing does not use
			b[len(b)/2+i] ^= 0xFF
		}
		must(os.WriteFile(file, b, 0o600))
		s.run(exitFailed, "verify --archive "+file)

		// The register goes on where it stood, and so does who follows.
		days(1)
		followed.after(4)
		s.run(exitOK, "verify")
	})
}

// dies is an engine under a process that is killed when it wants to let go of
// one month more.
type dies struct {
	engine
	after int
	err   error
}

func (d *dies) RetireMonth(ctx context.Context, month int32) error {
	if d.after--; d.after < 0 {
		return fmt.Errorf("month %d: %w", month, d.err)
	}
	return d.engine.RetireMonth(ctx, month)
}
