package kkt

import (
	"encoding/binary"
	"fmt"

	"openofd/internal/fiscal"
)

// ParseRequest reads the body of a register's message, of which Admit said
// AdmitRead: the sums, the container, that header and container name one drive,
// and that such a document goes this way. Nothing is copied.
//
// Errors: *SyntaxError.
// Source: KKT reference §2.8.
func ParseRequest(h Header, body []byte) (Frame, error) {
	f, err := parseBody(h, body)
	if err == nil && !f.Code.goesBy(h.Service) {
		err = &SyntaxError{FaultCode, HeaderLen + 5, documentCode, fmt.Sprintf("%d (%v) on the channel of %v", f.Code, f.Code, h.Service)}
	}
	return f, err
}

// ParseAnswer reads what came back to a request, for the register's side. It
// judges the message alone; whether its container suits is Judge's business.
//
// Errors: *SyntaxError.
func ParseAnswer(request, h Header, body []byte) (Frame, error) {
	switch {
	case h.Service != request.Service:
		return Frame{}, &SyntaxError{FaultService, 0, "signature", fmt.Sprintf("of %v, the request was for %v", h.Service, request.Service)}
	case h.Version != request.Version:
		return Frame{}, &SyntaxError{FaultVersion, 6, "P-version", fmt.Sprintf("%v, the request had %v", h.Version, request.Version)}
	case h.Drive != request.Drive:
		return Frame{}, &SyntaxError{FaultDrives, 8, "drive", fmt.Sprintf("%v, the request had %v", h.Drive, request.Drive)}
	}
	return parseBody(h, body)
}

func parseBody(h Header, body []byte) (Frame, error) {
	if len(body) < int(h.Size) {
		return Frame{}, &SyntaxError{FaultTruncated, HeaderLen + len(body), "body", fmt.Sprintf("%d of %d bytes", len(body), h.Size)}
	}
	if len(body) > int(h.Size) {
		return Frame{}, &SyntaxError{FaultSize, 24, "size", fmt.Sprintf("%d, here are %d bytes", h.Size, len(body))}
	}
	if h.Flags&flagsCRC == FlagBodyCRC {
		if want := h.sum(body); h.CRC != want {
			return Frame{}, wrongSum(h.CRC, want)
		}
	}
	f, err := parseFrame(body, HeaderLen)
	if err == nil && f.Drive != h.Drive {
		err = &SyntaxError{FaultDrives, HeaderLen + 9, "container drive", fmt.Sprintf("%v, the header has %v", f.Drive, h.Drive)}
	}
	return f, err
}

// AppendMessage appends one message, header and body, to dst, so that it can
// leave with a single Write: some registers take whatever one read brings for
// the whole answer. Size and CRC are computed by the flags; what h says of them
// is not looked at.
//
// Errors: Invalid, for a body above 65,535 bytes; dst is then returned as it
// came.
func AppendMessage(dst []byte, h Header, body []byte) ([]byte, error) {
	if len(body) > MaxFrame {
		return dst, badValue("body", "%d bytes, at most %d", len(body), MaxFrame)
	}
	h.Size = uint16(len(body))
	h.CRC = h.sum(body)
	dst, _ = h.AppendBinary(dst)
	return append(dst, body...), nil
}

// appendSealed appends a message whose container seal appends itself, so that
// nothing is copied.
func appendSealed(dst []byte, h Header, seal func([]byte) ([]byte, error)) ([]byte, error) {
	start := len(dst)
	out, _ := h.AppendBinary(dst)
	out, err := seal(out)
	if err != nil {
		return dst, err
	}
	body := out[start+HeaderLen:]
	if len(body) > MaxFrame {
		return dst, badValue("body", "%d bytes, at most %d", len(body), MaxFrame)
	}
	h.Size = uint16(len(body))
	h.CRC = h.sum(body)
	binary.LittleEndian.PutUint16(out[start+24:], h.Size)
	binary.LittleEndian.PutUint16(out[start+28:], h.CRC)
	return out, nil
}

func badValue(field, format string, a ...any) error {
	return &fiscal.Error{Reason: fiscal.BadValue, Field: field, Msg: fmt.Sprintf(format, a...)}
}
