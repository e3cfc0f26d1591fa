package ffd_test

import (
	"slices"
	"testing"

	"openofd/internal/protocol/kkt/ffd"
)

// The table is whole: every row has words, its places exist, its length is
// known, and no name means two things in one place and version.
func TestTable(t *testing.T) {
	defs := ffd.Definitions()
	lists := make(map[uint16]bool)
	for _, f := range ffd.Forms() {
		lists[uint16(f.Form)] = true
	}
	for _, d := range defs {
		if d.Type == ffd.STLV {
			lists[uint16(d.Tag)] = true
		}
	}
	type where struct {
		in   uint16
		v    ffd.Version
		name string
	}
	seen := make(map[where]ffd.Tag)
	for _, d := range defs {
		if d.RU == "" || d.EN == "" {
			t.Errorf("tag %d has no words", d.Tag)
		}
		sized := slices.Contains([]ffd.Type{ffd.VLN, ffd.Money, ffd.FVLN, ffd.Text, ffd.Bytes}, d.Type)
		if sized && d.Size == 0 && !d.Paper {
			t.Errorf("tag %d has no length", d.Tag)
		}
		for _, p := range d.Places {
			if !lists[p.In] {
				t.Errorf("tag %d stands in %d, which is no list", d.Tag, p.In)
			}
			for _, v := range ffd.Versions() {
				w := where{p.In, v, d.JSONName()}
				if p.Needs[v] == ffd.Undefined {
					continue
				}
				if other, twice := seen[w]; twice {
					t.Errorf("%q in %d of %s is both %d and %d", w.name, p.In, v, other, d.Tag)
				}
				seen[w] = d.Tag
			}
		}
		for _, v := range d.Values {
			if v.RU == "" || v.EN == "" {
				t.Errorf("value %d of tag %d has no words", v.N, d.Tag)
			}
		}
	}
	if len(defs) < 280 {
		t.Errorf("%d rows, want the whole dictionary", len(defs))
	}
}

// Forms have names of their own and lengths within what a TLV can hold.
func TestForms(t *testing.T) {
	names := make(map[string]ffd.Form)
	for _, f := range ffd.Forms() {
		if other, twice := names[f.Name]; twice {
			t.Errorf("%q is both %d and %d", f.Name, other, f.Form)
		}
		names[f.Name] = f.Form
		if !f.Form.Known() || f.Max < 512 || f.Max > 65535 || f.RU == "" || f.EN == "" {
			t.Errorf("form %+v is not whole", f)
		}
	}
	if ffd.Form(85).Known() || ffd.Form(0).Known() {
		t.Error("forms 0 and 85 are not known to anybody")
	}
}
