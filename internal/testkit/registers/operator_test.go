package registers

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	"openofd/internal/gate"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkt"
	"openofd/internal/registry"
	"openofd/internal/store/postgres"
	"openofd/internal/store/sqlite"
	"openofd/internal/testkit"
	"openofd/internal/testkit/faultnet"
	"openofd/internal/testkit/pgcluster"
)

func TestMain(m *testing.M) { os.Exit(pgcluster.Main(m)) }

var quiet = slog.New(slog.DiscardHandler)

// engine is what a node asks of a database.
type engine interface {
	journal.Store
	intake.Store
	registry.Store
	keyring.Store
	Close() error
}

// operator is nodes with doors of their own over one database.
type operator struct {
	store  engine               // past everything that goes wrong
	faulty *testkit.FaultyStore // SQLite's nodes write through it
	cables []*faultnet.Proxy    // between PostgreSQL's nodes and the server
	keys   *keyring.Ring
	first  *intake.Intake
	addrs  []string
	drives []string // doors of the same nodes for registers of Russia
}

// onSQLite starts nodes that share one SQLite installation.
func onSQLite(t *testing.T, nodes int) *operator {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Serve: true})
	o := &operator{store: closing(t, db, err), faulty: testkit.NewFaultyStore(db)}
	for range nodes {
		o.node(t, db, o.faulty, 1)
	}
	return o
}

// onPostgres starts nodes on one PostgreSQL database, each by a cable of its
// own.
func onPostgres(t *testing.T, nodes int) *operator {
	t.Helper()
	url := pgcluster.Database(t)
	if err := postgres.Migrate(t.Context(), postgres.MigrateOptions{URL: url, Partitions: 8}); err != nil {
		t.Fatal(err)
	}
	direct, err := postgres.Open(t.Context(), postgres.Options{URL: url})
	o := &operator{store: closing(t, direct, err)}
	for range nodes {
		cable := faultnet.Postgres(t, pgcluster.Addr(t))
		db, err := postgres.Open(t.Context(), postgres.Options{URL: cable.URL(url), Committers: 2})
		o.cables = append(o.cables, cable)
		node := closing(t, db, err)
		o.node(t, node, node, 2)
	}
	return o
}

// closing closes an engine with the test.
func closing(t *testing.T, e engine, err error) engine {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// node starts a node; it drains and stops with the test.
func (o *operator) node(t *testing.T, store engine, entries journal.Store, lines int) {
	t.Helper()
	if o.keys == nil {
		keys, err := keyring.Open(t.Context(), o.store, filepath.Join(t.TempDir(), "master.key"), true, time.Now, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		o.keys = keys
	}
	rules := newRules()
	committer := journal.New(journal.Config{Committers: lines}, entries, quiet, nil, time.Now)
	in := intake.New(intake.Config{}, store, committer, rules, o.keys, &fiscal.Operator{Site: "https://ofd.example", INN: "7704211201"}, quiet, nil, time.Now, rand.Reader)
	module := kkt.NewSIM1(kkt.SIM1TestKey())
	door := gate.New(gate.Config{AddressFrames: -1, RegisterFrames: -1, KKT: gate.KKTConfig{Module: module}}, in, quiet, nil, time.Now)
	var listeners [2]net.Listener
	for i := range listeners {
		var err error
		if listeners[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	behind, end := context.WithCancel(context.Background())
	ended := make(chan struct{}, 4)
	for _, run := range []func(){
		func() { committer.Run(context.Background()) },
		func() { in.Run(behind) },
		func() { _ = door.Serve(behind, listeners[0]) },
		func() { _ = door.ServeKKT(behind, listeners[1]) },
	} {
		go func() { run(); ended <- struct{}{} }()
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := door.Drain(ctx); err != nil {
			t.Error(err)
		}
		committer.Stop()
		end()
		for range cap(ended) {
			<-ended
		}
	})
	o.addrs, o.drives = append(o.addrs, listeners[0].Addr().String()), append(o.drives, listeners[1].Addr().String())
	if o.first == nil {
		o.first = in
	}
}

// bothRules are the rules of both countries.
type bothRules struct {
	kazakhstan *kkm.Rules
	russia     *kkt.Rules
}

func newRules() bothRules {
	kazakh, russian := policy.For(fiscal.Kazakhstan), policy.For(fiscal.Russia)
	return bothRules{
		&kkm.Rules{Limits: func(day fiscal.WallTime) kkm.Limits {
			terms := kazakh.At(day)
			return kkm.Limits{Shift: terms.Shift, Offline: terms.Offline}
		}},
		&kkt.Rules{Law: func(day fiscal.WallTime) kkt.Law {
			return kkt.Law{Shift: russian.Shift(day), Offline: russian.Offline(day)}
		}},
	}
}

func (r bothRules) Judge(s *fiscal.Situation) (fiscal.Decision, error) {
	if s.Card.Country == fiscal.Russia {
		return r.russia.Judge(s)
	}
	return r.kazakhstan.Judge(s)
}

func (r bothRules) Unknown(x *fiscal.Exchange) fiscal.Decision {
	if x.Address.Kind == fiscal.ByDrive {
		return r.russia.Unknown(x)
	}
	return r.kazakhstan.Unknown(x)
}

// crowd is registers at the operator's doors, every second one of Russia.
func (o *operator) crowd(t *testing.T, n, documents int, addrs, drives []string) *Crowd {
	t.Helper()
	service := registry.New(o.store, o.first, time.Now)
	all, err := Add(t.Context(), service, n-n/2)
	if err != nil {
		t.Fatal(err)
	}
	russian, err := AddDrives(t.Context(), service, n/2)
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Asia/Almaty")
	if err != nil {
		t.Fatal(err)
	}
	c := New(Config{Addrs: addrs, Registers: all, DriveAddrs: drives, Drives: russian, Documents: documents, Zone: zone, Answer: 2 * time.Second})
	t.Cleanup(func() { c.Close() })
	return c
}

// settle ends a run under faults: everything is answered, once, and in an order
// that one operator could have made.
func (o *operator) settle(t *testing.T, c *Crowd) Counts {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.Settle(ctx); err != nil {
		t.Error(err)
	}
	n := c.Compare(t.Context(), t, o.store)
	c.Recorder().Check(t)
	if n.Answered != n.Stored || n.Pending != 0 {
		t.Errorf("answered %d, stored %d, pending %d; want as many stored as answered", n.Answered, n.Stored, n.Pending)
	}
	return n
}
