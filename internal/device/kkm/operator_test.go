package kkm_test

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/testkit"
)

// deed is what the scripted operator does with one request.
type deed struct {
	lose   bool   // judge and store it, but let the answer be lost
	drop   bool   // close without having seen it
	hang   bool   // keep the connection open and say nothing
	refuse uint32 // answer this code and store nothing
	tamper func(answer []byte) []byte
}

// operator judges by the real rules and stores in memory; a script decides
// what reaches the register. It can be copied at any moment.
type operator struct {
	t     testing.TB
	rules *wire.Rules

	mu       sync.Mutex
	card     fiscal.Card
	state    *fiscal.State
	entries  []fiscal.Record // accepted, acts too
	frames   [][]byte        // as received
	known    bool
	now      func() time.Time
	rand     *rand.ChaCha8
	script   func(n int, req wire.Request) deed // n counts requests from 0; nil answers all
	requests int
}

type oneKey struct{}

func (oneKey) At(p fiscal.KeyPurpose, _ time.Time) (fiscal.Key, error) {
	k := fiscal.Key{ID: 1, Purpose: p}
	copy(k.Secret[:], "a key for tests alone, 32 bytes.")
	return k, nil
}

func (k oneKey) ByID(fiscal.KeyID) (fiscal.Key, error) { return k.At("", time.Time{}) }

func newOperator(t testing.TB, card fiscal.Card, now func() time.Time) *operator {
	o := &operator{
		t: t, card: card, state: &fiscal.State{CardVersion: 1}, now: now, rand: rand.NewChaCha8([32]byte{7}),
		rules: &wire.Rules{
			Limits:        func(fiscal.WallTime) wire.Limits { return wire.Limits{Shift: 24 * time.Hour, Offline: 72 * time.Hour} },
			CheckPassword: func(hash, password string) bool { return hash == password },
		},
	}
	o.act(fiscal.Act{Kind: fiscal.ActRegister, By: "test"})
	o.act(fiscal.Act{Kind: fiscal.ActToken, By: "test"})
	return o
}

// copyOf is the operator as it is now, with a script of its own.
func (o *operator) copyOf() *operator {
	o.mu.Lock()
	defer o.mu.Unlock()
	return &operator{
		t: o.t, rules: o.rules, card: o.card, state: o.state, entries: slices.Clone(o.entries), frames: slices.Clone(o.frames),
		known: o.known, now: o.now, rand: rand.NewChaCha8([32]byte{byte(len(o.entries))}),
	}
}

// token is the current one.
func (o *operator) token() uint32 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return binary.LittleEndian.Uint32(o.state.Protocol[1:])
}

func (o *operator) act(a fiscal.Act) {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.judge(fiscal.Exchange{Body: a})
}

// judge is intake in small. The caller holds mu.
func (o *operator) judge(x fiscal.Exchange) fiscal.Decision {
	o.t.Helper()
	s := fiscal.Situation{
		Card: &o.card, State: o.state, Exchange: &x, Now: o.now().UTC(), Keys: oneKey{}, Rand: o.rand,
		Operator: &testkit.KKMOperator, Confirmed: o.known,
	}
	x.Received = s.Now
	d, err := o.rules.Judge(&s)
	if err != nil {
		o.t.Errorf("Judge: %v", err)
	}
	if n := d.Needs; n != nil {
		s.Found = fiscal.Found{Asked: true}
		for _, number := range n.Entries {
			s.Found.Entries = append(s.Found.Entries, o.entries[number-1])
		}
		for _, e := range o.entries {
			if n.DeviceNumber != 0 && e.DeviceNumber == n.DeviceNumber {
				s.Found.ByDevice = append(s.Found.ByDevice, e)
			}
		}
		if n.Cashier == "aigul" {
			c, password := testkit.KKMCashier()
			c.Hash = password
			s.Found.Cashier = &c
		}
		if n.Catalog != nil {
			s.Found.Catalog = catalog(*n.Catalog)
		}
		if d, err = o.rules.Judge(&s); err != nil || d.Needs != nil {
			o.t.Errorf("Judge with what it needed: %v", err)
		}
	}
	o.known = o.known || d.Confirms
	if d.Next == nil {
		return d
	}
	last := o.state.LastNumber + fiscal.Number(len(d.Records))
	for i, r := range d.Records {
		r.Register, r.Number, r.ReceivedAt = o.card.Register, o.state.LastNumber+1+fiscal.Number(i), s.Now
		if r.Number != last {
			r.Carrier = last
		}
		o.entries = append(o.entries, r)
	}
	if string(d.Next.Protocol[1:5]) != string(o.state.Protocol[min(1, len(o.state.Protocol)):min(5, len(o.state.Protocol))]) {
		o.known = false
	}
	o.state = d.Next
	o.state.LastNumber = last
	return d
}

func catalog(q fiscal.CatalogQuery) *fiscal.Catalog {
	c := *testkit.KKMCatalog("domains-202")
	if q.Barcode == "" {
		if q.Have == c.Version {
			c.Elements = nil
		}
		return &c
	}
	c.Elements = slices.DeleteFunc(slices.Clone(c.Elements), func(e fiscal.CatalogElement) bool { return e.Barcode != q.Barcode })
	return &c
}

// serve answers one frame; nil is silence.
func (o *operator) serve(frame []byte) (answer []byte, d deed) {
	o.mu.Lock()
	defer o.mu.Unlock()
	h, err := wire.ParseHeader(frame)
	if err != nil {
		o.t.Errorf("the register sent a bad header: %v", err)
		return nil, deed{}
	}
	req := wire.ParseRequest(h, frame[wire.HeaderLen:])
	if req.Fault != wire.FaultNone {
		o.t.Errorf("the register sent a bad request: %v %v", req.Fault, req.Err)
	}
	o.frames = append(o.frames, slices.Clone(frame))
	if o.script != nil {
		d = o.script(o.requests, req)
	}
	o.requests++
	switch {
	case d.drop || d.hang:
		return nil, d
	case d.refuse != 0:
		answer = wire.Refuse(h, req.Command, d.refuse, "Отказ по сценарию")
	default:
		answer = slices.Clone(o.judge(fiscal.Exchange{Request: slices.Clone(frame), Body: req}).Answer)
	}
	if d.lose {
		return nil, d
	}
	if d.tamper != nil {
		answer = d.tamper(answer)
	}
	return answer, d
}

// documents are the accepted entries but acts and notices.
func (o *operator) documents() []fiscal.Record {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(o.entries), func(r fiscal.Record) bool {
		return r.Kind == fiscal.DocAct || r.Kind == fiscal.DocNotice
	})
}

// received are the frames so far, parsed.
func (o *operator) received() []wire.Request {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []wire.Request
	for _, f := range o.frames {
		h, _ := wire.ParseHeader(f)
		all = append(all, wire.ParseRequest(h, f[wire.HeaderLen:]))
	}
	return all
}

// raw are the frames so far as they came.
func (o *operator) raw() [][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.frames)
}

func (o *operator) setScript(script func(n int, req wire.Request) deed) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.script, o.requests = script, 0
}

// listen puts the operator behind a socket and returns its address.
func (o *operator) listen(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	quit := make(chan struct{})
	t.Cleanup(func() { close(quit); l.Close(); all.Wait() })
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				for {
					_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
					head := make([]byte, wire.HeaderLen)
					if _, err := io.ReadFull(conn, head); err != nil {
						return
					}
					frame := append(head, make([]byte, binary.LittleEndian.Uint32(head[4:])-wire.HeaderLen)...)
					if _, err := io.ReadFull(conn, frame[wire.HeaderLen:]); err != nil {
						return
					}
					answer, d := o.serve(frame)
					if d.hang {
						<-quit
					}
					if answer == nil {
						return
					}
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			})
		}
	})
	return l.Addr().String()
}

// clock is a clock that only the test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// shop is a register, its operator and the clock of both.
type shop struct {
	*kkm.Register
	operator *operator
	clock    *clock
	memory   kkm.Memory
	cfg      kkm.Config
	link     *kkm.Link
}

// ids are vector registers by version; other versions use one of them.
var ids = map[wire.Version]fiscal.RegisterID{
	wire.V124: 100731, wire.V125: 150020, wire.V200: 200145, wire.V201: 200145, wire.V202: 200145, wire.V203: 305512, wire.V204: 305512,
}

func newShop(t testing.TB, v wire.Version, memory kkm.Memory) *shop {
	t.Helper()
	s := &shop{clock: &clock{t: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)}, memory: memory}
	card := testkit.KKMCard(ids[v])
	s.operator = newOperator(t, card, s.clock.now)
	s.cfg = kkm.Config{
		Version: v, Card: card, CheckURL: "https://ofd.example/", Position: "GPS",
		Transaction: 20 * time.Second, Pause: 5 * time.Millisecond,
	}
	s.link = kkm.NewLink(kkm.LinkConfig{Addr: s.operator.listen(t), Keep: true})
	s.reopen(t)
	if err := s.SetToken(s.operator.token()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.link.Close() })
	return s
}

// reopen makes the register anew on its memory, as after a power cut.
func (s *shop) reopen(t testing.TB) {
	t.Helper()
	r, err := kkm.New(s.cfg, s.memory, s.link, s.clock.now, rand.NewChaCha8([32]byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	s.Register = r
}

// patience sets the transaction time. It is long where an answer will come,
// for the machine may be busy, and short where the test waits for silence.
func (s *shop) patience(t testing.TB, d time.Duration) {
	t.Helper()
	s.cfg.Transaction = d
	s.reopen(t)
}

// cashier makes all receipts of the tests.
var cashier = fiscal.Cashier{Code: 1, Name: "Серікқызы Айгүл"}

// bread is a sale of one loaf for 215.00 with 16 % VAT in it.
func bread(name string) fiscal.Receipt {
	return fiscal.Receipt{Cashier: cashier, Items: []fiscal.Item{{
		Kind: fiscal.ItemGoods, Name: name, Quantity: fiscal.OneUnit, Unit: "796", Price: 21500, Cost: 21500,
		Taxes: []fiscal.Tax{{Kind: fiscal.KindVAT, Percent: 16000, Sum: 2966, Included: true}},
	}}}
}
