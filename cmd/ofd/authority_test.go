package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"openofd/internal/authority/kgd"
	"openofd/internal/config"
)

// TestAuthority: the command opens its door, tells the password once, takes what
// comes and is still the same after a restart.
func TestAuthority(t *testing.T) {
	dir := t.TempDir()
	known := filepath.Join(dir, "known")
	if err := os.WriteFile(known, []byte("kz model Пион-102Ф\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := authorityCmd{
		Data: filepath.Join(dir, "data"), Addr: config.Addr{HostPort: "127.0.0.1:0"}, Decide: "auto", Known: known,
		Marking: config.Marking{Name: config.MarkingTable}, Log: observeLog{Level: slog.LevelError},
	}
	first := runAuthority(t, &c, func(w welcomed) {
		if status := getStatus(t, w.Site+kgd.PathDecisions); status != http.StatusOK {
			t.Errorf("decisions: %d", status)
		}
		if status := getStatus(t, w.Site+"/signin"); status != http.StatusOK {
			t.Errorf("the screens: %d", status)
		}
	})
	if first.Password == "" {
		t.Error("no password was told at the first start")
	}
	if again := runAuthority(t, &c, func(welcomed) {}); again.Password != "" {
		t.Errorf("a password was told again: %q", again.Password)
	}

	bad := c
	bad.ClientCA = "ca.pem"
	if err := bad.Run(&console{ctx: t.Context(), out: io.Discard, talk: io.Discard}); err == nil || !strings.Contains(err.Error(), "--client-ca") {
		t.Errorf("--client-ca without TLS: %v", err)
	}
	bad = c
	bad.Marking = config.Marking{URL: "https://example.kz"}
	if err := bad.Run(&console{ctx: t.Context(), out: io.Discard, talk: io.Discard}); err == nil || !strings.Contains(err.Error(), "--marking") {
		t.Errorf("--marking of somebody else: %v", err)
	}
}

// runAuthority runs the command while do looks at it.
func runAuthority(t *testing.T, c *authorityCmd, do func(welcomed)) (w welcomed) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	said, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := c.Run(&console{ctx: ctx, in: strings.NewReader(""), out: out, talk: io.Discard, json: true})
		out.CloseWithError(io.EOF)
		done <- err
	}()
	if err := json.NewDecoder(said).Decode(&w); err != nil {
		t.Fatalf("what it said: %v; it ended with %v", err, <-done)
	}
	w.Site = "http://" + w.Address
	do(w)
	stop()
	go io.Copy(io.Discard, said) //nolint:errcheck // nothing more is said
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("it does not end")
	}
	return w
}

func getStatus(t *testing.T, url string) int {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r.Body); err != nil {
		t.Fatal(err)
	}
	return r.StatusCode
}
