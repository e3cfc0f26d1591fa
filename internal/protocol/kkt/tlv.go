package kkt

import "encoding/binary"

// The requisites that the exchange itself needs to know. All others are the
// document's.
const (
	tagDateTime           uint16 = 1012
	tagOperatorINN        uint16 = 1017
	tagResponse           uint16 = 1022
	tagShift              uint16 = 1038
	tagNumber             uint16 = 1040
	tagDrive              uint16 = 1041
	tagMessageToDrive     uint16 = 1068
	tagDocumentSign       uint16 = 1077 // FPD
	tagOperatorSign       uint16 = 1078 // FPO
	tagOperatorMessage    uint16 = 1206
	tagFormat             uint16 = 1209
	tagRequestNumber      uint16 = 2001
	tagNotificationNumber uint16 = 2002
	tlvHead                      = 4 // bytes before a value: tag and length, little-endian
	messageSignLen               = 8
	trailerLen                   = messageSignLen + 2 // message sign and two zeros
	documentSignLen              = 6
)

// AppendRequisite appends one requisite: tag, length and value.
//
// Source: KKT reference §4.1.
func AppendRequisite(b []byte, tag uint16, value ...byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, tag)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return append(b, value...)
}

// appendU32 appends a requisite of four bytes.
func appendU32(b []byte, tag uint16, v uint32) []byte {
	b = binary.LittleEndian.AppendUint16(b, tag)
	b = binary.LittleEndian.AppendUint16(b, 4)
	return binary.LittleEndian.AppendUint32(b, v)
}

// nextRequisite cuts the first requisite off b; ok is false when b does not
// hold the whole of it.
func nextRequisite(b []byte) (tag uint16, value, rest []byte, ok bool) {
	if len(b) < tlvHead {
		return 0, nil, b, false
	}
	n := int(binary.LittleEndian.Uint16(b[2:]))
	if n > len(b)-tlvHead {
		return binary.LittleEndian.Uint16(b), nil, b, false
	}
	return binary.LittleEndian.Uint16(b), b[tlvHead : tlvHead+n], b[tlvHead+n:], true
}

// findRequisite is the first requisite with the tag at the top of a list, as
// far as the list can be read.
func findRequisite(b []byte, wanted uint16) (value []byte, ok bool) {
	for len(b) > 0 {
		tag, value, rest, whole := nextRequisite(b)
		if !whole {
			break
		}
		if tag == wanted {
			return value, true
		}
		b = rest
	}
	return nil, false
}
