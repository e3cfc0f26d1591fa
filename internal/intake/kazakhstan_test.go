package intake_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	virtual "openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/protocol/kkm"
	"openofd/internal/registry"
	"openofd/internal/testkit"
)

// operator is an intake with the real rules of Kazakhstan, two nodes of it on
// one store that breaks down now and then.
type operator struct {
	store    *testkit.MemStore
	faulty   *testkit.FaultyStore
	keys     *keyring.Ring
	nodes    []*intake.Intake
	registry *registry.Service
}

func newOperator(t testing.TB) *operator {
	t.Helper()
	store := testkit.NewMemStore(2)
	keys, err := keyring.Open(t.Context(), store, filepath.Join(t.TempDir(), "master.key"), true, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	law := policy.For(fiscal.Kazakhstan)
	rules := &kkm.Rules{Limits: func(day fiscal.WallTime) kkm.Limits {
		terms := law.At(day)
		return kkm.Limits{Shift: terms.Shift, Offline: terms.Offline}
	}}
	o := &operator{store: store, faulty: testkit.NewFaultyStore(store), keys: keys}
	for range 2 {
		c := journal.New(journal.Config{}, o.faulty, quiet, nil, time.Now)
		go c.Run(context.Background())
		t.Cleanup(c.Stop)
		o.nodes = append(o.nodes, intake.New(intake.Config{}, store, c, rules, keys, &fiscal.Operator{Site: "https://ofd.example"}, quiet, nil, time.Now, rand.Reader))
	}
	o.registry = registry.New(store, o.nodes[0], time.Now)
	return o
}

// wire carries a device's frames to either node, and loses some.
type wire struct {
	o    *operator
	dice *mathrand.Rand
	lost int // of 100 answers; of as many requests
	down bool
}

func (w *wire) Close() error { return nil }

func (w *wire) Exchange(ctx context.Context, frame []byte) (virtual.Reply, error) {
	silent := func(at virtual.Stage) (virtual.Reply, error) {
		return virtual.Reply{}, &virtual.LinkError{Stage: at, Err: errors.New("the link is down")}
	}
	if w.down || w.dice.IntN(100) < w.lost {
		return silent(virtual.AtSend)
	}
	h, err := kkm.ParseHeader(frame)
	if err != nil {
		return silent(virtual.AtSend)
	}
	buffer := append([]byte(nil), frame...) // the door's, used again afterwards
	a, err := w.o.nodes[w.dice.IntN(2)].Accept(ctx, fiscal.Exchange{
		Address: fiscal.Address{Kind: fiscal.ByID, Name: strconv.FormatUint(uint64(h.ID), 10)},
		Request: buffer, Body: kkm.ParseRequest(h, buffer[kkm.HeaderLen:]), Received: time.Now(), Peer: "192.0.2.1",
	})
	clear(buffer)
	if err != nil || w.dice.IntN(100) < w.lost {
		return silent(virtual.AtReceive)
	}
	got, err := kkm.ParseHeader(a.Frame)
	return virtual.Reply{Header: got, Payload: a.Frame[kkm.HeaderLen:]}, err
}

// verify walks the journal, recomputes every sign and replays every state.
func (o *operator) verify(t testing.TB) (signs int) {
	t.Helper()
	v := journal.Verification{
		Store: o.store,
		Check: func(e *journal.Entry) error {
			if e.Kind != fiscal.DocReceipt {
				return nil
			}
			signs++
			k, err := o.keys.ByID(e.SignKey)
			if err == nil && kkm.SignOf(&e.Record, &k) != e.FiscalSign {
				err = fmt.Errorf("sign %d", e.FiscalSign)
			}
			return err
		},
		Fold: journal.NewReplay(o.store, kkm.Read, func(ctx context.Context, p fiscal.Place) (*fiscal.State, error) {
			row, err := o.store.Row(ctx, p)
			return row.State, err
		}),
	}
	if _, err := v.Verify(t.Context()); err != nil {
		t.Errorf("Verify() = %v", err)
	}
	return signs
}

// Virtual devices of every version work against two nodes over a link that
// loses frames and a store that breaks down: no document is refused for what
// the network did, each is stored once, and the journal replays to the states.
// Req: P-011, P-013, P-021, O-047
func TestDevicesOfKazakhstan(t *testing.T) {
	for seed, version := range []kkm.Version{kkm.V124, kkm.V125, kkm.V200, kkm.V202, kkm.V203, kkm.V204} {
		t.Run(version.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOperator(t)
				dice := mathrand.New(mathrand.NewPCG(uint64(seed), 7))
				reg, err := o.registry.AddRegister(t.Context(), registry.NewRegister{
					By: "test", Country: fiscal.Kazakhstan, XIN: "210140012347", Title: fiscal.Text{RU: "ТОО"}, OutletAddress: fiscal.Text{RU: "Алматы"},
					Model: "Demo", SerialNumber: strconv.Itoa(seed), VATPercent: 16_000, TaxSystem: 101,
				})
				if err != nil {
					t.Fatal(err)
				}
				link := &wire{o: o, dice: dice, lost: 10}
				r, err := virtual.New(virtual.Config{Version: version, Card: reg.Card, CheckURL: "https://ofd.example"}, new(virtual.Volatile), link, time.Now, rand.Reader)
				if err != nil {
					t.Fatal(err)
				}
				if err := r.SetToken(reg.Token); err != nil {
					t.Fatal(err)
				}
				w := worker{o: o, r: r, link: link, dice: dice, version: version}
				for range 120 {
					w.step(t, reg.Card.Register)
				}
				link.down, link.lost = false, 0
				if _, err := r.Deliver(t.Context()); err != nil {
					t.Errorf("the last delivery: %v", err)
				}
				if signs := o.verify(t); signs != w.receipts {
					t.Errorf("%d receipts stored, %d made", signs, w.receipts)
				}
				var replayed, closed, canceled int
				for _, e := range entries(t, o.store, reg.Place.Partition) {
					if e.Flags.Has(fiscal.FlagReplay) {
						replayed++
					}
					switch e.Kind {
					case fiscal.DocShiftClose:
						closed++
					case fiscal.DocCancel:
						canceled++
					}
				}
				if w.receipts < 30 || replayed < 5 || closed < 2 || canceled == 0 && version < kkm.V203 {
					t.Errorf("too little happened: %d receipts, %d replays, %d shifts, %d canceled", w.receipts, replayed, closed, canceled)
				}
				for _, refused := range o.store.AllRefused() {
					t.Errorf("refused: %v %s %s", refused.Reason, refused.Field, refused.Detail)
				}
			})
		})
	}
}

// worker is a cashier at a device.
type worker struct {
	o        *operator
	r        *virtual.Register
	link     *wire
	dice     *mathrand.Rand
	version  kkm.Version
	receipts int
	last     virtual.Slip
}

func (w *worker) step(t *testing.T, id fiscal.RegisterID) {
	t.Helper()
	time.Sleep(time.Duration(1+w.dice.IntN(1800)) * time.Second)
	cashier := fiscal.Cashier{Code: 1, Name: "Әсел"}
	fault := testkit.Works
	if w.dice.IntN(10) == 0 {
		fault = testkit.Faults()[w.dice.IntN(len(testkit.Faults())-1)] // all but Hangs
	}
	w.o.faulty.Next(fault)
	var err error
	switch n := w.dice.IntN(20); {
	case n < 10:
		sum := fiscal.Money(100 + w.dice.IntN(100_000))
		w.last, err = w.r.Sell(t.Context(), fiscal.Receipt{Cashier: cashier, Items: []fiscal.Item{{
			Kind: fiscal.ItemGoods, Name: "Нан", Section: strconv.Itoa(1 + w.dice.IntN(3)), Unit: "796", Quantity: fiscal.OneUnit, Price: sum, Cost: sum,
			Taxes: []fiscal.Tax{{Kind: fiscal.KindVAT, Percent: 16_000, Sum: fiscal.IncludedTax(sum, 16_000), Included: true}},
		}}})
		if err == nil {
			w.receipts++
		}
	case n < 12:
		_, err = w.r.Deposit(t.Context(), fiscal.Money(1+w.dice.IntN(5000)), cashier)
	case n == 12:
		_, err = w.r.CloseShift(t.Context(), cashier, w.dice.IntN(2) == 0)
	case n == 13:
		_, err = w.r.Report(t.Context(), fiscal.ReportX)
	case n == 14 && w.version < kkm.V203:
		_, err = w.r.Cancel(t.Context())
	case n == 15:
		_, err = w.r.Info(t.Context())
	case n == 16:
		err = w.r.System(t.Context())
	case n == 17:
		w.link.down = true // until the next of these
	default:
		w.link.down = false
		_, err = w.r.Deliver(t.Context())
	}
	switch {
	case err == nil, errors.Is(err, fiscal.Unavailable), errors.Is(err, fiscal.CannotCancel), errors.Is(err, fiscal.UnsupportedCommand):
	case errors.Is(err, fiscal.ShiftTooLong):
		if _, err := w.r.CloseShift(t.Context(), cashier, false); err != nil && !errors.Is(err, fiscal.Unavailable) {
			t.Errorf("closing a shift that is too long: %v", err)
		}
	default:
		t.Errorf("the device was told: %v", err)
	}
}
