package ffd

import "unicode/utf8"

// upper866 are the characters of the bytes 0x80 to 0xFF of code page 866, in
// which texts travel. The bytes below are those of ASCII, control characters
// included: a marking code holds 0x1D. Every byte has a character, so any text
// can be read and written back.
const upper866 = "" +
	"АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ" +
	"абвгдежзийклмноп░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" +
	"└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀" +
	"рстуфхцчшщъыьэюяЁёЄєЇїЎў°∙·√№¤■\u00a0"

// codePage leads from bytes to characters and back.
type codePage struct {
	runes [256]rune
	bytes map[rune]byte
}

var cp866 = newCodePage(upper866)

func newCodePage(upper string) *codePage {
	p := &codePage{bytes: make(map[rune]byte, 256)}
	for i := range 128 {
		p.runes[i] = rune(i)
	}
	i := 128
	for _, r := range upper {
		p.runes[i] = r
		i++
	}
	if i != 256 {
		panic("ffd: the upper half of a code page has 128 characters")
	}
	for b, r := range p.runes {
		p.bytes[r] = byte(b)
	}
	return p
}

// DecodeText is a text of the wire as UTF-8, padding and all.
func DecodeText(b []byte) string { return string(AppendText(nil, b)) }

// AppendText appends a text of the wire as UTF-8.
func AppendText(to, b []byte) []byte {
	for _, c := range b {
		to = utf8.AppendRune(to, cp866.runes[c])
	}
	return to
}

// EncodeText appends s in the wire's code page; ok is false when s holds a
// character that the page lacks. Such a character is written as a question
// mark.
func EncodeText(to []byte, s string) (b []byte, ok bool) {
	ok = true
	for _, r := range s {
		c, found := cp866.bytes[r]
		if !found {
			c, ok = '?', false
		}
		to = append(to, c)
	}
	return to, ok
}
