package ffd

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
)

// notOurs are members that others add to a document's JSON.
var notOurs = []string{
	"code", "receiptCode", "bsoCode", "receiptCorrectionCode", "bsoCorrectionCode",
	"messageFiscalSign", "rawData", "metadata", "region", "numberKkt", "redefine_mask",
}

// FromJSON writes a document from its JSON: the requisites in the order of the
// members, by their names, older names or tagNNNN. v is the version of a
// document that does not state one. Wrapped documents are unwrapped, one value
// in place of an array is taken, and members that the tax service adds are
// passed over. What is not a document is Invalid and names the member.
func FromJSON(text []byte, v Version) ([]byte, error) {
	name, body, err := only(text)
	if err == nil && name == "document" {
		name, body, err = only(body)
	}
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(forms[:], func(f FormInfo) bool { return f.Name == name })
	if at < 0 {
		return nil, badJSON(name, "no form has this name")
	}
	var head struct {
		Version *byte `json:"fiscalDocumentFormatVer"`
	}
	if json.Unmarshal(body, &head) == nil && head.Version != nil {
		v = versionOf(*head.Version)
	}
	f := forms[at].Form
	if f.Marks() {
		v = V120
	}
	s := shapeFor(f, v)
	if s == nil {
		return nil, badJSON("fiscalDocumentFormatVer", "no such version")
	}
	w := NewWriter(f)
	if err := fromObject(w, s, v, body, 1); err != nil {
		return nil, err
	}
	return w.Bytes()
}

func badJSON(member, why string) error {
	return &fiscal.Error{Reason: fiscal.BadValue, Field: member, Msg: why}
}

// only is the one member of an object.
func only(text []byte) (name string, value json.RawMessage, err error) {
	err = members(text, func(n string, v json.RawMessage) error {
		if name != "" {
			return badJSON(n, "a document has one member, its form")
		}
		name, value = n, v
		return nil
	})
	if err == nil && name == "" {
		err = badJSON("", "a document has one member, its form")
	}
	return name, value, err
}

// members gives the members of an object in their order.
func members(text []byte, each func(name string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return badJSON("", "no JSON object")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return badJSON("", err.Error())
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return badJSON(fmt.Sprint(name), err.Error())
		}
		if err := each(name.(string), value); err != nil {
			return err
		}
	}
	return nil
}

func fromObject(w *Writer, s *shape, v Version, text []byte, depth int) error {
	if depth > MaxDepth {
		return badJSON("", "nests too deep")
	}
	return members(text, func(name string, value json.RawMessage) error {
		if depth == 1 && slices.Contains(notOurs, name) {
			return nil
		}
		def, tag := named(s, name)
		if tag == 0 {
			return badJSON(name, "no requisite has this name here")
		}
		if value[0] != '[' {
			return fromValue(w, def, tag, v, name, value, depth)
		}
		var all []json.RawMessage
		if err := json.Unmarshal(value, &all); err != nil {
			return badJSON(name, err.Error())
		}
		for _, one := range all {
			if err := fromValue(w, def, tag, v, name, one, depth); err != nil {
				return err
			}
		}
		return nil
	})
}

// named finds a requisite by a member's name: the one that the version has
// here, else one that another version has here, else any with that number.
func named(s *shape, name string) (*Definition, Tag) {
	all := dict.byName[s.in][name]
	for _, def := range all {
		if row := s.row(def.Tag); row != 0 && s.at(row).def == def {
			return def, def.Tag
		}
	}
	if len(all) > 0 {
		return all[0], all[0].Tag
	}
	digits, ok := strings.CutPrefix(name, "tag")
	if n, err := strconv.ParseUint(digits, 10, 16); ok && err == nil {
		return elsewhere(s, Tag(n)), Tag(n)
	}
	for i := range dict.definitions {
		if def := &dict.definitions[i]; def.Name == name {
			return def, def.Tag
		}
	}
	return nil, 0
}

func fromValue(w *Writer, def *Definition, tag Tag, v Version, name string, value json.RawMessage, depth int) error {
	value = bytes.TrimSpace(value)
	switch {
	case def == nil || def.Type == Bytes && tag != TagSign:
		var b []byte
		if err := json.Unmarshal(value, &b); err != nil {
			return badJSON(name, "not base64")
		}
		w.Raw(tag, b)
	case def.Type == STLV:
		w.Begin(tag)
		if err := fromObject(w, def.inner[v], v, value, depth+1); err != nil {
			return err
		}
		w.End()
	case def.Type == Text:
		text, err := textFrom(tag, value)
		if err != nil {
			return badJSON(name, err.Error())
		}
		w.Text(tag, text)
	case tag == TagSign:
		n, err := strconv.ParseUint(string(value), 10, 32)
		if err != nil {
			return badJSON(name, "not the number of a fiscal sign")
		}
		w.Raw(tag, binary.BigEndian.AppendUint32(signPrefix(Form(binary.LittleEndian.Uint16(w.b))), uint32(n)))
	case def.Type == FVLN:
		d, ok := ParseDecimal(string(value))
		if !ok {
			return badJSON(name, "not a number with up to seven decimals")
		}
		w.Decimal(tag, d)
	default:
		n, err := strconv.ParseUint(string(value), 10, 64)
		if err != nil {
			return fromRaw(w, tag, name, value)
		}
		w.uint(tag, def, n)
	}
	if w.err != nil {
		return badJSON(name, w.err.Msg)
	}
	return nil
}

// fromRaw writes a value that stands as base64 where a number belongs, for it
// could not be read as one.
func fromRaw(w *Writer, tag Tag, name string, value json.RawMessage) error {
	var s string
	if json.Unmarshal(value, &s) != nil {
		return badJSON(name, "not a whole number")
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return badJSON(name, "not a whole number")
	}
	w.Raw(tag, b)
	return nil
}

// textFrom reads a text; the codes of goods stand in an object.
func textFrom(tag Tag, value json.RawMessage) (s string, err error) {
	if productCode(tag) && value[0] == '{' {
		var code struct {
			Raw string `json:"rawProductCode"`
		}
		err = json.Unmarshal(value, &code)
		return code.Raw, err
	}
	err = json.Unmarshal(value, &s)
	return s, err
}

// signPrefix is what stands before the printed number in tag 1077.
func signPrefix(f Form) []byte {
	if f.Registers() {
		return []byte{0x21, 0x04}
	}
	return []byte{0x31, 0x04}
}

// ParseDecimal reads a number like 0.355; ok is false for anything else, a sign
// and an exponent included.
func ParseDecimal(s string) (d Decimal, ok bool) {
	whole, digits, point := strings.Cut(s, ".")
	if point && digits == "" || whole == "" || len(digits) > maxPlaces {
		return Decimal{}, false
	}
	n, err := strconv.ParseUint(whole+digits, 10, 64)
	return Decimal{Digits: n, Places: uint8(len(digits))}, err == nil
}
