package kkm

import (
	"fmt"
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"openofd/internal/protocol/kkm/kkmpb"
)

// The tables by which payloads are walked, made from the descriptors of kkmpb
// and never changed. One table serves the check of every request and the
// explanation of a bad one.
var (
	requestShape  = newShape((*kkmpb.Request)(nil).ProtoReflect().Descriptor())
	responseShape = newShape((*kkmpb.Response)(nil).ProtoReflect().Descriptor())
)

// shape is what the wire knows of one message type.
type shape struct {
	name     string  // as in the .proto: "TicketRequest.Item"
	fields   []field // by number; a field without a name is not in the set
	required uint64  // bit n: field n must be there. Holds, for no number exceeds 60
}

type field struct {
	name     string
	wire     protowire.Type // as the set has it; another one makes the field unknown
	text     bool           // must be UTF-8
	repeated bool
	max      uint64                      // largest number allowed, 0 for no limit
	enum     protoreflect.EnumDescriptor // nil for other kinds
	sub      *shape                      // nil for other kinds
}

// field returns the field with the number, or nil if the set has none.
func (s *shape) field(num protowire.Number) *field {
	if int(num) < len(s.fields) && s.fields[num].name != "" {
		return &s.fields[num]
	}
	return nil
}

func newShape(d protoreflect.MessageDescriptor) *shape {
	return shapeOf(d, make(map[protoreflect.FullName]*shape))
}

func shapeOf(d protoreflect.MessageDescriptor, made map[protoreflect.FullName]*shape) *shape {
	if s := made[d.FullName()]; s != nil {
		return s
	}
	s := &shape{name: strings.TrimPrefix(string(d.FullName()), string(d.ParentFile().Package())+".")}
	made[d.FullName()] = s
	for i := range d.Fields().Len() {
		fd := d.Fields().Get(i)
		num := int(fd.Number())
		if num >= len(s.fields) {
			s.fields = append(s.fields, make([]field, num+1-len(s.fields))...)
		}
		f := field{name: string(fd.Name()), repeated: fd.IsList(), enum: fd.Enum()}
		switch fd.Kind() {
		case protoreflect.MessageKind:
			f.wire, f.sub = protowire.BytesType, shapeOf(fd.Message(), made)
		case protoreflect.StringKind:
			f.wire, f.text = protowire.BytesType, true
		case protoreflect.BytesKind:
			f.wire = protowire.BytesType
		case protoreflect.Uint32Kind:
			f.wire, f.max = protowire.VarintType, math.MaxInt32
		case protoreflect.Uint64Kind:
			f.wire, f.max = protowire.VarintType, math.MaxInt64
		default:
			f.wire = protowire.VarintType
		}
		s.fields[num] = f
		if fd.Cardinality() == protoreflect.Required {
			s.required |= 1 << num
		}
	}
	return s
}

// path names a field for people: "items[1]" for the second of a list.
func (f *field) path(occurrence int) string {
	if f.repeated {
		return fmt.Sprintf("%s[%d]", f.name, occurrence)
	}
	return f.name
}

// under joins two parts of a path, either of which may be empty.
func under(upper, lower string) string {
	if upper == "" || lower == "" {
		return upper + lower
	}
	return upper + "." + lower
}
