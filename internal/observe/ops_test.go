package observe

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// open serves an ops door on a free port and returns its address. When the
// test ends, so does the door, and its error must be none.
func open(t *testing.T, o *Ops) (url string, stop func() error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.Serve(ctx, ln, slog.New(slog.DiscardHandler)) }()
	ended := false
	stop = func() error {
		ended = true
		cancel()
		return <-done
	}
	t.Cleanup(func() {
		if ended {
			return
		}
		if err := stop(); err != nil {
			t.Errorf("Serve() = %v, want nil after the context ended", err)
		}
	})
	return "http://" + ln.Addr().String(), stop
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestDoor(t *testing.T) {
	reg := NewRegistry()
	answers := prometheus.NewCounter(prometheus.CounterOpts{Name: "ofd_test_answers_total", Help: "A counter of ours."})
	reg.MustRegister(answers)
	answers.Add(7)
	url, _ := open(t, NewOps(reg))

	tests := []struct {
		path   string
		status int
		want   []string
	}{
		{"/metrics", 200, []string{"ofd_test_answers_total 7", "go_goroutines ", "process_open_fds ", `ofd_build_info{go_version="go1.`}},
		{"/healthz", 200, []string{"alive"}},
		{"/readyz", 200, []string{"ready"}},
		{"/debug/pprof/", 200, []string{"goroutine"}},
		{"/debug/pprof/goroutine?debug=1", 200, []string{"goroutine profile: total"}},
		{"/debug/pprof/profile?seconds=1", 200, nil},
		{"/", 404, nil},
		{"/check", 404, nil},
	}
	for _, tt := range tests {
		status, body := get(t, url+tt.path)
		if status != tt.status {
			t.Errorf("GET %s = %d, want %d", tt.path, status, tt.status)
		}
		for _, want := range tt.want {
			if !strings.Contains(body, want) {
				t.Errorf("GET %s answers %.300q, want %q in it", tt.path, body, want)
			}
		}
	}
}

func TestReady(t *testing.T) {
	ok := Check{Name: "journal", Run: func(context.Context) error { return nil }}
	full := Check{Name: "disk", Run: func(context.Context) error { return errors.New("no space left") }}
	hangs := Check{Name: "store", Run: func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }}
	note := Check{Name: "followers", Run: full.Run, Note: true}
	tests := []struct {
		name   string
		checks []Check
		drain  bool
		status int
		want   string
	}{
		{"no checks", nil, false, 200, "ready\n"},
		{"all hold", []Check{ok}, false, 200, "journal: ok\n"},
		{"one fails", []Check{ok, full}, false, 503, "journal: ok\ndisk: no space left\n"},
		{"one takes note", []Check{ok, note}, false, 200, "journal: ok\nfollowers: no space left\n"},
		{"one hangs", []Check{hangs, ok}, false, 503, "store: context deadline exceeded\njournal: ok\n"},
		{"draining", []Check{ok}, true, 503, "draining\njournal: ok\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := NewOps(prometheus.NewRegistry(), tt.checks...)
			url, _ := open(t, o)
			if tt.drain {
				o.Drain()
			}
			if status, body := get(t, url+"/readyz"); status != tt.status || body != tt.want {
				t.Errorf("GET /readyz = %d %q, want %d %q", status, body, tt.status, tt.want)
			}
			if status, _ := get(t, url+"/healthz"); status != 200 {
				t.Errorf("GET /healthz = %d, want 200: not ready is not dead", status)
			}
		})
	}
}

// TestSlowPeer: who connects and says nothing is not waited for.
func TestSlowPeer(t *testing.T) {
	url, stop := open(t, NewOps(prometheus.NewRegistry()))
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x"); err != nil {
		t.Fatal(err)
	}
	from := time.Now()
	if err := stop(); err != nil {
		t.Errorf("Serve() = %v, want nil", err)
	}
	if took := time.Since(from); took > headerTimeout*9/10 {
		t.Errorf("Serve took %v to end, want about %v", took, closeTimeout)
	}
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read after Serve ended: %v, want a closed connection", err)
	}
}

// TestListenerGone: a door that falls shut says so.
func TestListenerGone(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := NewOps(prometheus.NewRegistry()).Serve(t.Context(), ln, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("Serve(closed listener) = nil, want an error")
	}
}
