package ffd

import (
	"fmt"
	"reflect"
	"strconv"

	"openofd/internal/fiscal"
)

// Raw is a requisite as it stands on the wire.
type Raw struct {
	Tag   Tag
	Value []byte
}

// Append writes a document of a form and version from one of the structs of
// documents.go, or one like them, in the order of its fields. A field whose
// value is zero is written only where the order requires the requisite; a
// pointer that is not nil is always written. TagSign is written last and only
// if it is given, for it is made over the others.
//
// A field that is set although the version does not define it is an error,
// which is Invalid and names the tag.
func Append(to []byte, f Form, v Version, doc any) ([]byte, error) {
	s := shapeFor(f, v)
	if s == nil {
		return to, &fiscal.Error{Reason: fiscal.BadValue, Field: "form", Msg: fmt.Sprintf("there is no form %d in version %s", f, v)}
	}
	w := NewWriter(f)
	m := marshaler{w: w, v: v}
	m.fields(s, reflect.Indirect(reflect.ValueOf(doc)))
	b, err := w.Bytes()
	return append(to, b...), err
}

type marshaler struct {
	w *Writer
	v Version
}

// tagged is the tag of a struct field; ok is false for one without.
func tagged(f reflect.StructField) (t Tag, ok bool) {
	n, err := strconv.ParseUint(f.Tag.Get("ffd"), 10, 16)
	return Tag(n), err == nil
}

var (
	typeOfTime    = reflect.TypeFor[fiscal.WallTime]()
	typeOfDecimal = reflect.TypeFor[Decimal]()
	typeOfRaw     = reflect.TypeFor[[]Raw]()
	typeOfBytes   = reflect.TypeFor[[]byte]()
)

func (m *marshaler) fields(s *shape, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch t, ok := tagged(f); {
		case ok:
			m.field(s, t, v.Field(i))
		case f.Anonymous:
			m.fields(s, v.Field(i))
		case f.Type == typeOfRaw:
			for _, r := range v.Field(i).Interface().([]Raw) {
				m.w.Raw(r.Tag, r.Value)
			}
		}
	}
}

func (m *marshaler) field(s *shape, t Tag, v reflect.Value) {
	row := s.row(t)
	if row == 0 {
		if !v.IsZero() {
			m.w.fail(t, fmt.Sprintf("has no place in %d in version %s", s.in, m.v))
		}
		return
	}
	r := s.at(row)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		m.value(t, r.def, v.Elem())
		return
	}
	if v.Kind() == reflect.Slice && v.Type() != typeOfBytes {
		for i := range v.Len() {
			m.value(t, r.def, v.Index(i))
		}
		return
	}
	if v.IsZero() && (r.need != Required || r.def.Type == Bytes) {
		return
	}
	m.value(t, r.def, v)
}

func (m *marshaler) value(t Tag, def *Definition, v reflect.Value) {
	switch v.Type() {
	case typeOfTime:
		m.w.Time(t, v.Interface().(fiscal.WallTime))
		return
	case typeOfDecimal:
		m.w.Decimal(t, v.Interface().(Decimal))
		return
	case typeOfBytes:
		m.w.Raw(t, v.Bytes())
		return
	}
	switch v.Kind() {
	case reflect.String:
		m.w.Text(t, v.String())
	case reflect.Bool:
		n := uint64(0)
		if v.Bool() {
			n = 1
		}
		m.w.uint(t, def, n)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		m.w.uint(t, def, v.Uint())
	case reflect.Int64: // money
		if v.Int() < 0 {
			m.w.fail(t, fmt.Sprintf("%d is negative", v.Int()))
			return
		}
		m.w.uint(t, def, uint64(v.Int()))
	case reflect.Struct:
		m.w.Begin(t)
		m.fields(def.inner[m.v], v)
		m.w.End()
	default:
		m.w.fail(t, "no such type of field: "+v.Type().String())
	}
}

// Read fills one of the structs of documents.go, or one like them, from a
// document. What has no field in the struct, nor in a list of Raw beside, is
// left out; a value that cannot be read leaves its field as it was.
func (d *Document) Read(into any) {
	d.read(0, len(d.nodes), reflect.ValueOf(into).Elem())
}

func (d *Document) read(from, to int, v reflect.Value) {
	for i := from; i < to; i = int(d.nodes[i].next) {
		n := &d.nodes[i]
		if f := fieldOf(v, n.tag); f.IsValid() {
			d.readNode(i, f)
		} else if rest := restOf(v); rest.IsValid() {
			rest.Set(reflect.Append(rest, reflect.ValueOf(Raw{n.tag, d.value(n)})))
		}
	}
}

// fieldOf is the field of a struct for a tag, its embedded structs included.
func fieldOf(v reflect.Value, t Tag) reflect.Value {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if n, ok := tagged(f); ok && n == t {
			return v.Field(i)
		} else if !ok && f.Anonymous {
			if found := fieldOf(v.Field(i), t); found.IsValid() {
				return found
			}
		}
	}
	return reflect.Value{}
}

// restOf is the list of Raw of a struct.
func restOf(v reflect.Value) reflect.Value {
	for i := range v.NumField() {
		if v.Type().Field(i).Type == typeOfRaw {
			return v.Field(i)
		} else if v.Type().Field(i).Anonymous {
			if found := restOf(v.Field(i)); found.IsValid() {
				return found
			}
		}
	}
	return reflect.Value{}
}

func (d *Document) readNode(i int, f reflect.Value) {
	switch {
	case f.Kind() == reflect.Pointer:
		e := reflect.New(f.Type().Elem())
		d.readNode(i, e.Elem())
		f.Set(e)
		return
	case f.Kind() == reflect.Slice && f.Type() != typeOfBytes:
		e := reflect.New(f.Type().Elem())
		d.readNode(i, e.Elem())
		f.Set(reflect.Append(f, e.Elem()))
		return
	}
	n := &d.nodes[i]
	b := d.value(n)
	switch f.Type() {
	case typeOfTime:
		f.SetInt(int64(wallTimeOf(b)))
		return
	case typeOfDecimal:
		x, _ := decimalOf(b)
		f.Set(reflect.ValueOf(x))
		return
	case typeOfBytes:
		f.SetBytes(b)
		return
	}
	switch f.Kind() {
	case reflect.String:
		f.SetString(d.text(n))
	case reflect.Bool:
		f.SetBool(uintOf(b) != 0)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if u := uintOf(b); !f.OverflowUint(u) {
			f.SetUint(u)
		}
	case reflect.Int64:
		m, _ := moneyOf(b)
		f.SetInt(int64(m))
	case reflect.Struct:
		d.read(i+1, int(n.next), f)
	}
}
