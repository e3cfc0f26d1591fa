package kkm_test

import (
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm"
	"openofd/internal/testkit"
)

// desk stands in for intake: it applies the rules' decisions to one register
// in memory, in the order of intake, and keeps its entries.
type desk struct {
	t        *testing.T
	rules    *kkm.Rules
	operator fiscal.Operator
	card     fiscal.Card
	state    *fiscal.State
	entries  []fiscal.Record
	cashier  *fiscal.CashierLogin
	catalog  *fiscal.Catalog
	now      time.Time
	rand     *rand.ChaCha8
	last     fiscal.Decision
	known    bool // Confirmed
}

type oneKey struct{}

func (oneKey) At(p fiscal.KeyPurpose, _ time.Time) (fiscal.Key, error) {
	k := fiscal.Key{ID: 1, Purpose: p}
	copy(k.Secret[:], "a key for tests alone, 32 bytes.")
	return k, nil
}

func (k oneKey) ByID(fiscal.KeyID) (fiscal.Key, error) { return k.At("", time.Time{}) }

func newRules() *kkm.Rules {
	return &kkm.Rules{
		Limits:        func(fiscal.WallTime) kkm.Limits { return kkm.Limits{Shift: 24 * time.Hour, Offline: 72 * time.Hour} },
		CheckPassword: func(hash, password string) bool { return hash == password },
	}
}

func newDesk(t *testing.T, id fiscal.RegisterID) *desk {
	c, password := testkit.KKMCashier()
	c.Hash = password
	d := &desk{t: t, rules: newRules(), operator: testkit.KKMOperator, card: testkit.KKMCard(id), state: &fiscal.State{CardVersion: 1},
		cashier: &c, rand: rand.NewChaCha8([32]byte{byte(id)})}
	d.now = d.card.RegisteredAt
	d.act(fiscal.Act{Kind: fiscal.ActRegister, By: "test"})
	return d
}

// judge runs one exchange through the rules and, if it is accepted, commits it.
func (d *desk) judge(x fiscal.Exchange) fiscal.Decision {
	d.t.Helper()
	x.Received = d.now
	s := fiscal.Situation{Card: &d.card, State: d.state, Exchange: &x, Now: d.now, Keys: oneKey{}, Rand: d.rand, Operator: &d.operator, Confirmed: d.known}
	dec, err := d.rules.Judge(&s)
	if err != nil {
		d.t.Fatalf("Judge: %v", err)
	}
	if n := dec.Needs; n != nil {
		s.Found = fiscal.Found{Asked: true, Catalog: d.find(n.Catalog)}
		for _, number := range n.Entries {
			s.Found.Entries = append(s.Found.Entries, d.entries[number-1])
		}
		for _, e := range d.entries {
			if n.DeviceNumber != 0 && e.DeviceNumber == n.DeviceNumber {
				s.Found.ByDevice = append(s.Found.ByDevice, e)
			}
		}
		if d.cashier != nil && n.Cashier == d.cashier.Login {
			s.Found.Cashier = d.cashier
		}
		if dec, err = d.rules.Judge(&s); err != nil || dec.Needs != nil {
			d.t.Fatalf("Judge with what it needed: %v, needs %v", err, dec.Needs)
		}
	}
	d.known = d.known || dec.Confirms
	d.last = dec
	if dec.Next != nil {
		d.commit(dec)
	}
	return dec
}

func (d *desk) commit(dec fiscal.Decision) {
	d.t.Helper()
	if len(dec.Records) == 0 {
		d.t.Fatal("a next state without a record")
	}
	for i := range dec.Records {
		r := dec.Records[i]
		r.Register, r.Number, r.CardVersion, r.ReceivedAt = d.card.Register, d.state.LastNumber+1+fiscal.Number(i), d.state.CardVersion, d.now
		if last := d.state.LastNumber + fiscal.Number(len(dec.Records)); r.Number != last {
			r.Carrier = last
		}
		d.entries = append(d.entries, r)
	}
	next := dec.Next
	next.Version = d.state.Version + 1
	next.LastNumber = d.state.LastNumber + fiscal.Number(len(dec.Records))
	stored, err := fiscal.ParseState(next.Append(nil)) // as it comes back from a store
	if err != nil {
		d.t.Fatal(err)
	}
	stored.Version = next.Version
	if string(next.Protocol) != string(d.state.Protocol) && tokenOf(next) != tokenOf(d.state) {
		d.known = false
	}
	d.state = stored
	if dec.Card != nil {
		d.card = *dec.Card
	}
}

// tokenOf reads the token in the stored part of the state.
func tokenOf(s *fiscal.State) uint32 {
	if len(s.Protocol) < 5 {
		return 0
	}
	return binary.LittleEndian.Uint32(s.Protocol[1:])
}

func (d *desk) find(q *fiscal.CatalogQuery) *fiscal.Catalog {
	if q == nil || d.catalog == nil {
		return nil
	}
	c := *d.catalog
	if q.Barcode == "" {
		if q.Have == c.Version {
			c.Elements = nil
		}
		return &c
	}
	c.Elements = nil
	for _, e := range d.catalog.Elements {
		if e.Barcode == q.Barcode || e.NTIN == q.Barcode {
			c.Elements = append(c.Elements, e)
		}
	}
	return &c
}

func (d *desk) act(a fiscal.Act) fiscal.Decision {
	d.t.Helper()
	return d.judge(fiscal.Exchange{Body: a})
}

func (d *desk) token() uint32 {
	d.t.Helper()
	dec := d.act(fiscal.Act{Kind: fiscal.ActToken, By: "test"})
	n, err := strconv.ParseUint(string(dec.Answer), 10, 32)
	if err != nil {
		d.t.Fatalf("token act answered %q", dec.Answer)
	}
	return uint32(n)
}

// send carries a frame as gate does: form first, then the rules.
func (d *desk) send(frame []byte) []byte {
	d.t.Helper()
	h, admission, _ := kkm.Admit(frame, 0)
	switch admission {
	case kkm.AdmitDrop:
		return nil
	case kkm.AdmitRefuse:
		return kkm.Refuse(h, 0, 3, "too long")
	}
	if int(h.Size) > len(frame) {
		return nil
	}
	x := fiscal.Exchange{Request: frame, Body: kkm.ParseRequest(h, frame[kkm.HeaderLen:h.Size])}
	if fiscal.RegisterID(h.ID) != d.card.Register {
		d.last = d.rules.Unknown(&x)
	} else {
		d.judge(x)
	}
	return d.last.Answer
}

func (d *desk) player() *testkit.KKMPlayer {
	return &testkit.KKMPlayer{
		T: d.t, Send: d.send, SetClock: func(t time.Time) { d.now = t.UTC() },
		Token: func(fiscal.RegisterID) uint32 { return d.token() },
		Block: func(_ fiscal.RegisterID, text string) {
			kind := fiscal.ActBlock
			if text == "" {
				kind = fiscal.ActUnblock
			}
			d.act(fiscal.Act{Kind: kind, By: "test", Text: text})
		},
	}
}

// The flows of the vectors, played in order.
// Req: N-004, O-018, O-020, O-070, O-073, O-074, O-075, O-076, O-081, O-082, O-083, O-084, P-007, P-011, N-005, N-006
func TestFlows(t *testing.T) {
	for _, f := range testkit.KKMDays() {
		t.Run(f.Flows[0], func(t *testing.T) {
			d := newDesk(t, f.Register)
			p := d.player()
			for _, flow := range f.Flows {
				d.catalog = testkit.KKMCatalog(flow)
				p.Flow(flow)
			}
		})
	}
}

// Vectors that stand alone: each against a register of its own.
func TestSingleVectors(t *testing.T) {
	for _, v := range testkit.KKMVectors(t) {
		if v.Flow != "" || !v.Request() {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			id := fiscal.RegisterID(200145)
			if len(v.Frame) >= 12 {
				id = fiscal.RegisterID(binary.LittleEndian.Uint32(v.Frame[8:]))
			}
			if id != 305512 {
				id = 200145
			}
			d := newDesk(t, id)
			p := d.player()
			if v.Given != "" && id == 305512 {
				p.SetClock(time.Date(2026, 3, 14, 9, 0, 5, 0, time.FixedZone("", 5*3600)))
				answer := p.Send(p.WithToken(testkit.KKMDeposit(t)))
				if code := d.last.Result; code != 0 {
					t.Fatalf("deposit: code %d, %x", code, answer)
				}
				p = d.player()
			}
			if v.Want.Silent {
				if answer := p.Send(v.Frame); answer != nil {
					t.Fatalf("answered %x, want a closed connection", answer)
				}
				return
			}
			entries := len(d.entries)
			p.Step(t, v, nil)
			if v.Want.Code == 0 {
				return
			}
			if stored := len(d.entries) - entries; stored > 1 || stored == 1 && d.entries[entries].Kind != fiscal.DocAct {
				t.Errorf("a refusal stored %d entries", stored)
			}
			if d.last.Answer != nil && d.last.Close != v.Want.Close && v.Name != "size-huge" && v.Name != "size-negative-as-int32" {
				t.Errorf("close = %v, want %v", d.last.Close, v.Want.Close)
			}
		})
	}
}
