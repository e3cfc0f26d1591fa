package observe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// A Check asks one thing that must hold before this process is given work. Run
// obeys its context, which ends after readyTimeout.
type Check struct {
	Name string
	Run  func(ctx context.Context) error
	Note bool // what it finds is told, and changes nothing
}

// Deadlines of the ops door. Profiles write for half a minute and longer.
const (
	readyTimeout  = 2 * time.Second
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 2 * time.Minute
	idleTimeout   = time.Minute
	closeTimeout  = 2 * time.Second
)

// Ops is the door for those who run the process; it must not be reachable by
// anyone else. It is safe for concurrent use.
//
//	GET /metrics        Prometheus
//	GET /healthz        200 while the process lives
//	GET /readyz         200 when every check holds, else 503; 503 while draining
//	GET /debug/pprof/   profiles
type Ops struct {
	checks   []Check
	draining atomic.Bool
	mux      *http.ServeMux
}

// NewOps makes the door for a registry and the checks of readiness.
func NewOps(reg *prometheus.Registry, checks ...Check) *Ops {
	o := &Ops{checks: checks, mux: http.NewServeMux()}
	o.mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg, Timeout: readTimeout}))
	o.mux.HandleFunc("GET /healthz", healthz)
	o.mux.HandleFunc("GET /readyz", o.readyz)
	o.mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	o.mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	o.mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	o.mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	o.mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	o.mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return o
}

// Drain makes readiness fail from now on, so that a balancer sends its next
// peers elsewhere while the present ones are served to their end.
func (o *Ops) Drain() { o.draining.Store(true) }

// ServeHTTP implements http.Handler.
func (o *Ops) ServeHTTP(w http.ResponseWriter, r *http.Request) { o.mux.ServeHTTP(w, r) }

// Serve answers on the listener until the context ends, then waits a moment
// for answers under way. It closes the listener.
func (o *Ops) Serve(ctx context.Context, ln net.Listener, log *slog.Logger) error {
	srv := &http.Server{
		Handler:           o,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	select {
	case err := <-done:
		return fmt.Errorf("ops door: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := srv.Shutdown(last); err != nil {
		srv.Close() // a profile under way is not waited for
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("ops door: %w", err)
	}
	return nil
}

func healthz(w http.ResponseWriter, _ *http.Request) {
	plain(w, http.StatusOK, "alive\n")
}

// readyz names every check with its outcome, so that the first look tells what
// is wrong.
func (o *Ops) readyz(w http.ResponseWriter, r *http.Request) {
	status := http.StatusOK
	var body strings.Builder
	if o.draining.Load() {
		status = http.StatusServiceUnavailable
		body.WriteString("draining\n")
	}
	for i, err := range o.ask(r.Context()) {
		if err != nil {
			if !o.checks[i].Note {
				status = http.StatusServiceUnavailable
			}
			fmt.Fprintf(&body, "%s: %v\n", o.checks[i].Name, err)
			continue
		}
		fmt.Fprintf(&body, "%s: ok\n", o.checks[i].Name)
	}
	if body.Len() == 0 {
		body.WriteString("ready\n")
	}
	plain(w, status, body.String())
}

// ask runs the checks side by side: one that hangs must not hide the others.
func (o *Ops) ask(ctx context.Context) []error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	outcomes := make([]error, len(o.checks))
	var running sync.WaitGroup
	for i, check := range o.checks {
		running.Go(func() { outcomes[i] = check.Run(ctx) })
	}
	running.Wait()
	return outcomes
}

func plain(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}
