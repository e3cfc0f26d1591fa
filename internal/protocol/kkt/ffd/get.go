package ffd

import "openofd/internal/fiscal"

// Tags that our code asks for by name.
const (
	TagAutomatic      Tag = 1001
	TagOffline        Tag = 1002
	TagBuyerContact   Tag = 1008
	tagZone           Tag = 1011
	TagTime           Tag = 1012
	TagSerial         Tag = 1013
	TagOFDINN         Tag = 1017
	TagINN            Tag = 1018
	TagTotal          Tag = 1020
	TagQuantity       Tag = 1023
	TagItemName       Tag = 1030
	TagCash           Tag = 1031
	TagMachine        Tag = 1036
	TagRegisterNumber Tag = 1037
	TagShift          Tag = 1038
	TagNumber         Tag = 1040
	TagDrive          Tag = 1041
	TagReceiptNumber  Tag = 1042
	TagItemSum        Tag = 1043
	TagOperation      Tag = 1054
	TagTaxSystem      Tag = 1055
	TagItem           Tag = 1059
	tagStorno         Tag = 1071 // an item taken back, FFD 1.0
	TagTaxSystems     Tag = 1062
	TagSign           Tag = 1077
	TagOperatorSign   Tag = 1078
	TagPrice          Tag = 1079
	TagCashless       Tag = 1081
	TagVersion        Tag = 1209
	TagPrepaid        Tag = 1215
	TagCredit         Tag = 1216
	TagInKind         Tag = 1217
	TagRequestNumber  Tag = 2001
	TagNoticeNumber   Tag = 2002
)

// index is the place of the first requisite of the document itself with the
// tag, −1 if there is none.
func (d *Document) index(t Tag) int {
	if d.shape == nil {
		return -1
	}
	if row := d.shape.row(t); row != 0 {
		return int(d.first[row]) - 1
	}
	for i := 0; i < len(d.nodes); i = int(d.nodes[i].next) {
		if d.nodes[i].tag == t {
			return i
		}
	}
	return -1
}

// top is the first requisite of the document itself with the tag, nil if there
// is none.
func (d *Document) top(t Tag) *node {
	if i := d.index(t); i >= 0 {
		return &d.nodes[i]
	}
	return nil
}

// Value is the bytes of a requisite of the document itself, borrowed; ok is
// false when it is absent.
func (d *Document) Value(t Tag) (b []byte, ok bool) {
	n := d.top(t)
	if n == nil {
		return nil, false
	}
	return d.value(n), true
}

// Has reports whether the document itself has the requisite.
func (d *Document) Has(t Tag) bool { return d.top(t) != nil }

// Uint is a number of the document itself, 0 if it is absent.
func (d *Document) Uint(t Tag) uint64 {
	b, _ := d.Value(t)
	return uintOf(b)
}

// Money is an amount of the document itself, 0 if it is absent or longer than
// six bytes.
func (d *Document) Money(t Tag) fiscal.Money {
	b, _ := d.Value(t)
	m, _ := moneyOf(b)
	return m
}

// Text is a text of the document itself without its padding, empty if it is
// absent.
func (d *Document) Text(t Tag) string {
	n := d.top(t)
	if n == nil {
		return ""
	}
	return d.text(n)
}

// text is the text of a node; the padding of a fixed one is taken off.
func (d *Document) text(n *node) string {
	b := d.value(n)
	if n.mean != 0 && n.def().Fixed {
		b = trim(b)
	}
	return DecodeText(b)
}

// Bytes are the document's own bytes, borrowed.
func (d *Document) Bytes() []byte { return d.raw }

// Time is when the register made the document, by its own clock.
func (d *Document) Time() fiscal.WallTime { return fiscal.WallTime(d.Uint(TagTime)) }

// Number is the number of the fiscal document, from 1 in its drive.
func (d *Document) Number() uint32 { return uint32(d.Uint(TagNumber)) }

// Drive is the number of the fiscal drive.
func (d *Document) Drive() string { return d.Text(TagDrive) }

// Sign is the fiscal sign as it is printed, 0 if there is none.
func (d *Document) Sign() uint32 {
	b, _ := d.Value(TagSign)
	return signOf(b)
}
