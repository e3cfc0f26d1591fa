package gate

import (
	"errors"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm"
)

// kkmCodes says what a register hears when its exchange failed: 254 where
// nothing is stored and the same request may succeed later, 255 for our own
// faults. A refusal is a decision and never comes this way; kinds that only a
// refusal can have are our own fault here.
//
// Source: KKM 2.0.2, table of result codes.
var kkmCodes = [...]uint32{
	fiscal.Internal:        kkm.CodeUnknownError,
	fiscal.Invalid:         kkm.CodeUnknownError,
	fiscal.Unauthenticated: kkm.CodeUnknownError,
	fiscal.Denied:          kkm.CodeUnknownError,
	fiscal.NotFound:        kkm.CodeUnknownError,
	fiscal.Conflict:        kkm.CodeUnknownError,
	fiscal.Overloaded:      kkm.CodeUnavailable,
	fiscal.Unavailable:     kkm.CodeUnavailable,
	fiscal.Corrupt:         kkm.CodeUnknownError,
}

// kkmCode is the code for an error. One that nobody typed is our own fault.
func kkmCode(err error) uint32 {
	var e *fiscal.Error
	if errors.As(err, &e) {
		return kkmCodes[e.Kind()]
	}
	var r fiscal.Reason
	if errors.As(err, &r) {
		return kkmCodes[r.Kind()]
	}
	var k fiscal.Kind
	if errors.As(err, &k) {
		return kkmCodes[k]
	}
	return kkm.CodeUnknownError
}

// kkmFailed is the answer to an exchange that failed with this code.
func kkmFailed(req kkm.Request, code uint32, then Cause) reply {
	reason := fiscal.NoReason // worded as a fault of ours
	if code == kkm.CodeUnavailable {
		reason = fiscal.StoreDown
	}
	return kkmRefused(req.Header, req.Command, code, kkm.TextOf(reason, ""), then)
}

// kkmOverloaded is the answer to a frame that a limit stands against. Only its
// beginning need be there.
func kkmOverloaded(h kkm.Header, beginning []byte) reply {
	req := kkm.Request{Header: h, Command: kkm.CommandOf(beginning[kkm.HeaderLen:])}
	return kkmFailed(req, kkm.CodeUnavailable, goOn)
}

// kkmMalformed is the answer to a header that breaks the protocol's form.
func kkmMalformed(h kkm.Header, command int32, reason fiscal.Reason, field string, then Cause) reply {
	return kkmRefused(h, command, kkm.CodeProtocolError, kkm.TextOf(reason, field), then)
}

func kkmRefused(h kkm.Header, command int32, code uint32, text string, then Cause) reply {
	return reply{frame: kkm.Refuse(h, command, code, text), result: uint16(code), then: then}
}
