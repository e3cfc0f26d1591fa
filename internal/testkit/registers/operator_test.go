package registers

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	"openofd/internal/gate"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/protocol/kkm"
	"openofd/internal/registry"
	"openofd/internal/store/sqlite"
	"openofd/internal/testkit"
)

var quiet = slog.New(slog.DiscardHandler)

// operator is nodes with doors of their own over one SQLite installation,
// whose journal goes wrong as planned.
type operator struct {
	store    *sqlite.DB
	faulty   *testkit.FaultyStore
	registry *registry.Service
	addrs    []string
}

// newOperator starts an operator; it ends with the test.
func newOperator(t *testing.T, nodes int) *operator {
	t.Helper()
	dir := t.TempDir()
	store, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	keys, err := keyring.Open(t.Context(), store, filepath.Join(dir, "master.key"), true, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	law := policy.For(fiscal.Kazakhstan)
	rules := &kkm.Rules{Limits: func(day fiscal.WallTime) kkm.Limits {
		terms := law.At(day)
		return kkm.Limits{Shift: terms.Shift, Offline: terms.Offline}
	}}
	o := &operator{store: store, faulty: testkit.NewFaultyStore(store)}
	for range nodes {
		committer := journal.New(journal.Config{}, o.faulty, quiet, nil, time.Now)
		in := intake.New(intake.Config{}, store, committer, rules, keys, &fiscal.Operator{Site: "https://ofd.example"}, quiet, nil, time.Now, rand.Reader)
		behind, end := context.WithCancel(context.Background())
		done := make(chan struct{}, 3)
		door := gate.New(gate.Config{AddressFrames: -1}, in, quiet, nil, time.Now)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range []func(){
			func() { committer.Run(context.Background()) },
			func() { in.Run(behind) },
			func() { _ = door.Serve(behind, listener) },
		} {
			go func() { run(); done <- struct{}{} }()
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := door.Drain(ctx); err != nil {
				t.Error(err)
			}
			committer.Stop()
			end()
			for range cap(done) {
				<-done
			}
		})
		o.addrs = append(o.addrs, listener.Addr().String())
		if o.registry == nil {
			o.registry = registry.New(store, in, time.Now)
		}
	}
	return o
}

// register puts so many registers on the record.
func (o *operator) register(t *testing.T, n int) (all []Credential) {
	t.Helper()
	for i := range n {
		r, err := o.registry.AddRegister(t.Context(), registry.NewRegister{
			By: "test", Country: fiscal.Kazakhstan, XIN: "210140012347", Title: fiscal.Text{RU: "ТОО"}, OutletAddress: fiscal.Text{RU: "Алматы"},
			Zone: "Asia/Almaty", Model: "Demo", SerialNumber: strconv.Itoa(i), VATPercent: 16_000, TaxSystem: 101,
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, Credential{ID: r.Card.Register, Token: r.Token})
	}
	return all
}
