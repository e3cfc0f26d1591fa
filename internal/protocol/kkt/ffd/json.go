package ffd

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"unicode/utf8"
)

// JSON says how a document is worded for the tax service.
//
// Names are those of the table; amounts are kopecks, times the wire's seconds,
// flags 0 and 1, quantities exact decimal numbers. Fixed texts lose their
// padding. Bytes are base64, but the fiscal sign is the number that is
// printed. A requisite that may repeat is an array. One without a public name,
// or that nobody knows, is tagNNNN. What is only printed is left out.
//
// The message sign does not fit a float64: whoever reads it needs integers of
// 64 bits.
//
// Source: the tax service's JSON presentation of documents for operators.
type JSON struct {
	Sign    []byte // of the message, eight bytes; nil: neither it nor rawData is written
	Wrapped bool   // inside "document", as the schemas of 1.1 have it
}

// AppendJSON appends the document as JSON. One that could not be parsed is
// worded as far as it could be.
func (d *Document) AppendJSON(b []byte, o JSON) []byte {
	if o.Wrapped {
		b = append(b, `{"document":`...)
	}
	b = append(b, '{')
	b = strconv.AppendQuote(b, d.Form.String())
	b = append(b, ':', '{')
	b = d.appendMembers(b, 0, len(d.nodes))
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = append(b, `"code":`...)
	b = strconv.AppendUint(b, uint64(d.Form), 10)
	if len(o.Sign) == 8 {
		b = append(b, `,"messageFiscalSign":`...)
		b = strconv.AppendUint(b, binary.BigEndian.Uint64(o.Sign), 10)
		b = append(b, `,"rawData":"`...)
		raw := append(append(make([]byte, 0, len(d.raw)+8), d.raw...), o.Sign...)
		b = base64.StdEncoding.AppendEncode(b, raw)
		b = append(b, '"')
	}
	b = append(b, '}', '}')
	if o.Wrapped {
		b = append(b, '}')
	}
	return b
}

// appendMembers appends siblings, equal tags gathered at the first of them.
func (d *Document) appendMembers(b []byte, from, to int) []byte {
	groups := d.groups(from, to)
	empty := true
	for i := from; i < to; i = int(d.nodes[i].next) {
		n := &d.nodes[i]
		def, all := n.def(), groups[n.tag]
		if def != nil && def.Paper || len(all) > 0 && all[0] != i {
			continue
		}
		if !empty {
			b = append(b, ',')
		}
		empty = false
		b = append(b, '"')
		if def != nil {
			b = append(b, def.JSONName()...)
		} else {
			b = append(b, "tag"...)
			b = strconv.AppendUint(b, uint64(n.tag), 10)
		}
		b = append(b, '"', ':')
		switch {
		case len(all) > 0:
			b = append(b, '[')
			for k, j := range all {
				if k > 0 {
					b = append(b, ',')
				}
				b = d.appendNode(b, j)
			}
			b = append(b, ']')
		case d.manyAt(from, n):
			b = append(b, '[')
			b = append(d.appendNode(b, i), ']')
		default:
			b = d.appendNode(b, i)
		}
	}
	return b
}

// groups are the siblings whose tag stands more than once.
func (d *Document) groups(from, to int) map[Tag][]int {
	var seen [ordinals]bool
	repeated := false
	for i := from; i < to && !repeated; i = int(d.nodes[i].next) {
		o := ordinalOf(d.nodes[i].tag)
		repeated = o == 0 || seen[o] // of tags that nobody knows we cannot say
		seen[o] = true
	}
	if !repeated {
		return nil
	}
	groups := make(map[Tag][]int)
	for i := from; i < to; i = int(d.nodes[i].next) {
		groups[d.nodes[i].tag] = append(groups[d.nodes[i].tag], i)
	}
	for t, all := range groups {
		if len(all) == 1 {
			delete(groups, t)
		}
	}
	return groups
}

// manyAt reports whether the table lets a node repeat where it stands. from is
// its first sibling.
func (d *Document) manyAt(from int, n *node) bool {
	if n.row == 0 {
		return d.repeatsAnywhere(n)
	}
	s := d.shape
	if from > 0 {
		s = d.nodes[from-1].def().inner[d.Version]
	}
	return s.at(n.row).many
}

func (d *Document) repeatsAnywhere(n *node) bool {
	def := n.def()
	if def == nil {
		return false
	}
	for _, p := range def.Places {
		if p.Many {
			return true
		}
	}
	return false
}

// appendNode appends the value of one node.
func (d *Document) appendNode(b []byte, i int) []byte {
	n := &d.nodes[i]
	def, v := n.def(), d.value(n)
	if def == nil || n.deep || def.Type != STLV && !def.fits(v).readable() {
		return appendBase64(b, v)
	}
	switch def.Type {
	case STLV:
		b = append(b, '{')
		b = d.appendMembers(b, i+1, int(n.next))
		return append(b, '}')
	case FVLN:
		x, _ := decimalOf(v)
		return x.Append(b)
	case Text:
		if def.Fixed {
			v = trim(v)
		}
		if productCode(n.tag) {
			b = append(b, `{"rawProductCode":`...)
			return append(appendQuoted(b, v), '}')
		}
		return appendQuoted(b, v)
	case Bytes:
		if n.tag == TagSign {
			return strconv.AppendUint(b, uint64(signOf(v)), 10)
		}
		return appendBase64(b, v)
	}
	if len(v) > 8 {
		return appendBase64(b, v)
	}
	return strconv.AppendUint(b, uintOf(v), 10)
}

// productCode reports whether a tag is one of the kinds of goods codes, which
// stand in an object of their own.
func productCode(t Tag) bool { return t >= 1300 && t <= 1325 }

func appendBase64(b, v []byte) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, v)
	return append(b, '"')
}

// appendQuoted appends a text of the wire as a JSON string.
func appendQuoted(b, v []byte) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, c := range v {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20 || c == 0x7F:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = utf8.AppendRune(b, cp866.runes[c])
		}
	}
	return append(b, '"')
}
