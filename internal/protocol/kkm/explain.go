package kkm

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"openofd/internal/protocol/kkm/kkmpb"
)

// Direction says which way a frame goes.
type Direction string

const (
	DirectionUnknown  Direction = ""
	DirectionRequest  Direction = "request"
	DirectionResponse Direction = "response"
)

// Severity says what a finding costs.
type Severity string

const (
	SeverityError   Severity = "error"   // the frame is refused, or some peers cannot read it
	SeverityWarning Severity = "warning" // the frame is read, but not as its maker may think
)

// Explanation is a frame in readable form with everything that is wrong with
// its form. What a document means, and whether it would be accepted, is not
// looked at.
type Explanation struct {
	Direction Direction       `json:"direction,omitempty"`
	Header    *HeaderFields   `json:"header,omitempty"`  // nil if the frame is too short for one
	Payload   json.RawMessage `json:"payload,omitempty"` // as much of it as can be read
	Findings  []Finding       `json:"findings"`
}

// OK reports whether no finding is an error.
func (e Explanation) OK() bool { return countErrors(e.Findings) == 0 }

// HeaderFields are the fields of a header under their names in the protocol.
type HeaderFields struct {
	AppCode string `json:"APPCODE"` // in hex
	Version uint16 `json:"VERSION"`
	Size    uint32 `json:"SIZE"`
	ID      uint32 `json:"ID"`
	Token   uint32 `json:"TOKEN"`
	ReqNum  uint16 `json:"REQNUM"`
}

// Finding is one byte, or the place where one is missing, that breaks a rule.
type Finding struct {
	Severity Severity       `json:"severity"`
	Offset   int            `json:"offset"`          // in the frame, from 0
	Field    string         `json:"field,omitempty"` // header field, or path in the payload
	Rule     string         `json:"rule"`            // where the protocol says so
	Why      string         `json:"why"`             // in English
	Key      string         `json:"key"`             // names the sentence, to word it elsewhere
	Args     map[string]any `json:"args,omitempty"`  // what stands in the sentence
}

// The sources that findings name.
const (
	ruleHeader   = "KKM 2.0.2 §2.2"
	ruleQuantity = "KKM 2.0.2 §3.3.2"
	ruleMoney    = "KKM 2.0.2 §4.4"
	ruleTables   = "KKM 2.0.2, tables of messages"
	ruleCommands = "KKM 2.0.2, table of commands"
	ruleResults  = "KKM 2.0.2, table of result codes"
	ruleEncoding = "Protocol Buffers encoding"
)

// Explain makes a frame readable and says which byte breaks which rule. It
// finds out by itself whether the frame is a request or an answer: the one it
// reads as with fewer errors, a request when both fit. It takes any input.
func Explain(frame []byte) Explanation {
	return ExplainAs(frame, DirectionUnknown)
}

// ExplainAs is Explain for a frame whose direction is known.
func ExplainAs(frame []byte, d Direction) Explanation {
	e := Explanation{Findings: []Finding{}}
	if len(frame) < HeaderLen {
		e.Findings = append(e.Findings, headerTooShort(frame))
		return e
	}
	h, _ := ParseHeader(frame)
	e.Header = &HeaderFields{
		AppCode: fmt.Sprintf("0x%04X", binary.LittleEndian.Uint16(frame)),
		Version: uint16(h.Version), Size: h.Size, ID: h.ID, Token: h.Token, ReqNum: h.ReqNum,
	}
	e.Findings = append(e.Findings, explainHeader(frame, h)...)

	payload := explained(frame, h)
	var findings []Finding
	e.Direction, findings = explainPayload(h, payload, d)
	e.Findings = append(e.Findings, findings...)
	if e.Direction == DirectionResponse {
		e.Payload = readable(new(kkmpb.Response), responseShape, payload)
	} else {
		payload, _ = trim124(h, payload)
		e.Payload = readable(new(kkmpb.Request), requestShape, payload)
	}
	return e
}

// explained is the payload by SIZE, or by the frame's end where SIZE is wrong.
func explained(frame []byte, h Header) []byte {
	size, have := int64(h.Size), int64(len(frame))
	if size < HeaderLen || size > have || size == have-HeaderLen {
		size = have
	}
	return frame[HeaderLen:size]
}

func explainPayload(h Header, payload []byte, d Direction) (Direction, []Finding) {
	var asRequest, asResponse []Finding
	if d != DirectionResponse {
		asRequest = inspectRequest(h, payload)
	}
	if d != DirectionRequest {
		asResponse = inspectResponse(h, payload)
	}
	if d == DirectionResponse || d == DirectionUnknown && countErrors(asResponse) < countErrors(asRequest) {
		return DirectionResponse, asResponse
	}
	return DirectionRequest, asRequest
}

func countErrors(findings []Finding) int {
	n := 0
	for _, f := range findings {
		if f.Severity == SeverityError {
			n++
		}
	}
	return n
}

func headerTooShort(frame []byte) Finding {
	return Finding{
		SeverityError, len(frame), "header", ruleHeader,
		fmt.Sprintf("the header has %d bytes, here are %d", HeaderLen, len(frame)),
		"header.short", args("want", HeaderLen, "got", len(frame)),
	}
}

// explainHeader looks at the fields of a header in their order.
func explainHeader(frame []byte, h Header) []Finding {
	var found []Finding
	add := func(off int, field, key, why string, kv ...any) {
		found = append(found, Finding{SeverityError, off, field, ruleHeader, why, key, args(kv...)})
	}
	if code := binary.LittleEndian.Uint16(frame); code == bits.ReverseBytes16(AppCode) {
		add(0, "APPCODE", "header.appcode.swapped", "the bytes are swapped: integers are little-endian, so 0x81A2 is A2 81 on the wire")
	} else if code != AppCode {
		add(0, "APPCODE", "header.appcode", fmt.Sprintf("0x%04X instead of 0x81A2: the connection is closed without an answer", code), "got", code)
	}
	if !h.Version.Known() {
		add(2, "VERSION", "header.version", fmt.Sprintf("%d (%s) is no version that is served: refused with code 3", uint16(h.Version), h.Version), "got", uint16(h.Version))
	}
	size, have := int64(h.Size), int64(len(frame))
	switch {
	case size == have:
	case size == have-HeaderLen:
		add(4, "SIZE", "header.size.payload", fmt.Sprintf("%d counts the payload alone: the %d bytes of the header belong to it, so %d", size, HeaderLen, have), "got", size, "want", have)
	case int64(bits.ReverseBytes32(h.Size)) == have:
		add(4, "SIZE", "header.size.swapped", fmt.Sprintf("the bytes are swapped: integers are little-endian, so %d begins with %02X", have, byte(have)), "want", have)
	case size < HeaderLen:
		add(4, "SIZE", "header.size.small", fmt.Sprintf("%d is less than the header's own %d bytes: the connection is closed without an answer", size, HeaderLen), "got", size, "want", HeaderLen)
	case size > DefaultMaxSize:
		add(4, "SIZE", "header.size.limit", fmt.Sprintf("%d is above the usual limit of %d: refused with code 3 from the header alone", size, DefaultMaxSize), "got", size, "limit", DefaultMaxSize)
	case size > have:
		add(len(frame), "SIZE", "frame.short", fmt.Sprintf("SIZE announces %d bytes, the frame ends after %d", size, have), "want", size, "got", have)
	default:
		found = append(found, trailing(frame, int(size)))
	}
	return found
}

// trailing judges what stands behind a whole frame.
func trailing(frame []byte, end int) Finding {
	rest := frame[end:]
	if len(rest) >= 2 && binary.LittleEndian.Uint16(rest) == AppCode {
		return Finding{
			SeverityWarning, end, "SIZE", ruleHeader,
			fmt.Sprintf("the frame ends here as SIZE says; what follows (%d bytes) begins like another frame and is not explained", len(rest)),
			"frame.next", args("left", len(rest)),
		}
	}
	return Finding{
		SeverityError, end, "SIZE", ruleHeader,
		fmt.Sprintf("SIZE ends the frame here, but %d bytes follow: they would be read as the next header", len(rest)),
		"frame.long", args("left", len(rest)),
	}
}

// readable is the payload as JSON with the protocol's field names, as far as
// it can be read.
func readable(msg proto.Message, s *shape, payload []byte) json.RawMessage {
	if err := (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(s.whole(payload), msg); err != nil {
		return nil
	}
	scrub(msg.ProtoReflect())
	text, err := protojson.MarshalOptions{UseProtoNames: true, AllowPartial: true}.Marshal(msg)
	if err != nil {
		return nil
	}
	// protojson varies its spaces on purpose; two runs have to print the same.
	var compact bytes.Buffer
	if json.Compact(&compact, text) != nil {
		return nil
	}
	return compact.Bytes()
}

// scrub replaces what is not UTF-8, which JSON cannot show.
func scrub(m protoreflect.Message) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsList():
			for i, list := 0, v.List(); i < list.Len(); i++ {
				if fd.Kind() == protoreflect.MessageKind {
					scrub(list.Get(i).Message())
				} else if s, bad := scrubbed(fd, list.Get(i)); bad {
					list.Set(i, s)
				}
			}
		case fd.Kind() == protoreflect.MessageKind:
			scrub(v.Message())
		default:
			if s, bad := scrubbed(fd, v); bad {
				m.Set(fd, s)
			}
		}
		return true
	})
}

func scrubbed(fd protoreflect.FieldDescriptor, v protoreflect.Value) (protoreflect.Value, bool) {
	if fd.Kind() != protoreflect.StringKind || utf8.ValidString(v.String()) {
		return v, false
	}
	return protoreflect.ValueOfString(strings.ToValidUTF8(v.String(), "\uFFFD")), true
}

// args makes a map of keys and values in turn.
func args(kv ...any) map[string]any {
	if len(kv) == 0 {
		return nil
	}
	m := make(map[string]any, len(kv)/2)
	for i := 0; i+1 < len(kv); i += 2 {
		m[kv[i].(string)] = kv[i+1]
	}
	return m
}
