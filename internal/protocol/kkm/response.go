package kkm

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"

	"openofd/internal/protocol/kkm/kkmpb"
)

// AppendResponse appends one answer, header and payload, to dst, so that it
// can leave with a single Write: some registers read an answer with two reads
// and never look for the rest. SIZE is computed, h.Size is not looked at. The
// same message gives the same bytes.
//
// Errors: a required field of msg is missing, or the frame exceeds 4 GiB; dst
// is then returned as it came.
func AppendResponse(dst []byte, h Header, msg *kkmpb.Response) ([]byte, error) {
	return appendFrame(dst, h, msg)
}

// AppendRequest is AppendResponse for the register's side.
func AppendRequest(dst []byte, h Header, msg *kkmpb.Request) ([]byte, error) {
	return appendFrame(dst, h, msg)
}

func appendFrame(dst []byte, h Header, msg proto.Message) ([]byte, error) {
	start := len(dst)
	out, _ := h.AppendBinary(dst)
	out, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend(out, msg)
	if err != nil {
		return dst, fmt.Errorf("kkm: encode payload: %w", err)
	}
	size := len(out) - start
	if uint64(size) > math.MaxUint32 {
		return dst, fmt.Errorf("kkm: frame of %d bytes", size)
	}
	binary.LittleEndian.PutUint32(out[start+4:], uint32(size))
	return out, nil
}

// ParseResponse reads the payload of an answer, for the register's side. The
// error is a *SyntaxError; result codes are not looked at. Fields that another
// operator fills in its own way come through as unknown.
func ParseResponse(payload []byte) (*kkmpb.Response, error) {
	msg := new(kkmpb.Response)
	if err := decode(responseShape, payload, msg); err != nil {
		return nil, err
	}
	return msg, nil
}

// Refuse makes a refusal from the request's header alone: VERSION, ID and
// REQNUM come back exactly, and TOKEN as it was received, for registers take
// the token of every answer over. The text is for the cashier and must not be
// empty: a register in use crashes without it.
//
// Source: KKM 2.0.2 §2.2.
func Refuse(h Header, command int32, code uint32, text string) []byte {
	msg := &kkmpb.Response{
		Command: kkmpb.CommandTypeEnum(command).Enum(),
		Result:  &kkmpb.Result{ResultCode: &code, ResultText: &text},
	}
	frame, err := AppendResponse(make([]byte, 0, HeaderLen+16+len(text)), h, msg)
	if err != nil {
		panic("kkm: refusal does not encode: " + err.Error())
	}
	return frame
}
