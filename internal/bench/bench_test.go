package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
	"openofd/internal/testkit"
)

// TestHistogram compares quantiles with those of the sorted values.
func TestHistogram(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 10, 999, 20_000} {
		var parts [3]histogram
		var all []time.Duration
		for range n {
			d := time.Duration(1) << random.IntN(40)
			d += time.Duration(random.Int64N(int64(d)))
			all = append(all, d)
			parts[random.IntN(3)].add(d)
		}
		h := parts[0]
		h.merge(&parts[1])
		h.merge(&parts[2])
		slices.Sort(all)
		for _, q := range []uint64{1, 500, 990, 999, 1000} {
			exact := all[max((uint64(n)*q+999)/1000, 1)-1]
			got := h.quantile(q)
			if got < exact || got > exact+exact/64 {
				t.Errorf("%d values, quantile %d: %v, want %v or up to 1/64 more", n, q, got, exact)
			}
		}
		if h.max != all[n-1] || h.total != uint64(n) {
			t.Errorf("%d values: max %v of %d, want %v", n, h.max, h.total, all[n-1])
		}
	}
	var h histogram
	if h.quantile(500) != 0 {
		t.Errorf("quantile of nothing = %v, want 0", h.quantile(500))
	}
	h.add(-time.Second)
	h.add(1 << 62)
	if h.quantile(1) != 0 || h.max != 1<<62 {
		t.Errorf("quantiles of -1 s and 146 years: %v, %v", h.quantile(1), h.max)
	}
}

// TestTemplate shows that a patched receipt is whole and says what was patched,
// and that it is as large as receipts are.
func TestTemplate(t *testing.T) {
	for _, v := range []wire.Version{wire.V200, wire.V202, wire.V203, wire.V204} {
		tmp, err := newTemplate(v, 200_145)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2031, 12, 31, 23, 59, 58, 0, time.UTC)
		for _, number := range []uint32{firstNumber, 123_456, lastNumber} {
			frame := slices.Clone(tmp.frame)
			tmp.patch(frame, 200_145, 0xA1383BE6, 40, momentOf(at), number)
			h, err := wire.ParseHeader(frame)
			if err != nil {
				t.Fatal(err)
			}
			if want := (wire.Header{Version: v, Size: uint32(len(tmp.frame)), ID: 200_145, Token: 0xA1383BE6, ReqNum: 40}); h != want {
				t.Errorf("version %v: header %+v, want %+v", v, h, want)
			}
			req := wire.ParseRequest(h, frame[wire.HeaderLen:])
			if req.Fault != wire.FaultNone {
				t.Fatalf("version %v: %v", v, req.Err)
			}
			ticket := req.Msg.Ticket
			when, _ := wire.TimeOf(ticket.DateTime)
			if when != fiscal.WallIn(at, time.UTC) || ticket.GetPrintedDocumentNumber() != uint64(number) || len(ticket.Items) != 5 {
				t.Errorf("version %v: %v, number %d, %d lines, want %v, %d, 5", v, when, ticket.GetPrintedDocumentNumber(), len(ticket.Items), at, number)
			}
		}
		if n := len(tmp.frame) - wire.HeaderLen; n < 480 || n > 640 {
			t.Errorf("version %v: payload of %d bytes, want about 530", v, n)
		}
	}
}

// TestRun shows that a load is accepted, counted once, and can go on with the
// credentials it returns.
func TestRun(t *testing.T) {
	registers := kkmRegisters(t, 20)
	f, addr := newFake(t, registers)
	cfg := Config{Addr: addr, Registers: registers, Connections: 4, Duration: 150 * time.Millisecond}
	for run := range 2 {
		_, before, _ := f.tally()
		l, err := Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		_, docs, _ := f.tally()
		if l.Accepted == 0 || int(l.Accepted) > docs-before || docs-before-int(l.Accepted) > cfg.Connections || len(l.Errors) != 0 {
			t.Errorf("run %d: accepted %d, errors %v, the operator counts %d", run, l.Accepted, l.Errors, docs-before)
		}
		if l.Latency(500) <= 0 || l.Latency(500) > l.Latency(999) || l.Max() < l.Latency(999) {
			t.Errorf("run %d: p50 %v, p999 %v, max %v", run, l.Latency(500), l.Latency(999), l.Max())
		}
		if l.Processor <= 0 {
			t.Errorf("run %d: no processor time", run)
		}
		if l.RequestBytes < 500 || l.AnswerBytes < 100 || l.Connections != 4 {
			t.Errorf("run %d: frames of %d and %d bytes over %d connections", run, l.RequestBytes, l.AnswerBytes, l.Connections)
		}
		for _, r := range registers {
			if r := r.(*KKMRegister); r.Token != f.token(r.ID) {
				t.Errorf("run %d: register %d has the token %d, want %d", run, r.ID, r.Token, f.token(r.ID))
			}
		}
	}
}

// TestRunTroubles shows what becomes of refusals, cut connections and wrong
// answers: each is counted, and nothing is sent twice under a new number.
func TestRunTroubles(t *testing.T) {
	tests := []struct {
		name   string
		code   func(n int, req wire.Request) uint32
		errors string // counted, at least once
		dead   bool
		closes bool
	}{
		{"unavailable", func(n int, _ wire.Request) uint32 { return pick(n%5 == 0, 254) }, "code 254", false, false},
		{"cut connection", func(n int, _ wire.Request) uint32 { return pick(n%5 == 0, hangUp) }, "connection", false, false},
		{"wrong answer", func(n int, _ wire.Request) uint32 { return pick(n%5 == 0, mangle) }, "answer", false, false},
		{"bad receipt", func(n int, _ wire.Request) uint32 { return pick(n%5 == 0, 13) }, "code 13", false, false},
		{"stale token", func(int, wire.Request) uint32 { return 2 }, "code 2", true, false},
		{"blocked", func(int, wire.Request) uint32 { return 15 }, "code 15", true, false},
		{"shift too long", func(n int, req wire.Request) uint32 {
			return pick(n%5 == 0 && req.Command == int32(kkmpb.CommandTypeEnum_COMMAND_TICKET), 11)
		}, "code 11", false, true},
	}
	for _, tt := range tests {
		registers := kkmRegisters(t, 6)
		f, addr := newFake(t, registers)
		f.code = tt.code
		l, err := Run(t.Context(), Config{Addr: addr, Registers: registers, Connections: 2, Duration: 150 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		seen, docs, closes := f.tally()
		if l.Errors[tt.errors] == 0 || len(l.Errors) != 1 {
			t.Errorf("%s: errors %v, want some of %q", tt.name, l.Errors, tt.errors)
		}
		if tt.dead != (l.Accepted == 0) || int(l.Accepted) > docs {
			t.Errorf("%s: accepted %d, the operator counts %d", tt.name, l.Accepted, docs)
		}
		if tt.dead && seen != len(registers) {
			t.Errorf("%s: %d requests, want one from each of %d registers", tt.name, seen, len(registers))
		}
		if tt.closes != (closes > 0) {
			t.Errorf("%s: %d shifts closed", tt.name, closes)
		}
	}
}

func pick(yes bool, code uint32) uint32 {
	if yes {
		return code
	}
	return 0
}

// TestRateCountsWaiting shows that with a rate an operator that stands still is
// charged with the receipts that were due meanwhile.
func TestRateCountsWaiting(t *testing.T) {
	registers := kkmRegisters(t, 4)
	f, addr := newFake(t, registers)
	f.stall = 200 * time.Millisecond
	l, err := Run(t.Context(), Config{Addr: addr, Registers: registers, Connections: 1, Duration: 500 * time.Millisecond, Rate: 200})
	if err != nil {
		t.Fatal(err)
	}
	if l.Accepted > 101 {
		t.Errorf("accepted %d in half a second at 200/s", l.Accepted)
	}
	// 40 of 100 receipts were due during the stall and waited 100 ms on average.
	if got := l.Latency(800); got < 80*time.Millisecond {
		t.Errorf("p80 = %v, want the waiting to be counted", got)
	}
}

func TestRunRefusesNonsense(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no registers": {Addr: "127.0.0.1:1"},
		"no operator":  {Addr: "127.0.0.1:1", Registers: kkmRegisters(t, 1)},
		"negative":     {Addr: "127.0.0.1:1", Registers: kkmRegisters(t, 1), Rate: -1},
	} {
		if l, err := Run(t.Context(), cfg); err == nil {
			t.Errorf("%s: %+v, want an error", name, l)
		}
	}
	if _, err := NewKKM(wire.V125, nil); err == nil {
		t.Error("a load in version 1.2.5 was prepared")
	}
}

func TestEcho(t *testing.T) {
	got, err := Echo(t.Context(), Frames{Request: 560, Answer: 130}, 8, 100*time.Millisecond)
	if err != nil || got < 100 {
		t.Errorf("Echo() = %.0f, %v, want some thousands", got, err)
	}
	if _, err := Echo(t.Context(), Frames{}, 8, time.Millisecond); err == nil {
		t.Error("an echo of nothing went through")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Echo(ended, Frames{560, 130}, 2, time.Minute); err == nil {
		t.Error("an echo went on after its context had ended")
	}
}

// TestStore shows that the ceiling inserts real rows: the recorded ones, for
// other registers, in one verifiable sequence.
func TestStore(t *testing.T) {
	ctx := t.Context()
	from, rows := stocked(t, 8)
	rec := NewRecorder(from)
	var batch []journal.Commit
	for i := range rows {
		e := journal.Entry{Record: fiscal.Record{Register: rows[i].Register, Number: 1, Kind: fiscal.DocReceipt, Request: make([]byte, 560), Answer: make([]byte, 130)}, Partition: rows[i].Partition}
		e.Link(journal.Hash{})
		batch = append(batch, journal.Commit{Partition: rows[i].Partition, Register: rows[i].Register, State: new(fiscal.State).Append(nil), Entries: []journal.Entry{e}})
	}
	for _, part := range [][]journal.Commit{batch[:2], batch[2:]} {
		if stale, err := rec.Append(ctx, part, journal.Seal); err != nil || len(stale) > 0 {
			t.Fatal(stale, err)
		}
	}
	recorded := rec.Rows()
	if recorded.Batch != 4 || len(recorded.Sample) != 6 || len(recorded.Sample[0].Entries[0].Request) != 560 {
		t.Errorf("recorded batches of %v, a sample of %d, want 4 and 6", recorded.Batch, len(recorded.Sample))
	}

	to, fresh := stocked(t, 20)
	got, err := Store(ctx, to, fresh, recorded, 1, 50*time.Millisecond)
	if err != nil || got < 100 {
		t.Errorf("Store() = %.0f, %v, want some thousands", got, err)
	}
	entries, err := to.Scan(ctx, 0, 1, 1_000_000)
	if err != nil || len(entries) == 0 {
		t.Fatal(len(entries), err)
	}
	for i, e := range entries {
		if e.Seq != journal.Seq(i+1) || len(e.Request) != 560 || len(e.Answer) != 130 {
			t.Fatalf("entry %d: seq %d, %d and %d bytes", i, e.Seq, len(e.Request), len(e.Answer))
		}
	}
	if _, err := Store(ctx, to, nil, recorded, 1, time.Millisecond); err == nil {
		t.Error("batches of 4 for no registers went through")
	}
	fresh[3].Version += 7
	if _, err := Store(ctx, to, fresh, recorded, 1, time.Second); err == nil {
		t.Error("a stale row went through")
	}
	full, rows := stocked(t, 30)
	if err := Fill(ctx, full, rows, recorded, 2, 3000, nil); err != nil {
		t.Fatal(err)
	}
	heads, err := full.Heads(ctx)
	if err != nil || heads[0].Seq < 3000 {
		t.Errorf("filled up to %d, %v, want 3000 at least", heads[0].Seq, err)
	}
	v := journal.Verification{Store: full}
	if _, err := v.Verify(ctx); err != nil {
		t.Errorf("what Fill linked does not verify: %v", err)
	}
	rec.Reset()
	if rec.Rows().Batch != 0 {
		t.Error("Reset left something")
	}
}

// stocked is a store in memory with n registers.
func stocked(t *testing.T, n int) (*testkit.MemStore, []Row) {
	t.Helper()
	m := testkit.NewMemStore(1)
	var rows []Row
	for i := range n {
		card := testkit.KKMCard(305512)
		card.Register = fiscal.RegisterID(500_001 + i)
		card.SerialNumber += string(rune('a' + i))
		if err := m.AddRegister(t.Context(), 0, &card, nil); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, Row{Place: fiscal.Place{Register: card.Register}})
	}
	return m, rows
}

// TestReport shows the names that readers of the JSON rely on, and the table.
func TestReport(t *testing.T) {
	l := &Load{Accepted: 50_000, Elapsed: 2 * time.Second, Processor: 3 * time.Second, Errors: map[string]uint64{"code 254": 3, "connection": 1},
		RequestBytes: 560, AnswerBytes: 130, Registers: 1000, Connections: 64}
	for i := range 1000 {
		l.latencies.add(time.Duration(i+1) * 10 * time.Microsecond)
	}
	r := NewReport(l, 25_000, Ceilings{EchoPerSecond: 100_000, StorePerSecond: 62_500, Batch: 31.5, Engine: "sqlite"})
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"accepted_per_s": 25_000.0, "errors": 4.0, "registers": 1000.0, "connections": 64.0, "engine": "sqlite",
		"echo_per_s": 100_000.0, "store_per_s": 62_500.0, "ratio_echo": 0.25, "ratio_store": 0.4, "cpu_us": 60.0,
	}
	for key, v := range want {
		if got[key] != v {
			t.Errorf("%s = %v, want %v", key, got[key], v)
		}
	}
	for key, v := range map[string]float64{"p50_ms": 5, "p99_ms": 9.9, "p999_ms": 9.99} {
		if g, ok := got[key].(float64); !ok || g < v || g > v*65/64 {
			t.Errorf("%s = %v, want %v", key, got[key], v)
		}
	}
	var table bytes.Buffer
	if err := r.Write(&table); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"25000  receipts/s", "code 254", "we reach 25.0 %", "we reach 40.0 %", "560 + 130", "31.5"} {
		if !strings.Contains(table.String(), part) {
			t.Errorf("the table lacks %q:\n%s", part, table.String())
		}
	}
	t.Logf("\n%s", table.String())
}

// FuzzKKMAnswer gives any bytes for an answer: it is read or said to be bad.
func FuzzKKMAnswer(f *testing.F) {
	tmp, err := newTemplate(wire.V203, 305_512)
	if err != nil {
		f.Fatal(err)
	}
	h, _ := wire.ParseHeader(tmp.frame)
	head, _ := h.AppendBinary(nil)
	good := wire.Refuse(h, int32(kkmpb.CommandTypeEnum_COMMAND_TICKET), 14, "Недостаточно наличных")
	f.Add(good)
	f.Add(append(head, 0x0A, 0x00, 0x12, 0x00))
	f.Add(append(head, 0xFF, 0xFF))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := parseKKM(tmp.frame, b); err == nil && len(b) < wire.HeaderLen {
			t.Errorf("parseKKM(%x) = %+v", b, a)
		}
	})
}

// BenchmarkExchange is what the client adds to a receipt's two system calls:
// the request, and judging the answer.
func BenchmarkExchange(b *testing.B) {
	b.Run("kkm", func(b *testing.B) {
		load, err := NewKKM(0, nil)
		if err != nil {
			b.Fatal(err)
		}
		benchmarkExchange(b, load.Register(Credential{ID: 305_512}), func(message []byte) []byte {
			h, _ := wire.ParseHeader(message)
			answer, err := wire.AppendResponse(nil, h, &kkmpb.Response{
				Command: kkmpb.CommandTypeEnum_COMMAND_TICKET.Enum(), Result: &kkmpb.Result{ResultCode: new(uint32(0)), ResultText: new("OK")},
				Ticket: &kkmpb.TicketResponse{TicketNumber: new("362397639340"), QrCode: []byte("https://ofd.example/?i=362397639340")},
			})
			if err != nil {
				b.Fatal(err)
			}
			return answer
		})
	})
	for _, items := range []int{5, 200} {
		b.Run(fmt.Sprintf("kkt-%d", items), func(b *testing.B) {
			benchmarkExchange(b, kktRegisters(b, 1, KKTConfig{Items: items})[0], func(message []byte) []byte { return acknowledge(b, message, 0) })
		})
	}
}

// benchmarkExchange leaves the operator's work out.
func benchmarkExchange(b *testing.B, r Register, answer func([]byte) []byte) {
	now := time.Date(2026, 3, 14, 9, 12, 41, 0, time.UTC)
	var room []byte
	b.ReportAllocs()
	for b.Loop() {
		room, _ = r.Append(room[:0], now)
		b.StopTimer()
		a := answer(room)
		b.StartTimer()
		if o, err := r.Take(room, a); err != nil || o.Verdict != Accepted {
			b.Fatal(o, err)
		}
	}
}
