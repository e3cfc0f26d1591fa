package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/authority/marking"
	"openofd/internal/config"
	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/gate"
	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/registry"
	"openofd/internal/testkit"
)

// farMarking is a marking system whose behavior a test changes; nil answers as
// the table does.
type farMarking struct {
	*marking.Table
	asked atomic.Int32

	mu   sync.Mutex
	deed func(ctx context.Context, message []byte) ([]byte, error)
}

func (f *farMarking) Ask(ctx context.Context, message []byte) ([]byte, error) {
	f.asked.Add(1)
	f.mu.Lock()
	deed := f.deed
	f.mu.Unlock()
	if deed != nil {
		return deed(ctx, message)
	}
	return f.Table.Ask(ctx, message)
}

func (f *farMarking) does(deed func(ctx context.Context, message []byte) ([]byte, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deed = deed
}

// markingOperator is an operator for registers of Russia with a far end of the
// test's.
func markingOperator(t *testing.T, engine string) (*operator, *farMarking, registry.Registered) {
	t.Helper()
	far := &farMarking{Table: marking.New(kkt.NewSIM1(kkt.SIM1TestKey()), nil, time.Now)}
	var s settings
	s.Data = t.TempDir()
	any := config.Addr{HostPort: "127.0.0.1:0"}
	s.KKTAddr, s.OpsAddr = any, any
	s.KKTCrypto.Name = config.CryptoSIM1
	s.Operator.INN.Number = "7704211201"
	s.FarMarking = far
	if engine == "postgres" {
		s.DB.URL = migratedDatabase(t)
		if err := migrateServer(t.Context(), coreConfig{Dir: s.Data, DB: s.DB.URL}, false, nil); err != nil {
			t.Fatal(err)
		}
	}
	o, err := startOperator(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	made, err := o.registry.AddRegister(t.Context(), registry.NewRegister{
		By: "test", Country: fiscal.Russia, XIN: "7704358518", Title: fiscal.Text{RU: "ООО Ромашка"}, OutletAddress: fiscal.Text{RU: "Москва"},
		Model: "Test RU", SerialNumber: "00106900000001", RegistrationNumber: "0000012345055778", Drive: testDrive,
	})
	if err != nil {
		t.Fatal(err)
	}
	return o, far, made
}

// markedCode is a code that drives can check, with a serial number of its own.
func markedCode(serial int) string {
	return fmt.Sprintf("010460503500696421%013d\x1d91EE06\x1d92ty6nIoq1w2xrmcVLmKc3+cnhZxS/kgAnq7Bf5FH0CRQ=", serial)
}

func markedProduct(serial int) string { return fmt.Sprintf("010460503500696421%013d", serial) }

// markedTill is a register that sells marked goods.
type markedTill struct {
	*device.Register
	t    *testing.T
	shop device.Shop
}

func newMarkedTill(t *testing.T, link device.LinkConfig) *markedTill {
	t.Helper()
	r := &markedTill{virtualRegister(t, link, device.DriveConfig{}, time.Now), t, device.SampleShop(ffd.V120)}
	r.shop.Conditions = 1 << 8
	for _, doc := range []device.Document{r.shop.Registration(0), r.shop.OpenShift()} {
		if _, err := r.Make(doc); err != nil {
			t.Fatal(err)
		}
	}
	r.deliver()
	return r
}

func (r *markedTill) deliver() {
	r.t.Helper()
	done, err := r.Deliver(r.t.Context(), device.QueueDocuments)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, d := range done {
		if !d.Ack.Accepted() {
			r.t.Errorf("document %d: %+v", d.Number, d.Ack)
		}
	}
}

// sell scans, sells and delivers the receipt; the notification waits.
func (r *markedTill) sell(serial int) (device.Code, error) {
	r.t.Helper()
	c, scan := r.Scan(r.t.Context(), r.shop, markedCode(serial), device.PieceSold)
	if scan != nil && !errors.Is(scan, fiscal.Unavailable) {
		r.t.Fatal(scan)
	}
	sale := ffd.Receipt{Operation: 1, Items: []ffd.Item{{Name: "Вода", Price: 76_99, Rate: 2}}}
	if _, err := r.Make(r.shop.SettleMarked(ffd.FormReceipt, sale, []device.Code{c})); err != nil {
		r.t.Fatal(err)
	}
	r.deliver()
	return c, scan
}

// A marked good goes all its way over real sockets: asked about, sold, its sale
// notified, and the receipt for that taken by the drive. The marking system
// hears of each sale once, the journal holds what was said and verifies, and
// neither shift nor counters have heard of anything but the receipts.
//
// Req: F-019, F-020, F-021, F-024
func TestMarkedGoods(t *testing.T) {
	onBothEngines(t, func(t *testing.T, engine string) {
		o, far, made := markingOperator(t, engine)
		r := newMarkedTill(t, device.LinkConfig{Addr: o.KKTAddr, Keep: engine == "postgres"})
		if err := r.PingMarking(t.Context()); err != nil {
			t.Errorf("the test of the receiving point: %v", err)
		}
		for serial := range 3 {
			c, err := r.sell(serial)
			if err != nil || c.Mark() != ffd.MarkPositive || !c.Asked || c.Checked != 15 {
				t.Errorf("code %d: %+v, %v; want [M+]", serial, c, err)
			}
		}
		done, err := r.Deliver(t.Context(), device.QueueNotifications)
		if err != nil || len(done) != 3 {
			t.Fatalf("%d notifications answered, %v; want 3", len(done), err)
		}
		for serial := range 3 {
			if got := far.Sold(markedProduct(serial)); got != 1 {
				t.Errorf("the marking system heard of good %d %d times, want once", serial, got)
			}
		}
		if c, err := r.sell(1); err != nil || c.Mark() != ffd.MarkNegative {
			t.Errorf("the same good again: %+v, %v; want [M-]", c, err)
		}
		if _, err := r.Deliver(t.Context(), device.QueueNotifications); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Make(r.shop.CloseShift()); err != nil {
			t.Fatal(err)
		}
		r.deliver()
		row, err := o.store.Row(t.Context(), made.Place)
		if err != nil {
			t.Fatal(err)
		}
		if got := row.State.Counters.GrandTotals; got != [4]fiscal.Money{4 * 76_99} || row.State.Shift.Open {
			t.Errorf("grand totals %v, shift %+v", got, row.State.Shift)
		}
		drives, err := kkt.ParseDrives(row.State.Protocol)
		if err != nil || drives[0].Last != 7 || drives[0].Gaps != nil || drives[0].Marking == nil || drives[0].Marking.Last != 4 || drives[0].Marking.Gaps != nil {
			t.Errorf("drives %+v, %v; want 7 documents and 4 notifications without gaps", drives, err)
		}
		if v, err := verifyStore(t.Context(), o.core, nil); err != nil || v.Entries != 1+7+4+4 {
			t.Errorf("verify = %+v, %v; want 16 entries", v, err)
		}
	})
}

// A far end that is slow, down, or talks rubbish gets the register no reply and
// leaves nothing in the journal; receipts go on meanwhile, and what waited is
// delivered in order when the far end is back. A repetition is answered from
// the journal, byte for byte, and nobody is asked again.
//
// Req: F-021, F-024
func TestMarkingFaults(t *testing.T) {
	onBothEngines(t, func(t *testing.T, engine string) {
		o, far, made := markingOperator(t, engine)
		r := newMarkedTill(t, device.LinkConfig{Addr: o.KKTAddr})
		hung := false
		faults := []func(context.Context, []byte) ([]byte, error){
			func(ctx context.Context, _ []byte) ([]byte, error) { // silent until its time is over, then busy
				if !hung {
					hung = true
					<-ctx.Done()
				}
				return nil, errors.New("too late")
			},
			func(context.Context, []byte) ([]byte, error) { return nil, errors.New("connection refused") },
			func(context.Context, []byte) ([]byte, error) { return bytes.Repeat([]byte{0xA5}, 70), nil },
			func(ctx context.Context, message []byte) ([]byte, error) { // an answer to somebody else
				answer, err := far.Table.Ask(ctx, testkit.KKTVectorNamed(t, "mark-request-81").Message)
				return answer, err
			},
		}
		for serial, fault := range faults {
			far.does(fault)
			c, err := r.sell(serial)
			if !errors.Is(err, fiscal.Unavailable) || c.Mark() != ffd.MarkUnknown || c.Asked {
				t.Errorf("fault %d: code %+v, %v; want [M] and no answer", serial, c, err)
			}
			if done, err := r.Deliver(t.Context(), device.QueueNotifications); !errors.Is(err, fiscal.Unavailable) || len(done) != 0 {
				t.Errorf("fault %d: %d notifications answered, %v; want none", serial, len(done), err)
			}
		}
		row, err := o.store.Row(t.Context(), made.Place)
		if err != nil || row.State.LastNumber != 1+2+fiscal.Number(len(faults)) {
			t.Errorf("%d entries, %v; want the registration, 2 reports and %d receipts", row.State.LastNumber, err, len(faults))
		}
		far.does(nil)
		done, err := r.Deliver(t.Context(), device.QueueNotifications)
		if err != nil || len(done) != len(faults) || done[0].Number != 1 {
			t.Fatalf("delivered %d, %v; want %d in order", len(done), err, len(faults))
		}
		for serial := range faults {
			if got := far.Sold(markedProduct(serial)); got != 1 {
				t.Errorf("the marking system heard of good %d %d times, want once", serial, got)
			}
		}
		if v, err := verifyStore(t.Context(), o.core, nil); err != nil {
			t.Errorf("verify = %+v, %v", v, err)
		}
	})
}

// The same notification on many connections at once is stored once and answered
// with one answer; another document under its number gets none and is kept apart.
// A receipt of the same number is another thing.
func TestMarkingRepeated(t *testing.T) {
	onBothEngines(t, func(t *testing.T, engine string) {
		o, far, made := markingOperator(t, engine)
		message := testkit.KKTVectorNamed(t, "mark-notification-82").Message
		var mu sync.Mutex
		answers := map[string]int{}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				answer, _ := speak(t, o.KKTAddr, message, false)
				mu.Lock()
				defer mu.Unlock()
				answers[string(answer)]++
			})
		}
		all.Wait()
		delete(answers, "") // who found the lane full comes again
		if len(answers) != 1 {
			t.Fatalf("%d different answers, want one", len(answers))
		}
		asked := far.asked.Load()
		for want := range answers {
			if again, _ := speak(t, o.KKTAddr, message, false); string(again) != want {
				t.Errorf("again: %x\nwant %x", again, want)
			}
		}
		if got := far.asked.Load(); got != asked {
			t.Error("the marking system was asked about a repetition")
		}
		drive, _ := kkt.ParseDriveNumber(testDrive)
		other, err := kkt.NewSIM1(kkt.SIM1TestKey()).SealDocument(drive, kkt.CodeNotification, 3, kkt.AppendRequisite(nil, 2002, 3, 0, 0, 0), false)
		if err != nil {
			t.Fatal(err)
		}
		h, _ := kkt.ParseHeader(message)
		conflict, err := kkt.AppendMessage(nil, h, other.Frame)
		if err != nil {
			t.Fatal(err)
		}
		if answer, closed := speak(t, o.KKTAddr, conflict, false); len(answer) != 0 || !closed {
			t.Errorf("another document under the number: %x, closed %t", answer, closed)
		}
		refused, err := o.store.Refused(t.Context(), made.Place.Register, 10)
		if err != nil || len(refused) != 1 || refused[0].Reason != fiscal.NumberTaken || !bytes.Equal(refused[0].Request, conflict) {
			t.Errorf("kept apart: %+v, %v", refused, err)
		}
		row, err := o.store.Row(t.Context(), made.Place)
		if err != nil || row.State.LastNumber != 2 {
			t.Errorf("%d entries, %v; want the registration and one notification", row.State.LastNumber, err)
		}
		found, err := o.store.ByDeviceNumber(t.Context(), made.Place, 3, 1763722140)
		if err != nil || len(found) != 0 {
			t.Errorf("a buyer's check finds %d entries under the notification's number, %v; want none", len(found), err)
		}
	})
}

// Messages of the vectors on the marking channel get their reactions from an
// operator that is alive.
func TestMarkingVectorsOverSockets(t *testing.T) {
	o, _, _ := markingOperator(t, "sqlite")
	played := 0
	for _, v := range testkit.KKTVectors(t) {
		if v.Channel != "marking" || v.Want.Reply == "sent" {
			continue
		}
		played++
		answer, closed := speak(t, o.KKTAddr, v.Message, false)
		switch v.Want.Reply {
		case "83", "84":
			h, err := kkt.ParseHeader(v.Message)
			if err != nil {
				t.Fatal(err)
			}
			f, err := kkt.ParseFrame(v.Message[kkt.HeaderLen:])
			if err != nil || len(answer) < kkt.HeaderLen {
				t.Fatalf("%s: %v, answer %x", v.Name, err, answer)
			}
			if err := kkt.CheckReply(h, f.FrameHeader, answer); err != nil {
				t.Errorf("%s: answer %x: %v", v.Name, answer, err)
			}
		case "empty", "empty or none":
			if len(answer) != kkt.HeaderLen {
				t.Errorf("%s: answer %x, want a header", v.Name, answer)
			}
		default:
			if len(answer) != 0 || !closed {
				t.Errorf("%s: answer %x, closed %t; want none and closed", v.Name, answer, closed)
			}
		}
	}
	if played < 5 {
		t.Errorf("%d vectors were played, want at least 5", played)
	}
}

var _ gate.MarkingSystem = (*farMarking)(nil)
