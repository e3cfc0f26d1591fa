package kkm_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/testkit"
)

// moment is everything that is left when the power is cut: the file, and what
// the operator has by then. promised are the slips that buyers already hold.
type moment struct {
	what     string
	file     []byte
	operator *operator
	promised []promise
}

type promise struct {
	name string // of the goods; "" for what has none
	slip kkm.Slip
}

// recorder watches a register: it stands between register and memory, and
// between register and operator, and keeps each moment.
type recorder struct {
	t        *testing.T
	path     string
	memory   *kkm.FileMemory
	operator *operator
	promised []promise
	moments  []moment
}

func (r *recorder) keep(what string, file []byte) {
	r.moments = append(r.moments, moment{what, file, r.operator.copyOf(), append([]promise(nil), r.promised...)})
}

func (r *recorder) read() []byte {
	b, err := os.ReadFile(r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

func (r *recorder) Load() (kkm.State, []kkm.Job, error) { return r.memory.Load() }
func (r *recorder) Close() error                        { return r.memory.Close() }

// Save keeps the file with the record written to each of several lengths.
func (r *recorder) Save(s kkm.Step) error {
	before := r.read()
	err := r.memory.Save(s)
	after := r.read()
	if len(after) > len(before) { // else it was compacted, in one move
		for _, cut := range []int{0, 9, len(after) - len(before) - 1} {
			r.keep(fmt.Sprintf("record cut at %d", cut), after[:len(before)+cut])
		}
	}
	r.keep("record written", after)
	return err
}

// Exchange hands the frame to the operator without a socket.
func (r *recorder) Exchange(ctx context.Context, frame []byte) (kkm.Reply, error) {
	r.keep("before sending", r.read())
	reply, err := r.operator.exchange(frame)
	r.keep("before the answer", r.read())
	return reply, err
}

// exchange is an Exchanger without a socket.
func (o *operator) exchange(frame []byte) (kkm.Reply, error) {
	b, _ := o.serve(frame)
	if b == nil {
		return kkm.Reply{}, &kkm.LinkError{Stage: kkm.AtReceive, Err: errors.New("lost by the script")}
	}
	h, err := wire.ParseHeader(b)
	return kkm.Reply{Header: h, Payload: b[wire.HeaderLen:]}, err
}

// direct is the Exchanger of exchange.
type direct struct{ *operator }

func (d direct) Exchange(_ context.Context, frame []byte) (kkm.Reply, error) {
	return d.exchange(frame)
}
func (direct) Close() error { return nil }

// TestPowerCut cuts the power at every step of a register's day, each write cut
// at several lengths, and switches on again: no document is lost that a buyer
// holds, none is there twice, and the register works on.
//
// Req: P-002
func TestPowerCut(t *testing.T) {
	t.Parallel()
	for _, v := range []wire.Version{wire.V202, wire.V203} {
		t.Run(v.String(), func(t *testing.T) { powerCut(t, v) })
	}
}

func powerCut(t *testing.T, v wire.Version) {
	clock := &clock{t: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)}
	card := testkit.KKMCard(ids[v])
	cfg := kkm.Config{Version: v, Card: card, CheckURL: "https://ofd.example", Transaction: 100 * time.Millisecond, Pause: 20 * time.Millisecond}
	r := &recorder{t: t, path: filepath.Join(t.TempDir(), "register"), operator: newOperator(t, card, clock.now)}
	var err error
	if r.memory, err = kkm.OpenFile(r.path); err != nil {
		t.Fatal(err)
	}
	defer r.memory.Close()
	reg, err := kkm.New(cfg, r, r2link{r}, clock.now, rand.NewChaCha8([32]byte{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := reg.SetToken(r.operator.token()); err != nil {
		t.Fatal(err)
	}
	day(t, r, reg, clock)
	t.Logf("%d moments, file of %d bytes", len(r.moments), len(r.read()))

	dir := t.TempDir()
	for i, m := range r.moments {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, m.file, 0o600); err != nil {
			t.Fatal(err)
		}
		switchOn(t, fmt.Sprintf("moment %d, %s", i, m.what), path, cfg, m, clock)
		if t.Failed() {
			return
		}
	}
}

// r2link is the recorder as a link; its Close closes nothing.
type r2link struct{ *recorder }

func (r2link) Close() error { return nil }

// day makes documents on line, with lost answers, in autonomous mode, and
// delivers them over a link that breaks.
func day(t *testing.T, r *recorder, reg *kkm.Register, clock *clock) {
	t.Helper()
	ctx := t.Context()
	do := func(name string, act func() (kkm.Slip, error)) {
		t.Helper()
		clock.pass(time.Minute)
		slip, err := act()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r.promised = append(r.promised, promise{name, slip})
	}
	sell := func(name string) {
		t.Helper()
		do(name, func() (kkm.Slip, error) { return reg.Sell(ctx, bread(name)) })
	}
	script := func(deeds ...deed) {
		r.operator.setScript(func(n int, _ wire.Request) deed {
			return deeds[min(n, len(deeds)-1)]
		})
	}
	do("", func() (kkm.Slip, error) { return reg.Deposit(ctx, 500_000, cashier) })
	sell("a")
	script(deed{lose: true}, deed{})
	sell("b: answer lost once")
	script(deed{lose: true})
	sell("c: accepted, answers lost")
	sell("d: waits")
	do("", func() (kkm.Slip, error) { return reg.Withdraw(ctx, 1000, cashier) })
	do("", func() (kkm.Slip, error) { return reg.CloseShift(ctx, cashier, false) })
	sell("e: next shift")
	script(deed{}, deed{}, deed{lose: true})
	if _, err := reg.Deliver(ctx); err == nil {
		t.Fatal("the delivery went through a broken link")
	}
	sell("f: behind the rest")
	script(deed{lose: true}, deed{})
	if _, err := reg.Deliver(ctx); err != nil {
		t.Fatal(err)
	}
	r.operator.setScript(nil)
	sell("g: on line again")
	script(deed{drop: true})
	sell("h: never seen")
	sell("i: waits")
}

// switchOn opens what the power cut left and holds it against the promises.
func switchOn(t *testing.T, when, path string, cfg kkm.Config, m moment, clock *clock) {
	t.Helper()
	memory, err := kkm.OpenFile(path)
	if err != nil {
		t.Errorf("%s: %v", when, err)
		return
	}
	defer memory.Close()
	reg, err := kkm.New(cfg, memory, direct{m.operator}, clock.now, rand.NewChaCha8([32]byte{}))
	if err != nil {
		t.Errorf("%s: %v", when, err)
		return
	}
	if reg.Standing().Mode == kkm.ModeNeedsToken { // the cut came before the first token was saved
		if err := reg.SetToken(m.operator.token()); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	if _, err := reg.Deliver(t.Context()); err != nil {
		t.Errorf("%s: Deliver() = %v", when, err)
	}
	if slip, err := reg.Sell(t.Context(), bread("z")); err != nil || slip.Offline {
		t.Errorf("%s: next sale = %+v, %v, want an online one", when, slip, err)
	}

	var order []string
	receipts := make(map[string]fiscal.Record)
	numbers := make(map[uint64]bool)
	var printed []uint64
	for _, d := range m.operator.documents() {
		if d.Kind == fiscal.DocReceipt {
			doc, err := wire.Read(&d)
			if err != nil {
				t.Fatal(err)
			}
			name := doc.Receipt.Items[0].Name
			if _, twice := receipts[name]; twice {
				t.Errorf("%s: %q is there twice", when, name)
			}
			receipts[name] = d
			order = append(order, name)
		}
		n := printedNumber(d)
		if numbers[n] {
			t.Errorf("%s: printed document %d is there twice", when, n)
		}
		numbers[n] = true
		printed = append(printed, n)
	}
	codes := make(map[uint64]bool) // of receipts, and of repetitions of receipts accepted before
	for _, e := range m.operator.entries {
		codes[e.DeviceNumber] = true
	}
	for i := 1; i < len(order); i++ {
		if order[i] < order[i-1] {
			t.Errorf("%s: order %q", when, order)
		}
	}
	for i, n := range printed {
		if n != uint64(i+1) {
			t.Errorf("%s: printed numbers %v, want them consecutive", when, printed)
			break
		}
	}
	for _, p := range m.promised {
		if !numbers[p.slip.Number] {
			t.Errorf("%s: document %d %q is lost", when, p.slip.Number, p.name)
		}
		if p.slip.OfflineCode != 0 && !codes[uint64(p.slip.OfflineCode)] {
			t.Errorf("%s: %q was printed with code %d, which the operator does not know", when, p.name, p.slip.OfflineCode)
		}
	}
	if own := reg.Standing().Counters; own.Cash != m.operator.state.Counters.Cash || own.GrandTotals != m.operator.state.Counters.GrandTotals {
		t.Errorf("%s: own figures %v %v, the operator's %v %v", when, own.Cash, own.GrandTotals, m.operator.state.Counters.Cash, m.operator.state.Counters.GrandTotals)
	}
}

// printedNumber is the number that the register gave to a document.
func printedNumber(d fiscal.Record) uint64 {
	h, _ := wire.ParseHeader(d.Request)
	msg := wire.ParseRequest(h, d.Request[wire.HeaderLen:]).Msg
	switch {
	case msg.GetTicket() != nil:
		return msg.Ticket.GetPrintedDocumentNumber()
	case msg.GetMoneyPlacement() != nil:
		return msg.MoneyPlacement.GetPrintedDocumentNumber()
	}
	return msg.GetCloseShift().GetPrintedDocumentNumber()
}
