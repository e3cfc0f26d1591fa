package journal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/testkit"

	"pgregory.net/rapid"
)

// body is the contents of an entry in these tests' own format.
type body struct {
	Receipt *receipt
	Move    uint8 // Op
	Act     fiscal.ActKind
}

// receipt is a receipt that survives JSON.
type receipt struct {
	Op      uint8
	Total   int64
	Section string
}

func (r *receipt) open() *fiscal.Receipt {
	return &fiscal.Receipt{
		Op: fiscal.Op(r.Op), Total: fiscal.Money(r.Total),
		Items:    []fiscal.Item{{Kind: fiscal.ItemGoods, Section: r.Section, Cost: fiscal.Money(r.Total)}},
		Payments: []fiscal.Payment{{Kind: fiscal.PayCash, Sum: fiscal.Money(r.Total)}},
	}
}

func read(rec *fiscal.Record) (fiscal.Document, error) {
	d := fiscal.Document{Record: *rec}
	var b body
	if err := json.Unmarshal(rec.Request, &b); err != nil {
		return d, err
	}
	switch {
	case b.Receipt != nil:
		d.Receipt = b.Receipt.open()
	case b.Move != 0:
		d.Move = &fiscal.CashMove{Op: fiscal.Op(b.Move), Sum: rec.Total}
	case b.Act != "":
		d.Act = &fiscal.Act{Kind: b.Act, Card: &fiscal.Card{Version: 2}}
	}
	return d, nil
}

// living is a register whose state moves on as acceptance moves it.
type living struct {
	*register
	state fiscal.State
}

// did makes the commit of one record after the state has moved on.
func (l *living) did(rec fiscal.Record, b body) journal.Commit {
	c := l.fork(1)
	e := &c.Entries[0]
	rec.Register, rec.Number, rec.Format, rec.ReceivedAt = e.Register, e.Number, "test/1", e.ReceivedAt
	rec.Request, _ = json.Marshal(b)
	rec.Shift = l.state.Shift.Number
	e.Record = rec
	e.Link(l.hash)
	l.state.LastNumber, l.state.LastHash = e.Number, e.Hash
	l.number, l.hash, l.judged = e.Number, e.Hash, l.judged+1
	c.State = l.state.Append(nil)
	return c
}

func (l *living) making(t fiscal.WallTime, offline bool) (fiscal.Making, fiscal.Flags) {
	m := fiscal.Making{Time: t, Received: l.fork(1).Entries[0].ReceivedAt, Offline: offline}
	if offline {
		return m, fiscal.FlagReplay
	}
	return m, 0
}

func (l *living) sell(t fiscal.WallTime, r receipt, offline bool) journal.Commit {
	m, f := l.making(t, offline)
	l.state.AddReceipt(r.open(), m)
	return l.did(fiscal.Record{Kind: fiscal.DocReceipt, Op: fiscal.Op(r.Op), Total: fiscal.Money(r.Total), DeviceTime: t, Flags: f}, body{Receipt: &r})
}

func (l *living) move(t fiscal.WallTime, op fiscal.Op, sum fiscal.Money, offline bool) journal.Commit {
	m, f := l.making(t, offline)
	l.state.AddMove(op, sum, m)
	return l.did(fiscal.Record{Kind: fiscal.DocCashMove, Op: op, Total: sum, DeviceTime: t, Flags: f}, body{Move: uint8(op)})
}

func (l *living) close(t fiscal.WallTime, stated uint32) journal.Commit {
	m, _ := l.making(t, false)
	m.Shift = stated
	l.state.CloseShift(m)
	l.state.LastZ = l.number + 1
	return l.did(fiscal.Record{Kind: fiscal.DocShiftClose, DeviceTime: t}, body{})
}

func (l *living) cancel(n fiscal.Number, r receipt, offline bool) journal.Commit {
	l.state.CancelReceipt(r.open(), offline)
	return l.did(fiscal.Record{Kind: fiscal.DocCancel, Refers: n}, body{})
}

func (l *living) act(k fiscal.ActKind, then func(*fiscal.State)) journal.Commit {
	then(&l.state)
	return l.did(fiscal.Record{Kind: fiscal.DocAct}, body{Act: k})
}

// lived is a store with one register that has done a bit of everything.
func lived(t testing.TB) (*testkit.MemStore, *living) {
	mem := testkit.NewMemStore(1)
	l := &living{newRegister(t, mem, 0), fiscal.State{CardVersion: 1}}
	sale, second := receipt{uint8(fiscal.OpSale), 1000_00, "1"}, receipt{uint8(fiscal.OpSale), 55_50, "2"}
	for _, c := range []journal.Commit{
		l.act(fiscal.ActRegister, func(*fiscal.State) {}),
		l.sell(1000, sale, false),
		l.sell(1010, second, true),
		l.cancel(3, second, true),
		l.move(1020, fiscal.OpCashOut, 300_00, false),
		l.act(fiscal.ActBlock, func(s *fiscal.State) { s.Status = fiscal.StatusBlocked }),
		l.act(fiscal.ActUnblock, func(s *fiscal.State) { s.Status = fiscal.StatusActive }),
		l.close(1030, 0),
		l.act(fiscal.ActCard, func(s *fiscal.State) { s.CardVersion = 2 }),
		l.sell(1040, receipt{uint8(fiscal.OpSaleReturn), 100_00, "1"}, true),
		l.close(1050, 7), // the device states another number than ours
		l.close(1060, 9), // an empty shift, with a gap of numbers
		l.did(fiscal.Record{Kind: fiscal.DocReport}, body{}),
	} {
		if _, err := mem.Append(t.Context(), []journal.Commit{c}, journal.Seal); err != nil {
			t.Fatal(err)
		}
	}
	return mem, l
}

// statesOf reads states as an engine's Row does.
func statesOf(mem *testkit.MemStore) func(context.Context, fiscal.Place) (*fiscal.State, error) {
	return func(_ context.Context, p fiscal.Place) (*fiscal.State, error) { return mem.State(p.Register) }
}

func replay(t testing.TB, mem *testkit.MemStore) error {
	t.Helper()
	v := journal.Verification{Store: mem, Page: 3, Fold: journal.NewReplay(mem, read, statesOf(mem))}
	_, err := v.Verify(t.Context())
	return err
}

func TestReplay(t *testing.T) {
	mem, _ := lived(t)
	if err := replay(t, mem); err != nil {
		t.Errorf("Verify() = %v, want nil", err)
	}
}

// What a stored state says otherwise than its entries is named.
func TestReplayFindsStates(t *testing.T) {
	for _, tt := range []struct {
		change func(*fiscal.State)
		want   string
	}{
		{func(s *fiscal.State) { s.Counters.Cash++ }, "Counters.Cash is 600.01, its entries make it 600.00"},
		{func(s *fiscal.State) { s.Counters.GrandTotals[1]-- }, "Counters.GrandTotals[1] is 99.99, its entries make it 100.00"},
		{func(s *fiscal.State) { s.Counters.Receipts[0].Ever = 2 }, "Counters.Receipts[0].Ever is 2, its entries make it 1"},
		{func(s *fiscal.State) { s.Counters.Sections = []fiscal.SectionTally{{Code: "1"}} }, "Counters.Sections is"},
		{func(s *fiscal.State) { s.Shift.Number++ }, "Shift.Number is 10, its entries make it 9"},
		{func(s *fiscal.State) { s.Shift.Open = true }, "Shift.Open is true"},
		{func(s *fiscal.State) { s.Shift.OpenedOnline = s.Shift.OpenedOnline.Add(time.Second) }, "Shift.OpenedOnline is"},
		{func(s *fiscal.State) { s.Status = fiscal.StatusBlocked }, "Status is blocked, its entries make it active"},
		{func(s *fiscal.State) { s.CardVersion = 1 }, "CardVersion is 1, its entries make it 2"},
		{func(s *fiscal.State) { s.LastHash[0]++ }, "LastHash is"},
		{func(s *fiscal.State) { s.LastNumber-- }, "LastNumber is 12, its entries make it 13"},
		{func(s *fiscal.State) { s.LastNumber++ }, "entry is missing: the state's last number is 14"},
		{func(s *fiscal.State) { s.LastZ = 8 }, "LastZ is 8, its entries make it 12"},
		{func(s *fiscal.State) { s.LastTime-- }, "LastTime is"},
	} {
		mem, l := lived(t)
		s := l.state.Clone()
		tt.change(s)
		mem.SetState(l.place.Register, s)
		err := replay(t, mem)
		var d *journal.Damage
		if !errors.As(err, &d) || d.Register != l.place.Register || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Verify() = %v, want %s", err, tt.want)
		}
	}
	mem, l := lived(t) // what entries do not tell is not compared
	s := l.state.Clone()
	s.Protocol, s.Block.Text, s.Version = []byte("token"), "x", 99
	mem.SetState(l.place.Register, s)
	if err := replay(t, mem); err != nil {
		t.Errorf("Verify() = %v, want nil", err)
	}
}

// Entries that do not fit together are named even if every hash is right.
func TestReplayFindsEntries(t *testing.T) {
	for _, tt := range []struct {
		rec  fiscal.Record
		body body
		want string
	}{
		{fiscal.Record{Kind: fiscal.DocCancel, Refers: 2}, body{}, "takes back number 2, which is no earlier receipt"},
		{fiscal.Record{Kind: fiscal.DocCancel, Refers: 99}, body{}, "takes back number 99, which is no earlier receipt"},
		{fiscal.Record{Kind: fiscal.DocCancel}, body{}, "takes back number 0, which is no earlier receipt"},
		{fiscal.Record{Kind: fiscal.DocReceipt}, body{}, "is a receipt without one"},
		{fiscal.Record{Kind: fiscal.DocCashMove}, body{Act: "x"}, "is a cash_move without one"},
	} {
		mem := testkit.NewMemStore(1)
		l := &living{newRegister(t, mem, 0), fiscal.State{CardVersion: 1}}
		for _, c := range []journal.Commit{
			l.sell(1000, receipt{uint8(fiscal.OpSale), 5, "1"}, false), l.move(1001, fiscal.OpCashIn, 5, false), l.did(tt.rec, tt.body),
		} {
			if _, err := mem.Append(t.Context(), []journal.Commit{c}, journal.Seal); err != nil {
				t.Fatal(err)
			}
		}
		err := replay(t, mem)
		var d *journal.Damage
		if !errors.As(err, &d) || d.Number != 3 || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: Verify() = %v, want %s", tt.rec.Kind, err, tt.want)
		}
	}
}

// A state that moved on while the entries were read is caught up with.
func TestReplayCatchesUp(t *testing.T) {
	mem, l := lived(t)
	fold := journal.NewReplay(mem, read, func(ctx context.Context, p fiscal.Place) (*fiscal.State, error) {
		c := l.sell(2000, receipt{uint8(fiscal.OpSale), 77, "3"}, false)
		if _, err := mem.Append(ctx, []journal.Commit{c}, journal.Seal); err != nil {
			return nil, err
		}
		return mem.State(p.Register)
	})
	v := journal.Verification{Store: mem, Fold: fold}
	if _, err := v.Verify(t.Context()); err != nil {
		t.Errorf("Verify() = %v, want nil", err)
	}
}

// Any sequence of documents replays to the state that acceptance made.
func TestReplayAnything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		mem := testkit.NewMemStore(1)
		l := &living{newRegister(t, mem, 0), fiscal.State{CardVersion: 1}}
		var last *receipt
		var lastAt fiscal.Number
		var lastOffline bool
		clock := fiscal.WallTime(1_760_000_000)
		for i := range rapid.IntRange(1, 25).Draw(rt, "documents") {
			clock += fiscal.WallTime(rapid.IntRange(-100, 5000).Draw(rt, "pause"))
			offline := rapid.Bool().Draw(rt, "offline")
			var c journal.Commit
			switch op := rapid.IntRange(0, 5).Draw(rt, fmt.Sprintf("document %d", i)); {
			case op <= 1:
				last = &receipt{rapid.Uint8Range(uint8(fiscal.OpSale), uint8(fiscal.OpPurchaseReturn)).Draw(rt, "op"), rapid.Int64Range(1, 1e6).Draw(rt, "total"), rapid.SampledFrom([]string{"", "1", "2"}).Draw(rt, "section")}
				lastAt, lastOffline = l.number+1, offline
				c = l.sell(clock, *last, offline)
			case op == 2:
				c = l.move(clock, rapid.SampledFrom([]fiscal.Op{fiscal.OpCashIn, fiscal.OpCashOut}).Draw(rt, "move"), 100, offline)
			case op == 3 && last != nil:
				c = l.cancel(lastAt, *last, lastOffline)
				last = nil
			default:
				c = l.close(clock, uint32(rapid.IntRange(0, 4).Draw(rt, "shift")))
				last = nil
			}
			if _, err := mem.Append(t.Context(), []journal.Commit{c}, journal.Seal); err != nil {
				rt.Fatal(err)
			}
		}
		if err := replay(t, mem); err != nil {
			rt.Fatal(err)
		}
	})
}
