package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"openofd/internal/access"
	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/protocol/kkt"
	"openofd/internal/registry"
)

// coreConfig says of what a core is made. Everything but Dir may be left out.
type coreConfig struct {
	Dir      string // folder of the embedded database
	DB       string // address of a database server instead; "" is none
	KeyFile  string // "" is master.key in Dir
	Serve    bool   // this process serves the folder, not a command beside it
	Cache    int64  // bytes for cards and states of registers
	Operator fiscal.Operator
	KKM      config.KKM
	KKT      config.KKT
	Service  config.Service
	Crypto   config.Crypto // keys of fiscal drives
	Log      *slog.Logger
	Metrics  prometheus.Registerer
	Now      func() time.Time
	Rand     io.Reader // safe for concurrent use
	// Journal stands between committer and store; nil is nothing. A load test
	// looks there.
	Journal func(journal.Store) journal.Store
}

// core is what a server and a command have in common: the store, the keys, the
// journal's committer, the intake and the registry. A command changes a
// register by the same path as the server beside it, so the server's next
// exchange of that register is judged on the change.
type core struct {
	store    database
	ring     *keyring.Ring
	intake   *intake.Intake
	registry *registry.Service
	module   kkt.CryptoModule // nil: there are no keys of fiscal drives
	rand     io.Reader
	now      func() time.Time

	committer *journal.Committer
	behind    context.CancelFunc // ends what intake writes behind the answers
	running   sync.WaitGroup
}

// startCore opens the store, then the keys in it, then starts the committer
// and what intake writes behind the answers.
func startCore(ctx context.Context, cfg coreConfig) (*core, error) {
	cfg.fill()
	severities, err := severitiesOf(cfg.KKT.Severities)
	if err != nil {
		return nil, err
	}
	store, err := openDatabase(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	// The master key of a server's installation is made when it is migrated:
	// nodes that start together must not each make one.
	ring, err := keyring.Open(ctx, store, cfg.KeyFile, cfg.DB == "", cfg.Now, cfg.Rand)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	c := &core{store: store, ring: ring, now: cfg.Now, rand: cfg.Rand, module: cryptoModule(cfg.Crypto)}
	var entries journal.Store = store
	if cfg.Journal != nil {
		entries = cfg.Journal(store)
	}
	c.committer = journal.New(journal.Config{Committers: store.lines}, entries, cfg.Log, newJournalMetrics(cfg.Metrics), cfg.Now)
	c.intake = intake.New(intake.Config{Cache: cfg.Cache, Found: c.founder(&cfg)}, store, c.committer, newCountries(cfg.KKM, cfg.Service.Rule(), severities, access.NewPasswords(0, cfg.Rand)), ring, &cfg.Operator,
		cfg.Log, newIntakeMetrics(cfg.Metrics), cfg.Now, cfg.Rand)
	c.registry = registry.New(store, c.intake, cfg.Now)
	behind, cancel := context.WithCancel(context.Background())
	c.behind = cancel
	accepting := c.intake
	c.running.Go(func() { c.committer.Run(context.Background()) })
	c.running.Go(func() { accepting.Run(behind) })
	if cfg.Serve {
		c.running.Go(func() { store.tend(behind) })
		watch := newDriveWatch(c.registry, cfg.Metrics, cfg.Now)
		c.running.Go(func() { watch.run(behind, cfg.Log) })
		c.running.Go(func() { c.keepServed(behind, cfg.Log) })
	}
	return c, nil
}

func (cfg *coreConfig) fill() {
	if cfg.KeyFile == "" {
		cfg.KeyFile = filepath.Join(cfg.Dir, "master.key")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = prometheus.NewRegistry()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
}

// stop comes after whoever sends exchanges has stopped: the commits that wait
// are made durable and answered, what intake still has to write is written,
// the store is closed.
func (c *core) stop() error {
	c.committer.Stop()
	c.behind()
	c.running.Wait()
	if err := c.store.Close(); err != nil {
		return fmt.Errorf("close the store: %w", err)
	}
	return nil
}

// stuck is how long a batch may be on its way to the disk, or to the standby
// that has to confirm it, before the installation is said to be out of order.
const stuck = 5 * time.Second

// ready is nil when documents can be taken now.
func (c *core) ready(ctx context.Context) error {
	if took := c.committer.Oldest(); took > stuck {
		return &fiscal.Error{Reason: fiscal.StoreDown, Msg: fmt.Sprintf("a batch has been on its way for %s: is the disk there, and the synchronous standby?", took.Round(time.Second))}
	}
	return c.store.check(ctx)
}

// place is where a command finds the installation. The names are those of
// serve.
type place struct {
	Data    string    `env:"OFD_DATA" type:"path" default:"ofd-data" placeholder:"DIR" help:"Folder of the embedded database."`
	DB      config.DB `name:"db" env:"OFD_DB" placeholder:"URL" help:"Database server instead of the embedded one, postgres://…"`
	KeyFile string    `env:"OFD_KEY_FILE" type:"path" placeholder:"FILE" help:"Master key; master.key in the data folder."`
}

// openCore starts a core for a command, which ends with it.
func openCore(con *console, at place) (*core, error) {
	c, err := startCore(con.ctx, coreConfig{
		Dir: at.Data, DB: at.DB.URL, KeyFile: at.KeyFile, KKM: con.file.KKM, KKT: con.file.KKT, Service: con.file.Service, Crypto: con.file.KKTCrypto, Operator: con.file.Operator.At(con.file.Site),
	})
	if err != nil {
		return nil, err
	}
	con.atEnd(c.stop)
	return c, nil
}
