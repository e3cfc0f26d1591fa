package ffd

import (
	"encoding/hex"
	"strings"
)

// Explanation is a document in readable form with every rule that it breaks.
type Explanation struct {
	Form       Form        `json:"form"`
	Name       string      `json:"name"`
	RU         string      `json:"ru,omitempty"`
	EN         string      `json:"en,omitempty"`
	Version    string      `json:"version"`
	Code       uint8       `json:"code"` // of the acknowledgement: 0, 11 or 14
	Requisites []Requisite `json:"requisites"`
	Findings   []Finding   `json:"findings"`
	More       int         `json:"more,omitempty"` // findings left out
}

// Requisite is one requisite in readable form.
type Requisite struct {
	Offset     int         `json:"offset"` // of its tag, in the document's bytes
	Tag        Tag         `json:"tag"`
	Name       string      `json:"name,omitempty"` // in JSON
	RU         string      `json:"ru,omitempty"`
	EN         string      `json:"en,omitempty"`
	Type       Type        `json:"type,omitempty"`
	Length     int         `json:"length"`
	Value      string      `json:"value,omitempty"`   // amounts with a point, times as a clock shows them
	Meaning    *Meaning    `json:"meaning,omitempty"` // of an enumeration or a mask
	Hex        string      `json:"hex,omitempty"`     // of what cannot be worded
	Requisites []Requisite `json:"requisites,omitempty"`
}

// Meaning is what a value of an enumeration stands for.
type Meaning struct {
	RU string `json:"ru"`
	EN string `json:"en"`
}

// Explain makes a document readable and says which rules it breaks. It takes
// any input; of a document that breaks off it shows what could be read.
func Explain(raw []byte, unstated Version, in Circumstances) Explanation {
	var d Document
	_ = d.Parse(raw, unstated) // a break is the first finding
	return d.Explain(in)
}

// Explain is the document in readable form.
func (d *Document) Explain(in Circumstances) Explanation {
	v := d.Check(in)
	e := Explanation{
		Form: d.Form, Name: d.Form.String(), Version: d.Version.String(), Code: v.Code(),
		Requisites: d.explain(0, len(d.nodes)), Findings: v.Findings, More: v.More,
	}
	if e.Findings == nil {
		e.Findings = []Finding{}
	}
	if i := d.Form.info(); i != nil {
		e.RU, e.EN = i.RU, i.EN
	}
	return e
}

func (d *Document) explain(from, to int) []Requisite {
	all := []Requisite{}
	for i := from; i < to; i = int(d.nodes[i].next) {
		n := &d.nodes[i]
		b := d.value(n)
		q := Requisite{Offset: int(n.off) - headLen, Tag: n.tag, Length: len(b)}
		def := n.def()
		if def == nil {
			q.Hex = hex.EncodeToString(b)
			all = append(all, q)
			continue
		}
		q.Name, q.RU, q.EN, q.Type = def.JSONName(), def.RU, def.EN, def.Type
		switch {
		case def.Type == STLV && !n.deep:
			q.Requisites = d.explain(i+1, int(n.next))
		case def.Type == STLV || def.Type == Bytes || !def.fits(b).readable():
			q.Hex = hex.EncodeToString(b)
			if n.tag == TagSign {
				q.Value = d.worded(n)
			}
		default:
			q.Value = d.worded(n)
			q.Meaning = def.meaning(b)
		}
		all = append(all, q)
	}
	return all
}

// meaning words a value by the table, nil where there is nothing to word.
func (def *Definition) meaning(b []byte) *Meaning {
	if def.Values == nil {
		return nil
	}
	n := uint32(uintOf(b))
	if def.Type == Byte {
		for _, v := range def.Values {
			if v.N == n {
				return &Meaning{v.RU, v.EN}
			}
		}
		return nil
	}
	var ru, en []string
	for _, v := range def.Values {
		if n&v.N != 0 {
			ru, en = append(ru, v.RU), append(en, v.EN)
		}
	}
	if len(ru) == 0 {
		return nil
	}
	return &Meaning{strings.Join(ru, ", "), strings.Join(en, ", ")}
}
