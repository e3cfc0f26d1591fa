package kkm_test

import (
	"encoding/binary"
	"testing"
	"time"

	"pgregory.net/rapid"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// Whatever is lost, repeated, asked in between or sent with other numbers: a
// receipt is counted once, its repetition gets the first answer, and a device
// that follows the protocol is never refused.
// Req: P-010, P-011, O-076, U-01, X-06
func TestExactlyOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := newTill(t, rapid.SampledFrom([]kkm.Version{kkm.V124, kkm.V202, kkm.V203}).Draw(rt, "version"))
		var want struct {
			count int64
			sum   fiscal.Money
		}
		next := func() (*kkmpb.Request, fiscal.Money) { // each receipt has a total of its own
			total := fiscal.Money(100_00 + want.count)
			return l.sale(total), total
		}
		reset := func() { l.code = l.token() }
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			l.now = l.now.Add(time.Duration(rapid.IntRange(1, 300).Draw(rt, "seconds")) * time.Second)
			switch rapid.SampledFrom([]string{"sell", "lost answer", "lost request", "ping", "stale", "same numbers", "reset", "turned away"}).Draw(rt, "step") {
			case "sell":
				r, total := next()
				l.ask(r, kkm.CodeOK)
				want.count, want.sum = want.count+1, want.sum+total
			case "lost answer": // repeated up to three times, then taken over
				r, total := next()
				token := l.code
				l.reqnum++
				first := l.send(l.frame(r, token, l.reqnum))
				for i := range rapid.IntRange(1, 3).Draw(rt, "repeats") {
					if rapid.Bool().Draw(rt, "autonomous") {
						r.Ticket.OfflineTicketNumber = new(uint32)
						*r.Ticket.OfflineTicketNumber = uint32(want.count)*10 + uint32(i) + 1
					}
					if rapid.Bool().Draw(rt, "ping in between") {
						l.check(l.send(l.frame(command(kkmpb.CommandTypeEnum_COMMAND_SYSTEM), token, l.reqnum)), kkm.CodeOK)
					}
					if again := l.send(l.frame(r, token, l.reqnum)); string(again) != string(first) {
						rt.Fatalf("repeated answer\n got %x\nwant %x", again, first)
					}
				}
				l.check(first, kkm.CodeOK)
				want.count, want.sum = want.count+1, want.sum+total
			case "lost request":
				l.reqnum++
			case "ping":
				before := l.code
				l.ask(command(kkmpb.CommandTypeEnum_COMMAND_SYSTEM), kkm.CodeOK)
				if l.code != before {
					rt.Fatal("SYSTEM changed the token")
				}
			case "stale":
				r, _ := next()
				l.check(l.send(l.frame(r, l.code+1, l.reqnum+1000)), kkm.CodeInvalidToken)
			case "same numbers":
				if want.count > 0 && l.newest().Kind == fiscal.DocReceipt {
					r, _ := next()
					in := binary.LittleEndian.Uint32(l.newest().Request[12:])
					l.check(l.send(l.frame(r, in, l.reqnumOf(l.newest()))), kkm.CodeInvalidRetry)
				}
			case "reset":
				reset()
			case "turned away": // a refusal is not the previous request: its numbers may be used again
				r, total := next()
				r.Ticket.Amounts.Total = sum(total + 500)
				l.reqnum++
				l.check(l.send(l.frame(r, l.code, l.reqnum)), kkm.CodeIncorrectData)
				good, total := next()
				l.check(l.send(l.frame(good, l.code, l.reqnum)), kkm.CodeOK)
				want.count, want.sum = want.count+1, want.sum+total
			}
			c := l.state.Counters.Receipts[fiscal.OpSale.Index()]
			if c.Count != want.count || c.Sum != want.sum || l.state.Counters.Cash != want.sum {
				rt.Fatalf("counted %d receipts of %v, cash %v; want %d of %v", c.Count, c.Sum, l.state.Counters.Cash, want.count, want.sum)
			}
			if n := l.state.LastNumber; n != fiscal.Number(len(l.entries)) {
				rt.Fatalf("last number %d, %d entries", n, len(l.entries))
			}
		}
	})
}

func (l *till) reqnumOf(r fiscal.Record) uint16 { return binary.LittleEndian.Uint16(r.Request[16:]) }
