package fiscal

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawInto gives every field of v a value of its own.
func drawInto(rt *rapid.T, v reflect.Value, name string) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		if micros := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(-1<<55, 1<<55)).Draw(rt, name); micros != 0 {
			v.Set(reflect.ValueOf(time.UnixMicro(micros).UTC()))
		}
	case v.Type() == reflect.TypeFor[Status]():
		v.SetUint(rapid.Uint64Range(0, uint64(StatusDeregistered)).Draw(rt, name))
	case v.Type() == reflect.TypeFor[DocumentKind]():
		v.SetUint(rapid.Uint64Range(0, uint64(documentKindCount)-1).Draw(rt, name))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			drawInto(rt, v.Field(i), name+"."+v.Type().Field(i).Name)
		}
	case v.Kind() == reflect.Array:
		for i := range v.Len() {
			drawInto(rt, v.Index(i), name)
		}
	case v.Kind() == reflect.Slice:
		if n := rapid.IntRange(0, 3).Draw(rt, name); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				drawInto(rt, v.Index(i), name)
			}
		}
	case v.Kind() == reflect.String:
		v.SetString(rapid.String().Draw(rt, name))
	case v.Kind() == reflect.Bool:
		v.SetBool(rapid.Bool().Draw(rt, name))
	case v.CanInt():
		v.SetInt(rapid.Int64().Draw(rt, name))
	default:
		n := rapid.Uint64().Draw(rt, name)
		v.SetUint(n & (1<<v.Type().Bits() - 1))
	}
}

// Every field of a state comes back from its stored form, but for the version,
// which is a column of its own.
func TestStateComesBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var s State
		drawInto(rt, reflect.ValueOf(&s).Elem(), "state")
		b := s.Append([]byte("before"))
		got, err := ParseState(b[len("before"):])
		s.Version = 0
		if err != nil || !reflect.DeepEqual(*got, s) {
			rt.Fatalf("state\n%+v\ncomes back as\n%+v\n%v", s, got, err)
		}
	})
}

// A state that is cut anywhere, or has a byte more, is Corrupt.
func TestParseStateDamaged(t *testing.T) {
	s := State{Block: Block{Text: "Договор расторгнут"}, Protocol: []byte("token"), Counters: Counters{Sections: make([]SectionTally, 2), Taxes: make([]TaxTally, 1)}}
	whole := s.Append(nil)
	for n := range len(whole) {
		if _, err := ParseState(whole[:n]); !errors.Is(err, Corrupt) {
			t.Errorf("ParseState(%d of %d bytes) = %v, want %v", n, len(whole), err, Corrupt)
		}
	}
	for name, b := range map[string][]byte{
		"a byte more":     append(bytes.Clone(whole), 0),
		"another layout":  append([]byte{stateFormat + 1}, whole[1:]...),
		"a status beyond": append([]byte{stateFormat, 0, 3}, whole[3:]...),
		"a long zero":     append([]byte{stateFormat, 0x80, 0}, whole[2:]...),
		"a long text":     append([]byte{stateFormat, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, whole[4:]...),
	} {
		if _, err := ParseState(b); !errors.Is(err, Corrupt) {
			t.Errorf("%s: ParseState() = %v, want %v", name, err, Corrupt)
		}
	}
}

// Whatever parses is written again byte for byte.
func FuzzParseState(f *testing.F) {
	f.Add([]byte{})
	f.Add((&State{}).Append(nil))
	var s State
	s.AddReceipt(&Receipt{
		Op: OpSale, Total: 1_777_50, Payments: []Payment{{Kind: PayCash, Sum: 1_777_50}},
		Items: []Item{{Kind: ItemGoods, Section: "1", Cost: 1_777_50, Taxes: []Tax{{Kind: KindVAT, Percent: 16_000, Sum: 245_17}}}},
	}, Making{Time: 1_763_724_761, Received: time.UnixMicro(1_763_706_762_123_456)})
	s.Block, s.Protocol, s.Status = Block{Text: "x", Since: time.UnixMicro(1), Version: 2}, []byte("token"), StatusBlocked
	f.Add(s.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseState(b)
		if err != nil {
			if !errors.Is(err, Corrupt) {
				t.Errorf("ParseState(%x) = %v, want %v", b, err, Corrupt)
			}
			return
		}
		if again := s.Append(nil); !bytes.Equal(again, b) {
			t.Errorf("ParseState(%x), written again: %x", b, again)
		}
	})
}

func BenchmarkState(b *testing.B) {
	var s State
	s.AddReceipt(&Receipt{Op: OpSale, Total: 100, Items: []Item{{Kind: ItemGoods, Section: "1", Cost: 100, Taxes: []Tax{{Kind: KindVAT, Percent: 16_000}}}}}, Making{Time: 1_763_724_761, Received: time.UnixMicro(1_763_706_762_123_456)})
	s.Protocol = make([]byte, 201)
	var room []byte
	b.ReportAllocs()
	for b.Loop() {
		room = s.Append(room[:0])
		if _, err := ParseState(room); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(room)), "bytes")
}
