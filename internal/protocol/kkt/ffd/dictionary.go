package ffd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
)

// Tag is the number of a requisite.
type Tag uint16

// Type is how a value is written.
//
//	type    bytes       value
//	Byte    1           unsigned
//	U16     2           little-endian
//	U32     4           little-endian
//	VLN     0 to Size   little-endian; high zero bytes may stand or be left out
//	Money   0 to Size   VLN in kopecks
//	FVLN    1 to Size   digits behind the point, then the number as VLN
//	Text    0 to Size   code page 866; Fixed ones padded right with spaces
//	Time    4           seconds of the register's wall clock, little-endian
//	Mask8   1           bits
//	Mask32  4           bits, little-endian
//	Bytes   0 to Size   as they are
//	STLV    any         a list of requisites
type Type uint8

// The types.
const (
	Byte Type = iota + 1
	U16
	U32
	VLN
	Money
	FVLN
	Text
	Time
	Mask8
	Mask32
	Bytes
	STLV
	typeEnd
)

var typeNames = [typeEnd]string{"", "byte", "u16", "u32", "vln", "money", "fvln", "text", "time", "mask8", "mask32", "bytes", "stlv"}

func (t Type) String() string {
	if t < typeEnd {
		return typeNames[t]
	}
	return "unknown"
}

// MarshalText gives a type to JSON by its name.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// Definition is a row of the table: what a tag means in the places where it
// means that. Some numbers changed their meaning after FFD 1.0 and have two
// rows.
type Definition struct {
	Tag    Tag
	Name   string // in JSON; empty where none is published
	Type   Type
	Size   int  // bytes at most; 0 where the type says it
	Fixed  bool // exactly Size bytes
	RU, EN string
	Values []Value         // of an enumeration or the bits of a mask
	Since  fiscal.WallTime // first day of the order that brought it, 0 always
	Paper  bool            // printed only; never forwarded
	// Personal data of the buyer: not for logs, nor for everybody.
	Personal bool
	Places   []Place // where it may stand
	// where words Places: forms and tags, then for FFD 1.0, 1.05, 1.1 and 1.2
	// what the order asks, then * where it may repeat: "3,4:ORRR* 81:---C".
	where   string
	aliases string // other names met in JSON, by spaces

	place   uint16             // in the dictionary, from 1
	inner   [versionEnd]*shape // of an STLV: what stands in it
	textual *Definition        // of an STLV: what the tag meant before it was one
	values  bitset             // of Values, for bytes
	mask    uint32             // of Values, for masks
}

// Place is a place where a tag may stand.
type Place struct {
	In    uint16           // a form, or the tag of an STLV
	Needs [versionEnd]Need // by version
	Many  bool             // may repeat among its siblings
}

// Need is what the order asks of a requisite in a place.
type Need byte

// The needs, by the letters of the table.
const (
	Undefined   Need = '-' // not defined in this version
	Optional    Need = 'O'
	Conditional Need = 'C' // must stand in the cases of the order's notes
	Required    Need = 'R'
)

// shape is what may stand in one form or STLV in one version.
type shape struct {
	in       uint16
	rows     []shapeRow
	byTag    [ordinals]uint8 // place in rows, from 1; 0 is not in here
	required rowSet
}

type shapeRow struct {
	def  *Definition
	need Need
	many bool
}

// Bounds of the dictionary, so that looking a tag up is two array reads.
const (
	firstTag = 1000
	lastTag  = 2199
	ordinals = 320
	maxRows  = 128
)

// rowSet is a set of rows of a shape.
type rowSet [maxRows / 64]uint64

func (s *rowSet) add(row uint8)      { s[row>>6] |= 1 << (row & 63) }
func (s *rowSet) has(row uint8) bool { return s[row>>6]&(1<<(row&63)) != 0 }

// bitset is a set of bytes.
type bitset [4]uint64

func (s *bitset) add(n byte)      { s[n>>6] |= 1 << (n & 63) }
func (s *bitset) has(n byte) bool { return s[n>>6]&(1<<(n&63)) != 0 }

// dictionary is the table, ready for use. It is made once and only read.
type dictionary struct {
	definitions []Definition
	ordinal     [lastTag - firstTag + 1]uint16      // from 1; 0 is an unknown tag
	byOrdinal   [ordinals][]*Definition             // in the order of the table
	forms       map[Form]*[versionEnd]*shape        // by version
	byName      map[uint16]map[string][]*Definition // JSON name and aliases, by place
}

var dict = newDictionary()

func newDictionary() *dictionary {
	d := &dictionary{
		definitions: slices.Concat(tags1000(), tags1100(), tags1200(), tags2000()),
		forms:       make(map[Form]*[versionEnd]*shape),
		byName:      make(map[uint16]map[string][]*Definition),
	}
	next := uint16(1)
	for i := range d.definitions {
		def := &d.definitions[i]
		def.place = uint16(i + 1)
		def.prepare()
		n := d.ordinal[def.Tag-firstTag]
		if n == 0 {
			n = next
			d.ordinal[def.Tag-firstTag] = n
			next++
		}
		d.byOrdinal[n] = append(d.byOrdinal[n], def)
	}
	for _, f := range forms {
		shapes := new([versionEnd]*shape)
		for _, v := range Versions() {
			shapes[v] = d.shapeOf(uint16(f.Form), v)
		}
		d.forms[f.Form] = shapes
	}
	for i := range d.definitions {
		if def := &d.definitions[i]; def.Type == STLV {
			for _, v := range Versions() {
				def.inner[v] = d.shapeOf(uint16(def.Tag), v)
			}
			def.textual = d.textual(def.Tag)
		}
	}
	return d
}

// prepare reads where and makes what is looked up often.
func (def *Definition) prepare() {
	for word := range strings.FieldsSeq(def.where) {
		places, needs, _ := strings.Cut(word, ":")
		needs, many := strings.CutSuffix(needs, "*")
		if len(needs) != len(Versions()) || strings.Trim(needs, "-OCR") != "" {
			panic(fmt.Sprintf("ffd: tag %d: %q has no need for each version", def.Tag, word))
		}
		for name := range strings.SplitSeq(places, ",") {
			in, err := strconv.ParseUint(name, 10, 16)
			if err != nil {
				panic(fmt.Sprintf("ffd: tag %d: %q is no place", def.Tag, name))
			}
			p := Place{In: uint16(in), Many: many}
			for i, v := range Versions() {
				p.Needs[v] = Need(needs[i])
			}
			def.Places = append(def.Places, p)
		}
	}
	for _, v := range def.Values {
		def.mask |= v.N
		def.values.add(byte(v.N))
	}
}

// shapeOf gathers what may stand in a place, in the order of the table.
func (d *dictionary) shapeOf(in uint16, v Version) *shape {
	s := &shape{in: in}
	for i := range d.definitions {
		def := &d.definitions[i]
		for _, p := range def.Places {
			if p.In != in || p.Needs[v] == Undefined {
				continue
			}
			n := d.ordinal[def.Tag-firstTag]
			if s.byTag[n] != 0 || len(s.rows) == maxRows-1 {
				panic(fmt.Sprintf("ffd: %d in %d: twice, or too many", def.Tag, in))
			}
			s.rows = append(s.rows, shapeRow{def, p.Needs[v], p.Many})
			s.byTag[n] = uint8(len(s.rows))
			if p.Needs[v] == Required {
				s.required.add(s.byTag[n])
			}
			d.name(in, def)
		}
	}
	return s
}

// name notes the names by which def is found in JSON.
func (d *dictionary) name(in uint16, def *Definition) {
	names := d.byName[in]
	if names == nil {
		names = make(map[string][]*Definition)
		d.byName[in] = names
	}
	for _, n := range append(strings.Fields(def.aliases), def.JSONName()) {
		if !slices.Contains(names[n], def) {
			names[n] = append(names[n], def)
		}
	}
}

// JSONName is the name in JSON; where none is published it is the number,
// "tag2001".
func (def *Definition) JSONName() string {
	if def.Name != "" {
		return def.Name
	}
	return "tag" + strconv.Itoa(int(def.Tag))
}

// Aliases are other names met in JSON.
func (def *Definition) Aliases() []string { return strings.Fields(def.aliases) }

// Definitions lists the table in its order.
func Definitions() []Definition { return slices.Clone(dict.definitions) }

// known lists the meanings of a tag.
func (d *dictionary) known(t Tag) []*Definition {
	if t < firstTag || t > lastTag {
		return nil
	}
	return d.byOrdinal[d.ordinal[t-firstTag]]
}

// ordinalOf numbers the tags of the dictionary from 1; 0 is one that nobody
// knows.
func ordinalOf(t Tag) uint16 {
	if t < firstTag || t > lastTag {
		return 0
	}
	return dict.ordinal[t-firstTag]
}

// textual is a meaning of the tag that is no list, nil if there is none.
func (d *dictionary) textual(t Tag) *Definition {
	for _, def := range d.known(t) {
		if def.Type != STLV {
			return def
		}
	}
	return nil
}

// row is the place of a tag in s, from 1; 0 is not in there.
func (s *shape) row(t Tag) uint8 { return s.byTag[ordinalOf(t)] }

// at is a row by its place from 1.
func (s *shape) at(row uint8) *shapeRow { return &s.rows[row-1] }

// shapeFor is what may stand in a form; nil if there is no such form.
func shapeFor(f Form, v Version) *shape {
	shapes := dict.forms[f]
	if shapes == nil || !v.Known() {
		return nil
	}
	return shapes[v]
}

// elsewhere chooses the meaning of a tag that has no place in s: the one it
// has there in another version, or its first.
func elsewhere(s *shape, t Tag) *Definition {
	all := dict.known(t)
	for _, def := range all {
		if slices.ContainsFunc(def.Places, func(p Place) bool { return p.In == s.in }) {
			return def
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return nil
}
