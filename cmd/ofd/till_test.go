package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"openofd/internal/config"
)

// The till is a server of its own: it opens its doors, tells how it is, and ends
// in good order; each flag has a name in the environment and one in the file.
//
// Req: E-002, O-104
func TestTill(t *testing.T) {
	c := tillCmd{Till: config.Till{
		Data: filepath.Join(t.TempDir(), "till"), Addr: config.Addr{HostPort: "127.0.0.1:0"}, OpsAddr: config.Addr{HostPort: "127.0.0.1:0"}, Operator: "127.0.0.1:1",
		OperatorURL: config.Site{URL: "https://ofd.example"},
	}}
	for range 2 { // the second time on what the first left
		ctx, stop := context.WithCancel(t.Context())
		said, out := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			con := &console{ctx: ctx, out: out, talk: io.Discard, json: true, file: &config.File{}}
			err := c.Run(con)
			ended <- err
			_ = out.Close()
		}()
		var open tillOpen
		if err := json.NewDecoder(said).Decode(&open); err != nil {
			t.Fatal(err, <-ended)
		}
		go func() { _, _ = io.Copy(io.Discard, said) }()
		for path, want := range map[string]string{
			open.Site + "/welcome": "/assets/till/till.", "http://" + open.Ops + "/healthz": "alive", "http://" + open.Ops + "/readyz": "store: ok", "http://" + open.Ops + "/metrics": "ofd_till_waiting_documents 0",
		} {
			resp, err := http.Get(path) //nolint:noctx // a test's own server
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(want)) {
				t.Errorf("%s: %d, no %q in %s", path, resp.StatusCode, want, body)
			}
		}
		stop()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("stopped: %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("it does not stop")
		}
	}
	bad := c
	bad.Operator = "nowhere"
	if err := bad.Run(&console{ctx: t.Context(), out: io.Discard, talk: io.Discard, file: &config.File{}}); err == nil || !strings.Contains(err.Error(), "--operator") {
		t.Errorf("an operator without a port: %v", err)
	}
}
