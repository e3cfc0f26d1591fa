//go:build linux && (faults || long)

package main

import (
	"context"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/testkit"
	"openofd/internal/testkit/faultnet"
	"openofd/internal/testkit/pgcluster"
	"openofd/internal/testkit/registers"
)

// sizes are those of a suite of faults.
type sizes struct {
	registers int           // at work
	away      time.Duration // how long a database is gone when it is gone for long
	rounds    int           // of one fault of the database
	commits   int           // that come to harm, of each kind
	oneIn     int           // COMMITs, of which one comes to harm
	kills     int           // of nodes
	freezes   int           // of nodes
	failovers int           // there and back
	steps     int           // of a faulty store
	storms    int           // of reconnecting registers
}

// fleet is an installation under faults: nodes, a crowd of registers at their
// doors, and what was done to them.
type fleet struct {
	t       *testing.T
	dice    *rand.Rand
	at      coreConfig // the installation, past all that goes wrong
	cluster *pgcluster.Cluster
	store   *testkit.FaultyStore // under the node on the embedded engine
	cables  []*faultnet.Proxy    // between the nodes in this process and the server
	nodes   []*operator
	doors   []string // of the nodes, for registers of Kazakhstan
	russian []string // the same for those of Russia
	crowd   *registers.Crowd
	choose  atomic.Pointer[func(register, exchange int) int] // nil: each exchange goes to the next node
	size    int                                              // of the crowd
	took    times
	faults  int
}

// newFleet describes an installation in a folder, or in a database.
func newFleet(t *testing.T, dir, url string) *fleet {
	f := &fleet{t: t, at: coreConfig{Dir: dir, DB: url, KeyFile: filepath.Join(dir, "master.key")}}
	f.at.Crypto.Name = config.CryptoSIM1
	return f
}

// onCluster makes an installation in a database of a cluster. It has no nodes.
func onCluster(t *testing.T, url string) *fleet {
	t.Helper()
	dir := t.TempDir()
	f := newFleet(t, dir, url)
	if err := migrateServer(t.Context(), f.at, false, nil); err != nil {
		t.Fatal(err)
	}
	return f
}

// startPostgres starts nodes on a cluster of their own, each by a cable.
func startPostgres(t *testing.T, nodes int) *fleet {
	t.Helper()
	f := startNodes(t, nodes)
	f.register(size.registers)
	return f
}

// startNodes does so without registers.
func startNodes(t *testing.T, nodes int) *fleet {
	t.Helper()
	c := pgcluster.Start(t, pgcluster.Options{})
	f := onCluster(t, c.URL("postgres"))
	f.cluster = c
	for range nodes {
		f.start(f.cable(), nil)
	}
	return f
}

// cable leads to the installation's database by a cable that can be damaged.
func (f *fleet) cable() string {
	f.t.Helper()
	p := faultnet.Postgres(f.t, f.cluster.Addr())
	f.cables = append(f.cables, p)
	return p.URL(f.at.DB)
}

// start starts a node in this process. change may be nil.
func (f *fleet) start(db string, change func(*settings)) *operator {
	f.t.Helper()
	s := localSettings(f.t)
	s.DB.URL, s.KeyFile = db, f.at.KeyFile
	s.KKTAddr, s.KKTCrypto, s.Operator.INN.Number = s.KKMAddr, f.at.Crypto, operatorINN
	if db == "" {
		s.Data = f.at.Dir
	}
	s.Limits.AddressFramesPerSecond = config.Off() // all registers are behind one address
	s.Limits.RegisterFramesPerSecond = config.Off()
	if change != nil {
		change(&s)
	}
	o := mustStart(f.t, s)
	f.nodes, f.doors, f.russian = append(f.nodes, o), append(f.doors, o.KKMAddr), append(f.russian, o.KKTAddr)
	return o
}

// register puts registers on the record, every second one of Russia, and makes
// a crowd of them.
func (f *fleet) register(n int) {
	f.t.Helper()
	var all []registers.Credential
	var drives []registers.DriveCredential
	f.with(func(c *core) (err error) {
		if all, err = registers.Add(f.t.Context(), c.registry, n-n/2); err != nil {
			return err
		}
		drives, err = registers.AddDrives(f.t.Context(), c.registry, n/2)
		return err
	})
	zone, err := time.LoadLocation("Asia/Almaty")
	if err != nil {
		f.t.Fatal(err)
	}
	f.crowd = registers.New(registers.Config{Addrs: f.doors, Registers: all, DriveAddrs: f.russian, Drives: drives, Choose: func(register, exchange int) int {
		if choose := f.choose.Load(); choose != nil {
			return (*choose)(register, exchange)
		}
		return register + exchange
	}, Took: f.took.add, Zone: zone, Answer: 3 * time.Second})
	f.size = n
	f.t.Cleanup(func() { f.crowd.Close() })
}

// with works on the installation past all that goes wrong. On the embedded
// engine that is beside its server.
func (f *fleet) with(do func(*core) error) {
	f.t.Helper()
	c, err := startCore(f.t.Context(), f.at)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() {
		if err := c.stop(); err != nil {
			f.t.Error(err)
		}
	}()
	if err := do(c); err != nil {
		f.t.Error(err)
	}
}

// warmth is how long registers work before anything goes wrong.
const warmth = 300 * time.Millisecond

// under has the registers work while harm is done. It returns how many faults
// that were.
func (f *fleet) under(harm func() int) {
	f.t.Helper()
	stop := f.work()
	defer stop()
	time.Sleep(warmth)
	f.faults += harm()
}

// work has the registers work until stop is called; what is under way then
// stays unanswered.
func (f *fleet) work() (stop func()) {
	ctx, cancel := context.WithCancel(f.t.Context())
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		f.crowd.Run(ctx)
	}()
	return func() {
		cancel()
		<-ran
	}
}

// settle has everything answered that is not, and shows that no register
// stands still.
func (f *fleet) settle() {
	f.t.Helper()
	for range 10 { // a loaded machine may not come round to all of them in one
		if err := f.crowd.Settle(within(f.t, patience)); err != nil {
			f.t.Fatal(err)
		}
		before := f.answered()
		stop := f.work()
		time.Sleep(warmth)
		stop()
		if err := f.crowd.Settle(within(f.t, patience)); err != nil {
			f.t.Fatal(err)
		}
		after := f.answered()
		still := 0
		for id, n := range after {
			if n == before[id] {
				still++
			}
		}
		if len(after) == f.size && still == 0 {
			return
		}
	}
	f.t.Errorf("some registers had no document answered in the end")
}

// answered is how many documents each register has an answer to.
func (f *fleet) answered() map[fiscal.RegisterID]int {
	n := map[fiscal.RegisterID]int{}
	for _, d := range f.crowd.Answered() {
		n[d.Register]++
	}
	return n
}

// end settles, stops the nodes of this process, and holds what is stored
// against what was answered.
func (f *fleet) end() tally {
	f.t.Helper()
	f.settle()
	f.stop()
	n := tally{faults: f.faults}
	f.with(func(c *core) error {
		n.Counts = f.crowd.Compare(f.t.Context(), f.t, c.store)
		_, err := verifyStore(f.t.Context(), c, nil)
		return err
	})
	f.crowd.Recorder().Check(f.t)
	if n.Answered == 0 || n.Answered != n.Stored || n.Pending != 0 {
		f.t.Errorf("answered %d, stored %d, pending %d; want as many stored as answered", n.Answered, n.Stored, n.Pending)
	}
	return n
}

func (f *fleet) stop() {
	f.t.Helper()
	for i, o := range slices.Backward(f.nodes) {
		if o == nil {
			continue
		}
		if err := o.stop(); err != nil {
			f.t.Errorf("node %d: stop() = %v", i, err)
		}
	}
	f.nodes = nil
}

// several is the address of a database that lives on one of several hosts.
func several(database string, clusters ...*pgcluster.Cluster) string {
	var host string
	for i, c := range clusters {
		if i > 0 {
			host += ","
		}
		host += c.Addr()
	}
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Host: host, Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}
