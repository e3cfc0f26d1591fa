package ffd

import "strings"

// MarkingCode is a marking code as a scanner reads it, taken apart.
//
// Source: KKT reference §10.2 (tags 2000, 2100, 2101, 2115).
type MarkingCode struct {
	Text    string // all of it, group separators (0x1D) included
	Kind    uint8  // tag 2100; 0 is not recognized
	GTIN    string // of the goods, 14 digits; empty where it is not recognized
	Product string // tag 2101: GTIN and serial number, without what proves them; at most 38 characters
	Control string // tag 2115, four characters; empty where the code has none
}

// The kinds of marking codes, values of tag 2100.
const (
	CodeUnknown      uint8 = 0
	CodeShort        uint8 = 1 // nothing proves it
	CodeProof88      uint8 = 2 // 88 characters, which a drive can check
	CodeProof44      uint8 = 3 // 44 characters, which a drive cannot check
	CodeDriveProof44 uint8 = 4 // 44 characters, which a drive can check
	CodeProof4       uint8 = 5 // four characters
)

// groupSeparator ends a field of variable length.
const groupSeparator = "\x1d"

// The longest serial number and the longest code, in characters.
const (
	maxSerial = 20
	maxCode   = 256
)

// ParseMarkingCode takes a code apart: GTIN (01) and serial number (21) in front,
// behind them, each after a separator, the key's name (91) and the proof (92), or
// a proof of four characters (93). Anything else is CodeUnknown.
func ParseMarkingCode(text string) MarkingCode {
	c := MarkingCode{Text: text}
	fields := strings.Split(strings.TrimPrefix(text, groupSeparator), groupSeparator)
	front := fields[0]
	if len(text) > maxCode || len(front) <= 18 || front[:2] != "01" || front[16:18] != "21" || !allDigits(front[2:16]) || len(front) > 18+maxSerial {
		return c
	}
	c.GTIN, c.Product, c.Kind = front[2:16], front, CodeShort
	key := ""
	for _, f := range fields[1:] {
		switch {
		case strings.HasPrefix(f, "91") && len(f) == 6:
			key = f[2:]
		case strings.HasPrefix(f, "92") && len(f) == 2+88:
			c.Kind = CodeProof88
		case strings.HasPrefix(f, "92") && len(f) == 2+44 && strings.HasPrefix(key, "EE"):
			c.Kind = CodeDriveProof44
		case strings.HasPrefix(f, "92") && len(f) == 2+44:
			c.Kind = CodeProof44
		case strings.HasPrefix(f, "93") && len(f) == 6:
			c.Kind, key = CodeProof4, f[2:]
		}
	}
	c.Control = key
	return c
}

// DriveChecks reports whether a fiscal drive can check such a code by itself.
func (c *MarkingCode) DriveChecks() bool {
	return c.Kind == CodeProof88 || c.Kind == CodeDriveProof44
}

// GTINRight reports whether the last digit of the GTIN checks the others.
func (c *MarkingCode) GTINRight() bool {
	if len(c.GTIN) != 14 {
		return false
	}
	sum := 0
	for i := range 13 {
		weight := 3 - 2*(i%2)
		sum += weight * int(c.GTIN[i]-'0')
	}
	return (10-sum%10)%10 == int(c.GTIN[13]-'0')
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
