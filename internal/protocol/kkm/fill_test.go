package kkm_test

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// fill sets every field of a message and of those in it, lists twice, each
// value another one.
func fill(m protoreflect.Message, n int) protoreflect.Message {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		n = n*31%1_000_003 + i
		if !fd.IsList() {
			m.Set(fd, fillValue(m.NewField(fd), fd, n))
			continue
		}
		list := m.Mutable(fd).List()
		for k := range 2 {
			list.Append(fillValue(list.NewElement(), fd, n+k))
		}
	}
	return m
}

func fillValue(v protoreflect.Value, fd protoreflect.FieldDescriptor, n int) protoreflect.Value {
	switch fd.Kind() {
	case protoreflect.MessageKind:
		return protoreflect.ValueOfMessage(fill(v.Message(), n))
	case protoreflect.EnumKind:
		values := fd.Enum().Values()
		return protoreflect.ValueOfEnum(values.Get(n % values.Len()).Number())
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(n%2 == 1)
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(fmt.Sprintf("мәтін %d", n))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte{byte(n), 0xFF})
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(-n)) // ten bytes on the wire
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(uint32(n))
	}
	return protoreflect.ValueOfUint64(uint64(n) << 40)
}
