package kkm

import "google.golang.org/protobuf/encoding/protowire"

// trim124 returns the payload of a request without the fields that builds of
// 1.2.4 use in another sense than the set: ExtensionOptions 3 (there a string,
// the buyer's IIN), CloseShiftRequest 5 (there a number, the printed
// document's) and StornoCommodity 8 (there a string, the excise stamp). It does
// so only if such a payload breaks the form with these fields and keeps it
// without them.
func trim124(h Header, payload []byte) ([]byte, bool) {
	if h.Version >= V125 || requestShape.check(payload, HeaderLen) == nil {
		return payload, false
	}
	trimmed := requestShape.trim(payload)
	if requestShape.check(trimmed, HeaderLen) != nil {
		return payload, false
	}
	return trimmed, true
}

// trim copies a message without the foreign fields. What cannot be read stays
// as it is.
func (s *shape) trim(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		num, wire, n := protowire.ConsumeTag(b)
		if n < 0 {
			return append(out, b...)
		}
		m := protowire.ConsumeFieldValue(num, wire, b[n:])
		if m < 0 {
			return append(out, b...)
		}
		f := s.field(num)
		switch {
		case s.foreign124(num):
		case f != nil && f.sub != nil && wire == protowire.BytesType:
			body, _ := protowire.ConsumeBytes(b[n:])
			out = protowire.AppendTag(out, num, wire)
			out = protowire.AppendBytes(out, f.sub.trim(body))
		default:
			out = append(out, b[:n+m]...)
		}
		b = b[n+m:]
	}
	return out
}

func (s *shape) foreign124(num protowire.Number) bool {
	switch s.name {
	case "TicketRequest.ExtensionOptions":
		return num == 3
	case "CloseShiftRequest":
		return num == 5
	case "TicketRequest.StornoCommodity":
		return num == 8
	}
	return false
}
