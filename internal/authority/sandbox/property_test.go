package sandbox

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"openofd/internal/authority/kgd"
	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// TestCountsInAnyOrder: however documents come, in whatever batches, order and
// repetition, the counts are those of the documents.
//
// Req: O-105
func TestCountsInAnyOrder(t *testing.T) {
	t.Parallel()
	f := open(t, Config{})
	register := int64(0)
	rapid.Check(t, func(rt *rapid.T) {
		register++ // each history has one of its own
		all, want := history(rt, register)
		order := rapid.Permutation(all).Draw(rt, "order")
		again := rapid.SliceOfN(rapid.SampledFrom(all), 0, 5).Draw(rt, "again")
		taken := 0
		for rest := append(order, again...); len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(rt, "batch")
			b := batch{operator: 1, country: kazakhstan, what: "receipts"}
			for _, d := range rest[:n] {
				line, err := json.Marshal(d)
				if err != nil {
					rt.Fatal(err)
				}
				doc, err := parseKazakh(line)
				if err != nil {
					rt.Fatalf("%s: %v", line, err)
				}
				b.lines = append(b.lines, doc)
			}
			if err := b.store(t.Context(), f.file, 1); err != nil || len(b.taken.Refused) > 0 {
				rt.Fatal(err, b.taken)
			}
			taken, rest = taken+b.taken.Taken, rest[n:]
		}
		var got *counted
		err := f.file.Read(t.Context(), func(tx *sqlitefile.Tx) (err error) {
			got, err = oneCount(tx, 1, atNine.Unix()/86_400, register)
			return err
		})
		if err != nil || got == nil || taken != len(all) {
			rt.Fatalf("%v, %v after %d of %d documents", got, err, taken, len(all))
		}
		if is := fmt.Sprint(got.documents, got.shifts, got.first.entry, got.last.entry, got.n, got.sum); is != want {
			rt.Errorf("counts = %s, want %s of %d documents", is, want, len(all))
		}
	})
}

// history is what a register made on a day, and what its counts have to be.
func history(rt *rapid.T, register int64) (all []kgd.Document, want string) {
	var n [6]int64
	var sum [6]fiscal.Money
	shifts, open := 0, map[int64]int{} // receipts that are not canceled, by entry
	entries := rapid.Int64Range(1, 12).Draw(rt, "documents")
	for entry := int64(1); entry <= entries; entry++ {
		op := fiscal.Op(rapid.IntRange(int(fiscal.OpSale), int(fiscal.OpCashOut)).Draw(rt, "operation"))
		d := sale(register, entry, fiscal.Money(rapid.Int64Range(1, 1_000_00).Draw(rt, "total")))
		d.Operation = op.String()
		switch kind := rapid.SampledFrom([]string{kgd.KindReceipt, kgd.KindReceipt, kgd.KindShiftClose, kgd.KindCancel}).Draw(rt, "kind"); {
		case kind == kgd.KindShiftClose:
			d.Kind, d.Operation = kind, ""
			shifts++
		case kind == kgd.KindCancel && len(open) > 0:
			for d.Cancels = 1; open[int64(d.Cancels)] == 0; d.Cancels++ {
			}
			d.Kind = kind
			of := all[open[int64(d.Cancels)]-1]
			delete(open, int64(d.Cancels))
			was := operation([]byte(of.Operation)) - fiscal.OpSale
			n[was]--
			sum[was] -= of.Total
		default:
			if !op.Settlement() {
				d.Kind = kgd.KindCashMove
			}
			open[entry] = int(entry)
			n[op-fiscal.OpSale]++
			sum[op-fiscal.OpSale] += d.Total
		}
		all = append(all, d)
	}
	return all, fmt.Sprint(entries, shifts, 1, entries, n, sum)
}
