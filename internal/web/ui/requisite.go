package ui

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"openofd/internal/fiscal"
)

// Requisite is a named requisite in words. A group has Children and no Value.
type Requisite struct {
	Key, Title, Value string
	Plain             string // the value for programs: amounts with a point, times without a zone
	Code              string // what Value words, as the register wrote it; empty where nothing is worded
	Sum               bool   // Value is an amount
	Children          []Requisite
}

// Requisites words those of a list that we have words for, of a document made
// at a time: what a number stood for changes. Children of what has a value of
// its own follow it; those of a group stay in it. What a device sent under
// names of its own is not for buyers.
func (l *Locale) Requisites(list []fiscal.Requisite, at fiscal.WallTime) []Requisite {
	var out []Requisite
	for i := range list {
		q := &list[i]
		key := "requisite." + q.Key
		children := l.Requisites(q.Children, at)
		switch {
		case !l.Has(key) || q.Value == "" && len(children) == 0:
		case q.Value == "":
			out = append(out, Requisite{Key: q.Key, Title: l.T(key), Children: children})
			continue
		default:
			out = append(out, l.requisite(q, key, at))
		}
		out = append(out, children...)
	}
	return out
}

// raised is the day from which the main rate of VAT in Russia is 20 % in the
// place of 18 %; the numbers of the rates stayed. Source: law 303-FZ.
const raised fiscal.WallTime = 1_546_300_800 // 1 January 2019

func (l *Locale) requisite(q *fiscal.Requisite, key string, at fiscal.WallTime) Requisite {
	word := func(key string) string {
		if old := key + ".2018"; at < raised && l.Has(old) {
			return l.T(old)
		}
		return l.T(key)
	}
	r := Requisite{Key: q.Key, Title: word(key), Value: q.Value}
	switch {
	case q.Personal:
		r.Value = Masked(q.Value)
	case q.Type == fiscal.ValueMoney:
		if m, err := fiscal.ParseMoney(q.Value); err == nil {
			r.Value, r.Sum, r.Plain = l.Rubles(m), true, q.Value
		}
	case q.Type == fiscal.ValueTime:
		if t, err := time.Parse(time.DateTime, q.Value); err == nil {
			r.Plain = t.Format("2006-01-02T15:04:05")
			r.Value = strings.TrimSuffix(l.Minute(fiscal.WallIn(t, time.UTC)), nbsp+"00:00")
		}
	case q.Type == fiscal.ValueMask:
		r.Value, r.Code = l.bits(key, q.Value), q.Value
	case l.Has(key + "." + q.Value):
		r.Value, r.Code = word(key+"."+q.Value), q.Value
	}
	if r.Plain == "" {
		r.Plain = r.Value
	}
	return r
}

// bits words the bits of a mask that we have words for; one without any is
// shown as it is.
func (l *Locale) bits(key, value string) string {
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil {
		return value
	}
	var words []string
	for bit := uint64(1); bit <= n; bit <<= 1 {
		if k := key + "." + strconv.FormatUint(bit, 10); n&bit != 0 && l.Has(k) {
			words = append(words, l.T(k))
		}
	}
	if words == nil {
		return value
	}
	return strings.Join(words, ", ")
}

// Masked is data of a buyer with so much of it hidden that its owner knows it
// and nobody else does: the last four digits of a number, the first letter of
// each word, the first letter and the host of an e-mail address.
func Masked(s string) string {
	if name, host, mail := strings.Cut(s, "@"); mail && name != "" {
		return string([]rune(name)[:1]) + "•••@" + host
	}
	if strings.ContainsFunc(s, unicode.IsLetter) {
		words := strings.Fields(s)
		for i, w := range words {
			words[i] = string([]rune(w)[:1]) + "•••"
		}
		return strings.Join(words, " ")
	}
	r := []rune(s)
	shown := 4
	if len(r) <= shown {
		shown = 0
	}
	return strings.Repeat("•", len(r)-shown) + string(r[len(r)-shown:])
}
