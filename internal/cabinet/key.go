package cabinet

import (
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"openofd/internal/fiscal"
)

// Key is one thing by which documents of a taxpayer are found, in the order of
// time: a sign, a number, a sum, a cashier, the beginning of a word. It is a
// hash of 64 bits, so that every kind of question has one index of numbers.
type Key int64

// What keys are made of.
const (
	keySign   = 's' // a fiscal sign
	keyNumber = 'n' // a number on paper, of whoever counted
	keyTotal  = 't'
	keyPerson = 'c' // a cashier
	keyWord   = 'w' // the first letters of a word
	keyKind   = 'k' // a kind that is not a receipt
	keyOp     = 'o' // a settlement that is not a sale
	keyShift  = 'h'
	keyMark   = 'm' // offline, canceled, with findings
)

// The marks of documents.
const (
	markOffline uint64 = iota + 1
	markCanceled
	markFinding
)

func textKey(kind byte, s string) Key {
	h := fnv.New64a()
	_, _ = h.Write([]byte{kind}) // a hash never fails
	_, _ = h.Write([]byte(s))
	return Key(h.Sum64())
}

func numberKey(kind byte, all ...uint64) Key {
	var b [16]byte
	s := b[:0]
	for _, v := range all {
		s = binary.BigEndian.AppendUint64(s, v)
	}
	return textKey(kind, string(s))
}

func shiftKey(r fiscal.RegisterID, shift uint32) Key {
	return numberKey(keyShift, uint64(r), uint64(shift))
}

func personKey(name string) Key { return textKey(keyPerson, strings.ToLower(name)) }

// wordRunes is how much of a word is its key: enough to be rare, and few enough
// that most endings of a language come after it.
const wordRunes = 4

func wordKey(word string) Key {
	n := 0
	for i := range word {
		if n == wordRunes {
			word = word[:i]
			break
		}
		n++
	}
	return textKey(keyWord, word)
}

// words are the words of a text as keys know them: lower case, letters and
// digits.
func words(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// Keys are those of a document. That it was canceled comes later, see CanceledKey.
func (d *Document) Keys() []Key {
	var all []Key
	add := func(k Key) {
		if !slices.Contains(all, k) {
			all = append(all, k)
		}
	}
	add(shiftKey(d.Register, d.Shift))
	if d.Kind != fiscal.DocReceipt {
		add(numberKey(keyKind, uint64(d.Kind)))
	}
	if d.Op > fiscal.OpSale {
		add(numberKey(keyOp, uint64(d.Op)))
	}
	if d.Kind == fiscal.DocReceipt || d.Kind == fiscal.DocCashMove {
		add(numberKey(keyTotal, uint64(d.Total)))
	}
	if d.FiscalSign != 0 {
		add(numberKey(keySign, d.FiscalSign))
	}
	if d.DeviceNumber != 0 {
		add(numberKey(keyNumber, d.DeviceNumber))
	}
	if n, err := strconv.ParseUint(d.Printed, 10, 64); err == nil {
		add(numberKey(keyNumber, n))
	} else {
		add(numberKey(keyNumber, uint64(d.Number)))
	}
	if d.Cashier != "" {
		add(personKey(d.Cashier))
	}
	if d.Offline() {
		add(numberKey(keyMark, markOffline))
	}
	if d.Findings() != 0 {
		add(numberKey(keyMark, markFinding))
	}
	had := len(all)
	for _, w := range words(d.Goods) {
		if len(all)-had == maxWords {
			break
		}
		if utf8.RuneCountInString(w) > 1 {
			add(wordKey(w))
		}
	}
	return all
}

// CanceledKey finds documents that were taken back.
func CanceledKey() Key { return numberKey(keyMark, markCanceled) }
