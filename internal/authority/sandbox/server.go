package sandbox

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"openofd/internal/authority/fns"
	"openofd/internal/authority/kgd"
	"openofd/internal/authority/marking"
	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
	"openofd/internal/web/ui"
)

// Config says what a sandbox is to be. Dir alone is enough.
type Config struct {
	Dir string // of the database; made if it is not there
	// Certificates says that operators show a certificate, whose common name is
	// theirs, to whoever serves the Handler; without one they are not let in. When
	// it is false all of them are one, who is called "operator".
	Certificates bool
	DecideAfter  time.Duration // how long an application waits; 0 means 15 s, below 0 not at all
	ByPerson     bool          // people decide, on the screens
	Known        []Known       // taxpayers and models to be on record, beside those that are
	Password     string        // of the staff from now on; "" leaves it, and makes one at the first start
	Marking      MarkingSystem // answers for marked goods; nil: nobody does
	Zone         *time.Location
	Log          *slog.Logger     // nil is nobody
	Now          func() time.Time // nil is the clock
	Rand         io.Reader        // of secrets and numbers; nil is crypto/rand
	Dice         func(n int) int  // below n, for faults; nil is a good one
}

// MarkingSystem answers a message of the marking channel; marking.Table does.
type MarkingSystem interface {
	Ask(ctx context.Context, message []byte) (container []byte, err error)
}

// Server is an authority. Safe for concurrent use.
type Server struct {
	cfg       Config
	file      *sqlitefile.File
	handler   http.Handler
	batches   chan struct{} // one for each batch that is in memory
	faults    faults
	staff     staff
	operators operators
	render    *ui.Renderer
	wake      chan struct{} // there may be something to decide
	stop      context.CancelFunc
	done      sync.WaitGroup
	madeOnce  string // the password that was made at the first start
}

// Bounds of what is under way at a time: with kgd.MaxBatch of each about 100 MiB.
const maxBatches = 8

const usualWait = 15 * time.Second

//go:embed migrations/*.sql
var migrations embed.FS

// Open opens the database, brings its schema up to date and begins to decide.
// Close ends it.
//
// Errors: those of the file; Invalid for what Config must not say.
func Open(ctx context.Context, cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of the authority: %w", err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	file, err := sqlitefile.Open(ctx, sqlitefile.Options{
		Path: filepath.Join(cfg.Dir, "authority.db"), Migrations: files, Migrate: true, LogBytes: 64 << 20, Log: cfg.Log,
	})
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, file: file, batches: make(chan struct{}, maxBatches), wake: make(chan struct{}, 1)}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.done.Go(func() { s.decideInTime(run) })
	return s, nil
}

func (c Config) withDefaults() Config {
	if c.DecideAfter == 0 {
		c.DecideAfter = usualWait
	}
	if c.Zone == nil {
		c.Zone = time.FixedZone("", 5*60*60)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Dice == nil {
		c.Dice = mathrand.IntN
	}
	return c
}

// prepare makes what is in the database at least, and the handler.
func (s *Server) prepare(ctx context.Context) error {
	if err := s.firstNumber(ctx); err != nil {
		return err
	}
	if err := s.setPassword(ctx); err != nil {
		return err
	}
	if err := s.addKnown(ctx, s.cfg.Known); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("POST "+kgd.PathReceipts, s.exchange(atReceipts, s.takeLines("receipts", kazakhstan, parseKazakh)))
	mux.Handle("POST "+kgd.PathApplications, s.exchange(atApplications, s.takeApplication))
	mux.Handle("GET "+kgd.PathDecisions, s.exchange(atDecisions, s.decisions(fiscal.Kazakhstan)))
	mux.Handle("POST "+kgd.PathSummaries, s.exchange(atSummaries, s.takeSummaries))
	mux.Handle("GET "+kgd.PathCounts, s.exchange(atCounts, s.counts))
	mux.Handle("POST "+kgd.PathReports, s.exchange(atReports, s.takeReport))
	mux.Handle("POST "+fns.PathDocuments, s.exchange(atDocuments, s.takeLines("documents", russia, parseRussian)))
	mux.Handle("POST "+fns.PathApplications, s.exchange(atApplications, s.takeRussianApplication))
	mux.Handle("GET "+fns.PathDecisions, s.exchange(atDecisions, s.decisions(fiscal.Russia)))
	mux.Handle("POST "+marking.PathRequests, s.exchange(atMarking, s.askMarking))
	pages, err := s.pages()
	if err != nil {
		return err
	}
	mux.Handle("/", ui.Secure(pages))
	for _, path := range []string{"/kgd/", "/fns/", "/marking/"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			answerProblem(w, http.StatusNotFound, "there is no such address, or it is asked for otherwise")
		})
	}
	s.handler = mux
	return nil
}

// Handler is the door, for operators and staff alike.
func (s *Server) Handler() http.Handler { return s.handler }

// FirstPassword is the one that was made at the first start, to be shown once;
// "" at any other.
func (s *Server) FirstPassword() string { return s.madeOnce }

// Close waits for what is being decided and stored, and closes the database.
func (s *Server) Close() error {
	s.stop()
	s.done.Wait()
	return s.file.Close()
}

// now is the authority's clock, which a fault may have moved.
func (s *Server) now() time.Time {
	return s.cfg.Now().Add(s.faults.clock()).UTC().Truncate(time.Microsecond)
}

// setting reads one value, "" if there is none.
func setting(tx *sqlitefile.Tx, name string) (value string, err error) {
	st, err := tx.Query("SELECT value FROM settings WHERE name = ?", name)
	if err != nil {
		return "", err
	}
	if st.Next() {
		value = st.Text(0)
	}
	return value, st.Close()
}

func set(tx *sqlitefile.Tx, name, value string) error {
	_, err := tx.Exec("INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", name, value)
	return err
}

func notThere(field string) error { return &fiscal.Error{Reason: fiscal.NothingThere, Field: field} }
