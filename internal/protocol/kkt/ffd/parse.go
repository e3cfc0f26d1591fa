package ffd

import (
	"encoding/binary"
	"fmt"
	"strconv"
)

// headLen is the length of the head of every TLV: tag and length, two bytes
// each, little-endian.
const headLen = 4

// MaxDepth is how deep requisites may nest. Four levels occur.
const MaxDepth = 8

// Document is a parsed document. It borrows the bytes it was parsed from and
// only reads them; it may be used by many at once as long as nobody parses
// into it again.
type Document struct {
	Form    Form
	Version Version
	raw     []byte
	nodes   []node // in the order of the bytes, parents before children
	first   [maxRows]uint32
	shape   *shape
	deep    uint32 // node, from 1, at which nesting was too deep; 0 none
	fault   *SyntaxError
}

// node is one requisite. Offsets are those in the document's bytes.
//
// It has 16 bytes and no pointer, for a receipt of 200 items has two thousand.
type node struct {
	off  uint32 // of the value
	next uint32 // node behind this one and all within it
	size uint16
	tag  Tag
	mean uint16 // place of its Definition in the dictionary, from 1; 0 is none
	row  uint8  // place in the parent's shape, from 1; 0 it has none there
	deep bool   // an STLV that was not read, for it nests too deep
}

// def is the meaning of the node's tag, nil for a tag that nobody knows.
func (n *node) def() *Definition {
	if n.mean == 0 {
		return nil
	}
	return &dict.definitions[n.mean-1]
}

// SyntaxError tells where the list of requisites breaks.
type SyntaxError struct {
	Off  int    // in the document's bytes
	Path string // of the requisite around it: "1059[0]"; empty is the document
	Why  string
}

func (e *SyntaxError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("offset %d: %s", e.Off, e.Why)
	}
	return fmt.Sprintf("offset %d, in %s: %s", e.Off, e.Path, e.Why)
}

// Parse reads a document: the code of its form, its length and its requisites.
// unstated is the version of a document that does not state one: that of the
// drive's last registration, else of the session. The error is a *SyntaxError;
// the document then holds what could be read.
func Parse(raw []byte, unstated Version) (*Document, error) {
	d := new(Document)
	err := d.Parse(raw, unstated)
	return d, err
}

// Parse reads a document into d and forgets what was there. It reuses d's
// memory.
func (d *Document) Parse(raw []byte, unstated Version) error {
	if !unstated.Known() {
		unstated = V100 // the only one in which a document need not say it
	}
	*d = Document{raw: raw, nodes: d.nodes[:0], Version: unstated}
	if len(raw) < headLen {
		return d.fail(len(raw), "the head of the document is cut off")
	}
	d.Form = Form(binary.LittleEndian.Uint16(raw))
	d.Version = stated(d.Form, raw[headLen:], unstated)
	if d.shape = shapeFor(d.Form, d.Version); d.shape == nil {
		return d.fail(0, "no form has the code "+strconv.Itoa(int(d.Form)))
	}
	end := len(raw)
	if size := int(binary.LittleEndian.Uint16(raw[2:])); size != end-headLen {
		d.fail(2, fmt.Sprintf("the document claims %d bytes, here are %d", size, end-headLen))
		end = min(end, headLen+size)
	}
	if end > 1<<16+headLen {
		return d.fail(end, "longer than its length can say")
	}
	if d.nodes == nil {
		d.nodes = make([]node, 0, end/7+8) // a requisite takes seven bytes or more on average
	}
	d.list(headLen, end, 1, d.shape)
	if d.fault != nil {
		return d.fault
	}
	return nil
}

// ParseAs is Parse for a document of which it is known which form it should
// have. One of another form has no requisites.
func (d *Document) ParseAs(f Form, raw []byte, unstated Version) error {
	if len(raw) >= headLen && Form(binary.LittleEndian.Uint16(raw)) != f {
		if !unstated.Known() {
			unstated = V100
		}
		*d = Document{raw: raw, nodes: d.nodes[:0], Version: unstated, Form: f}
		return d.fail(0, fmt.Sprintf("%v, where %v was announced", Form(binary.LittleEndian.Uint16(raw)), f))
	}
	return d.Parse(raw, unstated)
}

// stated looks for tag 1209 among the requisites of the document.
func stated(f Form, body []byte, unstated Version) Version {
	if f.Marks() {
		return V120 // no such documents before, and they do not state it
	}
	for len(body) >= headLen {
		size := int(binary.LittleEndian.Uint16(body[2:]))
		if size > len(body)-headLen {
			break
		}
		if Tag(binary.LittleEndian.Uint16(body)) == TagVersion && size == 1 {
			return versionOf(body[headLen])
		}
		body = body[headLen+size:]
	}
	return unstated
}

// list reads the requisites between two offsets. s is what may stand there.
func (d *Document) list(from, to int, depth uint8, s *shape) {
	for off := from; off < to; {
		if to-off < headLen {
			d.fail(off, fmt.Sprintf("%d bytes are left where a requisite must begin", to-off))
			return
		}
		tag := Tag(binary.LittleEndian.Uint16(d.raw[off:]))
		size := int(binary.LittleEndian.Uint16(d.raw[off+2:]))
		off += headLen
		if size > to-off {
			d.fail(off-2, fmt.Sprintf("tag %d claims %d bytes, %d are left", tag, size, to-off))
			return
		}
		i := len(d.nodes)
		n := node{off: uint32(off), size: uint16(size), tag: tag, row: s.row(tag), next: uint32(i + 1)}
		var def *Definition
		if n.row != 0 {
			def = s.at(n.row).def
		} else {
			def = elsewhere(s, tag)
		}
		if def != nil {
			n.mean = def.place
		}
		if depth == 1 && n.row != 0 && d.first[n.row] == 0 {
			d.first[n.row] = uint32(i + 1)
		}
		if def != nil && def.Type == STLV {
			d.nest(n, def, depth)
		} else {
			d.nodes = append(d.nodes, n)
		}
		off += size
	}
}

// nest appends an STLV and what is in it.
func (d *Document) nest(n node, def *Definition, depth uint8) {
	i := len(d.nodes)
	value := d.value(&n)
	if depth == MaxDepth {
		n.deep = true
		d.nodes = append(d.nodes, n)
		if d.deep == 0 {
			d.deep = n.next
		}
		return
	}
	if other := def.textual; other != nil && !closes(value) { // as an older format has it
		n.mean, n.row = other.place, 0
		d.nodes = append(d.nodes, n)
		return
	}
	d.nodes = append(d.nodes, n)
	d.list(int(n.off), int(n.off)+len(value), depth+1, def.inner[d.Version])
	d.nodes[i].next = uint32(len(d.nodes))
}

// closes reports whether b is a list of requisites by its lengths.
func closes(b []byte) bool {
	for len(b) >= headLen {
		size := int(binary.LittleEndian.Uint16(b[2:]))
		if size > len(b)-headLen {
			return false
		}
		b = b[headLen+size:]
	}
	return len(b) == 0
}

// fail notes the first break and what is around it.
func (d *Document) fail(off int, why string) error {
	if d.fault == nil {
		d.fault = &SyntaxError{Off: off, Path: d.around(off), Why: why}
	}
	return d.fault
}

// around is the path of the requisite in whose value an offset lies.
func (d *Document) around(off int) string {
	found := -1
	for i := range d.nodes {
		n := &d.nodes[i]
		if def := n.def(); def != nil && def.Type == STLV && int(n.off) <= off && off < int(n.off)+int(n.size) {
			found = i
		}
	}
	if found < 0 {
		return ""
	}
	return d.path(found)
}

// path names a node: the tags from the document down, those that may repeat
// with their place among equals.
func (d *Document) path(at int) string {
	var b []byte
	from := 0
	for {
		i, same := from, 0
		for int(d.nodes[i].next) <= at && d.nodes[i].next > uint32(i) {
			i = int(d.nodes[i].next)
		}
		n := &d.nodes[i]
		for j := from; j < i; j = int(d.nodes[j].next) {
			if d.nodes[j].tag == n.tag {
				same++
			}
		}
		if len(b) > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(n.tag), 10)
		if same > 0 || d.repeatsAnywhere(n) {
			b = append(b, '[')
			b = strconv.AppendInt(b, int64(same), 10)
			b = append(b, ']')
		}
		if i == at || i+1 > at {
			return string(b)
		}
		from = i + 1
	}
}

// value is the bytes of a node.
func (d *Document) value(n *node) []byte { return d.raw[n.off : n.off+uint32(n.size)] }

// AppendBinary appends the document as it was read: the same bytes.
func (d *Document) AppendBinary(b []byte) ([]byte, error) {
	if d.fault != nil {
		return b, d.fault
	}
	b = binary.LittleEndian.AppendUint16(b, uint16(d.Form))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(d.raw)-headLen))
	for i := range d.nodes {
		n := &d.nodes[i]
		b = binary.LittleEndian.AppendUint16(b, uint16(n.tag))
		b = binary.LittleEndian.AppendUint16(b, n.size)
		if n.next == uint32(i+1) { // nothing within that stands for itself
			b = append(b, d.value(n)...)
		}
	}
	return b, nil
}
