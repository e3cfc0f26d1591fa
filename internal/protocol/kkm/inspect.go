package kkm

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"openofd/internal/protocol/kkm/kkmpb"
)

// maxFindings bounds an explanation: a megabyte of noise would otherwise make
// a finding for every byte.
const maxFindings = 50

// inspector walks a payload and notes everything that is wrong with it. Unlike
// check it goes on after an error: the length of a message tells where its
// neighbor begins.
type inspector struct {
	found   []Finding
	more    int  // findings left out
	trim124 bool // the fields that trim124 leaves out are passed over
}

func inspectRequest(h Header, payload []byte) []Finding {
	var x inspector
	_, x.trim124 = trim124(h, payload)
	seen := x.message(requestShape, payload, HeaderLen, "")
	if command, off, ok := lastVarint(payload, 1); ok {
		x.command(int32(command), HeaderLen+off, h.Version)
		if name := requestBody(int32(command)); name != "" && !has(requestShape, seen, name) {
			x.add(SeverityError, HeaderLen+off, name, ruleCommands, "command.body",
				fmt.Sprintf("%s needs the message %s, which is missing", commandName(int32(command)), name), "command", commandName(int32(command)))
		}
	}
	return x.result()
}

func inspectResponse(_ Header, payload []byte) []Finding {
	var x inspector
	seen := x.message(responseShape, payload, HeaderLen, "")
	msg := new(kkmpb.Response)
	if x.errors() > 0 || proto.Unmarshal(payload, msg) != nil {
		return x.result()
	}
	command, off, _ := lastVarint(payload, 1)
	if _, ok := kkmpb.CommandTypeEnum_name[int32(command)]; !ok {
		x.add(SeverityWarning, HeaderLen+off, "command", ruleCommands, "command.unknown",
			fmt.Sprintf("no command has the number %d", int32(command)), "got", int32(command))
	}
	if msg.GetResult().GetResultText() == "" {
		x.add(SeverityWarning, HeaderLen, "result.result_text", ruleResults, "answer.text", "there is no text for the cashier; some registers crash without it")
	}
	if name := responseBody(int32(command)); name != "" && msg.GetResult().GetResultCode() == 0 && !has(responseShape, seen, name) {
		x.add(SeverityError, HeaderLen+off, name, ruleCommands, "command.body",
			fmt.Sprintf("an answer 0 to %s needs the message %s, which is missing", commandName(int32(command)), name), "command", commandName(int32(command)))
	}
	return x.result()
}

// command judges the number of a request.
func (x *inspector) command(number int32, off int, v Version) {
	switch c := kkmpb.CommandTypeEnum(number); {
	case !knownCommand(number):
		x.add(SeverityError, off, "command", ruleCommands, "command.unknown",
			fmt.Sprintf("no command has the number %d: refused with code 4", number), "got", number)
	case c == kkmpb.CommandTypeEnum_COMMAND_OPEN_SHIFT, c == kkmpb.CommandTypeEnum_COMMAND_QR_GENERATE,
		c == kkmpb.CommandTypeEnum_COMMAND_QR_GET_STATUS, c == kkmpb.CommandTypeEnum_COMMAND_RESERVED,
		c == kkmpb.CommandTypeEnum_COMMAND_CANCEL_TICKET && v >= V203:
		x.add(SeverityWarning, off, "command", ruleCommands, "command.unsupported",
			fmt.Sprintf("%s is not offered to version %s: refused with code 5", commandName(number), v), "command", commandName(number))
	}
}

func commandName(number int32) string {
	return kkmpb.CommandTypeEnum(number).String()
}

// requestBody names the message that a request of the command needs.
func requestBody(command int32) string {
	switch kkmpb.CommandTypeEnum(command) {
	case kkmpb.CommandTypeEnum_COMMAND_TICKET:
		return "ticket"
	case kkmpb.CommandTypeEnum_COMMAND_CLOSE_SHIFT:
		return "close_shift"
	case kkmpb.CommandTypeEnum_COMMAND_REPORT:
		return "report"
	case kkmpb.CommandTypeEnum_COMMAND_NOMENCLATURE:
		return "nomenclature"
	case kkmpb.CommandTypeEnum_COMMAND_MONEY_PLACEMENT:
		return "money_placement"
	case kkmpb.CommandTypeEnum_COMMAND_AUTH:
		return "auth"
	}
	return ""
}

// responseBody names the message that an answer 0 to the command needs.
func responseBody(command int32) string {
	switch kkmpb.CommandTypeEnum(command) {
	case kkmpb.CommandTypeEnum_COMMAND_TICKET:
		return "ticket"
	case kkmpb.CommandTypeEnum_COMMAND_CLOSE_SHIFT, kkmpb.CommandTypeEnum_COMMAND_REPORT, kkmpb.CommandTypeEnum_COMMAND_INFO:
		return "report"
	case kkmpb.CommandTypeEnum_COMMAND_NOMENCLATURE:
		return "nomenclature"
	case kkmpb.CommandTypeEnum_COMMAND_AUTH:
		return "auth"
	}
	return ""
}

func has(s *shape, seen uint64, name string) bool {
	n := slices.IndexFunc(s.fields, func(f field) bool { return f.name == name })
	return seen&(1<<n) != 0
}

// message inspects one message that begins at off in the frame and tells which
// of its fields came. Behind a broken field nothing can be said to be missing,
// so then it is all of them.
func (x *inspector) message(s *shape, b []byte, off int, path string) uint64 {
	var seen uint64
	var count [64]int // of each field so far
	for i := 0; i < len(b); {
		start := i
		tag, n := uvarint(b[i:])
		num, wire := protowire.DecodeTag(tag)
		if n <= 0 || num < protowire.MinValidNumber || num > protowire.MaxValidNumber {
			x.add(SeverityError, off+start, path, ruleEncoding, "payload.tag", "a field must begin here, and these bytes are no field number with a wire type")
			return math.MaxUint64
		}
		i += n
		f := s.field(num)
		n = protowire.ConsumeFieldValue(num, wire, b[i:])
		if n < 0 {
			x.brokenValue(f, num, wire, b[i:], off+start, off+i, path)
			return math.MaxUint64
		}
		value := b[i : i+n]
		i += n
		switch {
		case x.trim124 && s.foreign124(num):
			x.add(SeverityWarning, off+start, under(path, f.path(count[num])), ruleTables, "payload.field.124",
				"builds of 1.2.4 use this number in another sense; the field is left out", "number", int(num))
		case f == nil:
			x.add(SeverityWarning, off+start, path, ruleTables, "payload.field.unknown",
				fmt.Sprintf("%s has no field %d (wire type %d, %d bytes); it is ignored", s.name, num, wire, n), "number", int(num), "wire", int(wire), "bytes", n)
		case f.wire != wire:
			x.add(SeverityWarning, off+start, under(path, f.path(count[num])), ruleTables, "payload.field.wire",
				fmt.Sprintf("wire type %d instead of %d; the field is ignored", wire, f.wire), "got", int(wire), "want", int(f.wire))
		default:
			if seen&(1<<num) != 0 && !f.repeated {
				x.add(SeverityWarning, off+start, under(path, f.name), ruleTables, "payload.field.twice", "the field comes once; of several the last one counts")
			}
			seen |= 1 << num
			x.value(s, f, value, off+i-n, under(path, f.path(count[num])))
			count[num]++
		}
	}
	for num, f := range s.fields {
		if s.required&(1<<num) != 0 && seen&(1<<num) == 0 {
			x.add(SeverityError, off+len(b), under(path, f.name), ruleTables, "payload.required",
				fmt.Sprintf("%s field %d is mandatory and missing", s.name, num), "message", s.name, "number", num)
		}
	}
	return seen
}

// value inspects one field's value, tag left aside.
func (x *inspector) value(s *shape, f *field, value []byte, off int, path string) {
	if f.wire == protowire.VarintType {
		v, _ := protowire.ConsumeVarint(value)
		x.number(s, f, v, off, path)
		return
	}
	body, n := protowire.ConsumeBytes(value)
	off += n - len(body)
	switch {
	case f.sub != nil:
		errors := x.errors()
		x.message(f.sub, body, off, path)
		if f.sub.name == "DateTime" && x.errors() == errors {
			x.dateTime(body, off, path)
		}
	case f.text && !utf8.Valid(body):
		bad := firstNotUTF8(body)
		x.add(SeverityError, off+bad, path, ruleEncoding, "payload.utf8",
			fmt.Sprintf("byte 0x%02X is not UTF-8: texts are UTF-8, whatever the register's code page", body[bad]), "got", int(body[bad]))
	}
}

// number inspects the value of a varint field.
func (x *inspector) number(s *shape, f *field, v uint64, off int, path string) {
	switch {
	case f.name == "command" && (s == requestShape || s == responseShape):
		// judged with the body that belongs to it
	case f.enum != nil:
		if f.enum.Values().ByNumber(protoreflect.EnumNumber(int32(v))) == nil {
			x.add(SeverityError, off, path, ruleTables, "payload.enum",
				fmt.Sprintf("%s has no value %d", f.enum.Name(), int32(v)), "enum", string(f.enum.Name()), "got", int32(v))
		}
	case s.name == "Money" && f.name == "coins" && v > 99:
		x.add(SeverityError, off, path, ruleMoney, "payload.coins", fmt.Sprintf("%d tiyn: coins go from 0 to 99", v), "got", v)
	case f.max != 0 && v > f.max:
		x.add(SeverityWarning, off, path, ruleTables, "payload.range",
			fmt.Sprintf("%d is above %d, the largest number allowed here; a negative number looks so", v, f.max), "got", fmt.Sprint(v), "max", fmt.Sprint(f.max))
	}
}

func (x *inspector) dateTime(body []byte, off int, path string) {
	d := new(kkmpb.DateTime)
	if proto.Unmarshal(body, d) != nil || ValidDateTime(d) {
		return
	}
	if IsZeroDateTime(d) && strings.Contains(path, "offline_period") {
		return // says that the register is online
	}
	text := fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", d.GetDate().GetYear(), d.GetDate().GetMonth(), d.GetDate().GetDay(),
		d.GetTime().GetHour(), d.GetTime().GetMinute(), d.GetTime().GetSecond())
	x.add(SeverityError, off, path, ruleTables, "payload.datetime", text+" is no day of the calendar with a time of day", "got", text)
}

// brokenValue says why a value could not be read.
func (x *inspector) brokenValue(f *field, num protowire.Number, wire protowire.Type, b []byte, start, off int, path string) {
	name := fmt.Sprintf("field %d", num)
	if f != nil {
		name = f.name
	}
	path = under(path, name)
	switch claimed, m := binary.Uvarint(b); {
	case wire > protowire.Fixed32Type:
		x.add(SeverityError, start, path, ruleEncoding, "payload.wire", broken(wire), "got", int(wire))
	case wire == protowire.BytesType && m > 0 && claimed > uint64(len(b)-m):
		x.add(SeverityError, off, path, ruleEncoding, "payload.length", overrun(claimed, len(b)-m), "got", fmt.Sprint(claimed), "left", len(b)-m)
	default:
		x.add(SeverityError, off, path, ruleEncoding, "payload.value", broken(wire), "wire", int(wire))
	}
}

func (x *inspector) add(sev Severity, off int, path, rule, key, why string, kv ...any) {
	if len(x.found) == maxFindings {
		x.more++
		return
	}
	x.found = append(x.found, Finding{sev, off, path, rule, why, key, args(kv...)})
}

func (x *inspector) errors() int { return countErrors(x.found) }

func (x *inspector) result() []Finding {
	slices.SortStableFunc(x.found, func(a, b Finding) int { return a.Offset - b.Offset })
	if x.more > 0 {
		last := x.found[len(x.found)-1]
		x.found = append(x.found, Finding{SeverityError, last.Offset, "", ruleEncoding,
			fmt.Sprintf("%d findings more are left out", x.more), "more", args("left", x.more)})
	}
	return x.found
}

// lastVarint finds the last varint of a field at the top of a payload and the
// offset of its value.
func lastVarint(b []byte, num protowire.Number) (v uint64, off int, ok bool) {
	for i := 0; i < len(b); {
		got, wire, n := protowire.ConsumeTag(b[i:])
		if n < 0 {
			break
		}
		m := protowire.ConsumeFieldValue(got, wire, b[i+n:])
		if m < 0 {
			break
		}
		if got == num && wire == protowire.VarintType {
			v, _ = protowire.ConsumeVarint(b[i+n:])
			off, ok = i+n, true
		}
		i += n + m
	}
	return v, off, ok
}

// whole is what can be read of b: messages that break off are cut to their
// whole fields, and what comes behind a broken field is left out.
func (s *shape) whole(b []byte) []byte {
	var out []byte
	for len(b) > 0 {
		num, wire, n := protowire.ConsumeTag(b)
		if n < 0 {
			return out
		}
		f := s.field(num)
		if f != nil && f.sub != nil && wire == protowire.BytesType {
			size, m := protowire.ConsumeVarint(b[n:])
			if m < 0 {
				return out
			}
			body := b[n+m:]
			body = body[:min(size, uint64(len(body)))]
			out = protowire.AppendTag(out, num, wire)
			out = protowire.AppendBytes(out, f.sub.whole(body))
			b = b[n+m+len(body):]
			continue
		}
		m := protowire.ConsumeFieldValue(num, wire, b[n:])
		if m < 0 {
			return out
		}
		out = append(out, b[:n+m]...)
		b = b[n+m:]
	}
	return out
}
