package till

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"openofd/internal/access"
	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// Config sets a till up.
type Config struct {
	Path    string // of the till's file
	Mailer  access.Mailer
	Link    func() kkm.Exchanger // a new link to the operator, for each register
	Check   string               // the operator's site: where buyers check receipts, and programs find its API
	Zone    string               // of registers that name none; "" is Asia/Almaty
	Now     func() time.Time
	Rand    io.Reader
	Log     *slog.Logger
	Options Options
}

// Options are what tests and demonstrations set otherwise; zero is the law's.
type Options struct {
	Transaction time.Duration // from the first attempt to autonomous mode
	Pause       time.Duration // between attempts
	Reconnect   time.Duration // between deliveries
	MaxOffline  time.Duration
	MaxShift    time.Duration
	Goods       time.Duration // between two looks at the operator's catalog; 0: a day
}

// Till serves sellers. Safe for concurrent use.
type Till struct {
	cfg   Config
	shelf *shelf
	known *known
	pins  *access.Passwords
	now   func() time.Time
	log   *slog.Logger

	caller *http.Client // of the operator's API

	ctx     context.Context // ends with the till
	end     context.CancelFunc
	working sync.WaitGroup

	mu   sync.Mutex
	open map[fiscal.RegisterID]*desk // guarded by mu
}

// Open opens or makes the till's file and goes on delivering what waits.
//
// Errors: Corrupt, StoreDown, Conflict if another process has the file.
func Open(ctx context.Context, cfg Config) (*Till, error) {
	if cfg.Zone == "" {
		cfg.Zone = "Asia/Almaty"
	}
	s, err := openShelf(ctx, cfg.Path, cfg.Log)
	if err != nil {
		return nil, err
	}
	t := &Till{cfg: cfg, shelf: s, known: newKnown(), pins: access.NewPasswords(0, cfg.Rand), now: cfg.Now, log: cfg.Log, caller: newCaller(), open: map[fiscal.RegisterID]*desk{}}
	t.ctx, t.end = context.WithCancel(context.Background())
	var all []fiscal.RegisterID
	err = s.file.Read(ctx, func(tx *sqlitefile.Tx) error {
		rows, err := tx.Query(`SELECT DISTINCT register FROM waiting ORDER BY register`)
		if err != nil {
			return err
		}
		for rows.Next() {
			all = append(all, fiscal.RegisterID(rows.Int(0)))
		}
		return rows.Close()
	})
	for _, r := range all {
		if err == nil {
			var d *desk
			if d, err = t.desk(ctx, r); err == nil {
				d.wake() // whoever sees the register again should not see it wait for a round
			}
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the till: %w", err), t.Close())
	}
	t.working.Go(func() { t.everyDay(t.ctx) })
	return t, nil
}

// Close ends deliveries and closes the file; what is durable stays.
func (t *Till) Close() error {
	t.end()
	t.working.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	var err error
	for _, d := range t.open {
		err = errors.Join(err, d.register.Close())
	}
	t.open = nil
	return errors.Join(err, t.shelf.close())
}

// Ready tells whether the till's file takes a change.
func (t *Till) Ready(context.Context) error {
	return t.shelf.write(func(tx *sqlitefile.Tx) error {
		_, _, err := tx.QueryInt(`SELECT 1`)
		return err
	})
}
