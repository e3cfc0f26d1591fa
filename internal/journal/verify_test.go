package journal_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/testkit"
)

// written makes a journal of 3 registers in partition 1 of 2, 4 entries each,
// one after the other in turn: entry 5 is number 2 of the second register.
func written(t testing.TB) *testkit.MemStore {
	t.Helper()
	mem := testkit.NewMemStore(2)
	c := start(t, journal.Config{}, mem, nil)
	var registers []*register
	for range 3 {
		registers = append(registers, newRegister(t, mem, 1))
	}
	for range 4 {
		for _, r := range registers {
			if err := c.Commit(t.Context(), r.commit(1)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return mem
}

func verify(t testing.TB, store journal.Store) (journal.Verified, error) {
	t.Helper()
	v := journal.Verification{Store: store, Page: 5}
	return v.Verify(t.Context())
}

func TestVerify(t *testing.T) {
	var pages []string
	v := journal.Verification{Store: written(t), Page: 5, Progress: func(p fiscal.Partition, seq, of journal.Seq) {
		pages = append(pages, fmt.Sprintf("%d:%d/%d", p, seq, of))
	}}
	got, err := v.Verify(t.Context())
	if want := (journal.Verified{Partitions: 2, Registers: 3, Entries: 12}); err != nil || got != want {
		t.Errorf("Verify() = %+v, %v; want %+v", got, err, want)
	}
	if got := strings.Join(pages, " "); got != "1:5/12 1:10/12 1:12/12" {
		t.Errorf("progress %s", got)
	}
}

// Whatever is changed in the fifth entry is found there, and named.
// Req: P-021, O-047
func TestVerifyMutations(t *testing.T) {
	flip := func(h *journal.Hash) { h[7] ^= 0x10 }
	type mutation struct {
		name   string
		change func(*journal.Entry)
		want   string
	}
	tests := []mutation{
		{"a byte of the request", func(e *journal.Entry) { e.Request[3] ^= 1 }, "request, answer or salt was changed"},
		{"the request is gone", func(e *journal.Entry) { e.Request = nil }, "request, answer or salt was changed"},
		{"a byte more", func(e *journal.Entry) { e.Request = append(e.Request, 0) }, "request, answer or salt was changed"},
		{"a byte moved from request to answer", func(e *journal.Entry) {
			n := len(e.Request) - 1
			e.Answer = append([]byte{e.Request[n]}, e.Answer...)
			e.Request = e.Request[:n]
		}, "request, answer or salt was changed"},
		{"a byte of the answer", func(e *journal.Entry) { e.Answer[0] ^= 0x80 }, "request, answer or salt was changed"},
		{"the salt", func(e *journal.Entry) { e.Salt[15] ^= 1 }, "request, answer or salt was changed"},
		{"the digest", func(e *journal.Entry) { flip(&e.Digest) }, "request, answer or salt was changed"},
		{"the hash", func(e *journal.Entry) { flip(&e.Hash) }, "a column or the link to number 1 was changed"},
		{"the chain", func(e *journal.Entry) { flip(&e.Chain) }, "the partition's chain is broken"},
		{"the codec", func(e *journal.Entry) { e.Codec = 9 }, "codec 9"},
		{"the month", func(e *journal.Entry) { e.Month++ }, "stands in month 202511, expected 202510"},
		{"the partition", func(e *journal.Entry) { e.Partition = 0 }, "says that it belongs to partition 0"},
		{"request and digest", func(e *journal.Entry) { e.Request[3] ^= 1; h := e.Hash; e.Link(journal.Hash{}); e.Hash = h }, "a column or the link"},
	}
	// Every column, one by one.
	for _, f := range reflect.VisibleFields(reflect.TypeFor[fiscal.Record]()) {
		m := mutation{name: "column " + f.Name, want: "a column or the link to number 1 was changed"}
		switch f.Name {
		case "Request", "Answer":
			continue
		case "Number":
			m.want = "the register's numbers have a gap"
		}
		m.change = func(e *journal.Entry) {
			switch v := reflect.ValueOf(&e.Record).Elem().FieldByIndex(f.Index); {
			case v.CanInt():
				v.SetInt(v.Int() + 1)
			case v.CanUint():
				v.SetUint(v.Uint() + 1)
			case v.Kind() == reflect.String:
				v.SetString(v.String() + "x")
			default:
				v.Set(reflect.ValueOf(v.Interface().(time.Time).Add(time.Microsecond)))
			}
		}
		tests = append(tests, m)
	}
	for _, tt := range tests {
		mem := written(t)
		mem.Tamper(1, func(all []journal.Entry) []journal.Entry { tt.change(&all[4]); return all })
		_, err := verify(t, mem)
		var d *journal.Damage
		if !errors.As(err, &d) || d.Partition != 1 && tt.name != "the partition" || d.Seq != 5 || !strings.Contains(d.What, tt.want) {
			t.Errorf("%s: Verify() = %v, want entry 5: %s", tt.name, err, tt.want)
		}
		if !errors.Is(err, fiscal.Corrupt) {
			t.Errorf("%s: %v is not Corrupt", tt.name, err)
		}
	}
}

// Entries removed, put in, swapped, rewritten together with their hashes.
// Req: P-021, O-047
func TestVerifySurgery(t *testing.T) {
	type entries = []journal.Entry
	for _, tt := range []struct {
		name string
		cut  func(entries) entries
		seq  journal.Seq
		want string
	}{
		{"one removed", func(e entries) entries { return append(e[:4:4], e[5:]...) }, 5, "entry is missing: entry 6 comes after entry 4"},
		{"the first removed", func(e entries) entries { return e[1:] }, 1, "entry is missing: entry 2 comes after entry 0"},
		{"a page removed", func(e entries) entries { return append(e[:5:5], e[10:]...) }, 6, "entry is missing: entry 11 comes after entry 5"},
		{"the last removed", func(e entries) entries { return e[:11] }, 12, "the partition ends at entry 11, its head says 12"},
		{"all removed", func(entries) entries { return nil }, 1, "the partition ends at entry 0, its head says 12"},
		{"one removed, the rest moved up", func(e entries) entries {
			e = append(e[:4:4], e[5:]...)
			for i := range e {
				e[i].Seq = journal.Seq(i + 1)
			}
			return e
		}, 5, "the partition's chain is broken"},
		{"two swapped", func(e entries) entries {
			e[4], e[5] = e[5], e[4]
			e[4].Seq, e[5].Seq = 5, 6
			return e
		}, 5, "the partition's chain is broken"},
		{"two of one register swapped", func(e entries) entries {
			e[4], e[7] = e[7], e[4]
			e[4].Seq, e[7].Seq = 5, 8
			return e
		}, 5, "the register's numbers have a gap: number 2 was expected"},
		{"bytes of two swapped", func(e entries) entries {
			e[4].Request, e[7].Request = e[7].Request, e[4].Request
			return e
		}, 5, "request, answer or salt was changed"},
		{"one put in twice", func(e entries) entries {
			e = append(e[:5:5], e[4:]...)
			for i := range e {
				e[i].Seq = journal.Seq(i + 1)
			}
			return e
		}, 6, "the register's numbers have a gap"},
		{"one behind the end", func(e entries) entries {
			more := e[11]
			more.Seq++
			return append(e, more)
		}, 13, "lies behind the partition's end"},
		{"rewritten with its own hashes", func(e entries) entries {
			e[4].Total++
			e[4].Link(e[1].Hash)
			return e
		}, 5, "the partition's chain is broken"},
		{"rewritten with its own hashes and chain", func(e entries) entries {
			e[4].Total++
			e[4].Link(e[1].Hash)
			reseal(e[4:5], journal.Head{Seq: 4, Month: e[3].Month, Chain: e[3].Chain})
			return e
		}, 6, "the partition's chain is broken"},
		{"rewritten with everything but the register's later entries", func(e entries) entries {
			e[4].Total++
			e[4].Link(e[1].Hash)
			reseal(e[4:], journal.Head{Seq: 4, Month: e[3].Month, Chain: e[3].Chain})
			return e
		}, 8, "a column or the link to number 2 was changed"},
		{"rewritten to the end, but for the head", func(e entries) entries {
			e[11].Total++
			e[11].Link(e[8].Hash)
			reseal(e[11:], journal.Head{Seq: 11, Month: e[10].Month, Chain: e[10].Chain})
			return e
		}, 12, "the partition's chain ends in"},
	} {
		mem := written(t)
		mem.Tamper(1, tt.cut)
		_, err := verify(t, mem)
		var d *journal.Damage
		if !errors.As(err, &d) || d.Partition != 1 || d.Seq != tt.seq || !strings.Contains(d.What, tt.want) {
			t.Errorf("%s: Verify() = %v, want entry %d: %s", tt.name, err, tt.seq, tt.want)
		}
	}
}

// reseal chains entries anew, as somebody would who can write anything.
func reseal(all []journal.Entry, head journal.Head) {
	for i := range all {
		c := journal.Commit{Entries: all[i : i+1]}
		journal.Seal(&head, &c)
	}
}

func TestVerifyMonth(t *testing.T) {
	mem := written(t)
	mem.Tamper(1, func(all []journal.Entry) []journal.Entry {
		all[11].Month++ // the head's month is compared with what the entries make it
		return all
	})
	_, err := verify(t, mem)
	if err == nil || !strings.Contains(err.Error(), "partition 1, entry 12, register 200003, number 4: stands in month 202511, expected 202510") {
		t.Errorf("Verify() = %v", err)
	}
}

func TestVerifyCheck(t *testing.T) {
	v := journal.Verification{Store: written(t), Check: func(e *journal.Entry) error {
		if e.Seq == 7 {
			return errors.New("the fiscal sign is not ours")
		}
		return nil
	}}
	_, err := v.Verify(t.Context())
	if err == nil || !strings.Contains(err.Error(), "entry 7, register 200001, number 3: the country's check fails: the fiscal sign is not ours") {
		t.Errorf("Verify() = %v", err)
	}
}

// A walk beside a running server verifies what was there when it began.
func TestVerifyWhileWritten(t *testing.T) {
	mem := written(t)
	c := start(t, journal.Config{}, mem, nil)
	r := newRegister(t, mem, 1)
	v := journal.Verification{Store: mem, Page: 1, Check: func(*journal.Entry) error {
		return c.Commit(t.Context(), r.commit(1))
	}}
	if got, err := v.Verify(t.Context()); err != nil || got.Entries != 12 {
		t.Errorf("Verify() = %+v, %v; want 12 entries", got, err)
	}
	if got, err := verify(t, mem); err != nil || got.Entries != 24 {
		t.Errorf("Verify() afterwards = %+v, %v; want 24 entries", got, err)
	}
}

// unreadable is a store that fails in the middle.
type unreadable struct{ *testkit.MemStore }

func (u unreadable) Scan(ctx context.Context, p fiscal.Partition, from journal.Seq, limit int) ([]journal.Entry, error) {
	if from > 5 {
		return nil, testkit.ErrBroken
	}
	return u.MemStore.Scan(ctx, p, from, limit)
}

func TestVerifyStoreFails(t *testing.T) {
	_, err := verify(t, unreadable{written(t)})
	if !errors.Is(err, testkit.ErrBroken) || errors.Is(err, fiscal.Corrupt) {
		t.Errorf("Verify() = %v, want the store's error and no damage", err)
	}
}

func BenchmarkVerify(b *testing.B) {
	mem := testkit.NewMemStore(1)
	r := newRegister(b, mem, 0)
	var batch []journal.Commit
	for range 2000 {
		batch = append(batch, r.commit(1))
	}
	if _, err := mem.Append(b.Context(), batch, journal.Seal); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		v := journal.Verification{Store: mem, Page: 2000}
		if _, err := v.Verify(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2000, "ns/entry")
}
