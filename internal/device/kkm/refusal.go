package kkm

import (
	"fmt"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
)

// Refusal is an answer with a result code other than 0. errors.Is finds the
// fiscal.Reason behind the code, and its Kind.
type Refusal struct {
	Command int32
	Version wire.Version
	Code    uint32
	Text    string // the operator's words for the cashier
	Notice  string // the text to show and print while blocked, if one came
}

func (e *Refusal) Error() string {
	return fmt.Sprintf("refused with code %d (%s): %s", e.Code, CodeText(e.Code, e.Version), e.Text)
}

// Unwrap leads to the reason.
func (e *Refusal) Unwrap() error { return reasonOf(e.Code, e.Version) }

// reasonOf is the reason that a register can read from a code.
func reasonOf(code uint32, v wire.Version) fiscal.Reason {
	switch code {
	case wire.CodeUnknownID:
		return fiscal.UnknownRegister
	case wire.CodeInvalidToken:
		return fiscal.StaleToken
	case wire.CodeProtocolError:
		return fiscal.BadForm
	case wire.CodeUnknownCommand:
		return fiscal.UnknownCommand
	case wire.CodeUnsupportedCommand:
		return fiscal.UnsupportedCommand
	case wire.CodeInvalidReqNum:
		return fiscal.RequestNumberReused
	case wire.CodeInvalidRetry:
		return fiscal.RetryDiffers
	case wire.CodeCannotCancel:
		return fiscal.CannotCancel
	case wire.CodeShiftTooLong:
		return fiscal.ShiftTooLong
	case wire.CodeNotEnoughCash:
		return fiscal.NotEnoughCash
	case wire.CodeBlocked:
		return fiscal.RegisterBlocked
	case wire.CodeSameTaxpayer:
		return fiscal.SameTaxpayerAndBuyer
	case wire.CodeBarcodeNotFound: // and CodeDeregistered
		if v >= wire.V204 {
			return fiscal.RegisterDeregistered
		}
		return fiscal.BarcodeNotFound
	case wire.CodeUnavailable, wire.CodeUnknownError:
		return fiscal.StoreDown
	}
	return fiscal.BadValue
}

// CodeText is what a result code means for whoever makes the register, in
// English and in full. Source: KKM 2.0.2, table of result codes.
func CodeText(code uint32, v wire.Version) string {
	if code == wire.CodeDeregistered && v >= wire.V204 {
		return "the register was taken off the record"
	}
	if s, ok := codeTexts[code]; ok {
		return s
	}
	return "a code that the protocol does not have"
}

var codeTexts = map[uint32]string{
	wire.CodeOK:                 "accepted",
	wire.CodeUnknownID:          "no register has this ID: check ID and operator",
	wire.CodeInvalidToken:       "wrong token: ask the operator for a new one and type it in",
	wire.CodeProtocolError:      "the form of the message is broken, or its version is not served",
	wire.CodeUnknownCommand:     "no such command",
	wire.CodeUnsupportedCommand: "the command exists but is not offered",
	6:                           "wrong configuration",
	7:                           "TLS is not allowed for this register",
	wire.CodeInvalidReqNum:      "REQNUM of the last request under another TOKEN: use the next REQNUM",
	wire.CodeInvalidRetry:       "TOKEN and REQNUM of the last request with another document: use the next REQNUM",
	wire.CodeCannotCancel:       "the last document is no receipt that can be canceled",
	wire.CodeShiftTooLong:       "the shift is open longer than allowed: close it",
	12:                          "wrong login or password",
	wire.CodeIncorrectData:      "well formed, but a value is wrong: correct it",
	wire.CodeNotEnoughCash:      "the drawer does not cover the payout",
	wire.CodeBlocked:            "blocked, or a receipt lacks a mandatory field: ask with system until the answer is 0",
	16:                          "the shift is open already",
	wire.CodeSameTaxpayer:       "the buyer's number is the seller's own",
	wire.CodeBarcodeNotFound:    "no such barcode in the catalog",
	19:                          "disconnected by the operator",
	wire.CodeUnavailable:        "temporarily unavailable, nothing stored: send the same again",
	wire.CodeUnknownError:       "fault of the operator, nothing stored: send the same again",
}

// silence reports whether a code is to be taken like no answer at all.
func silence(code uint32) bool {
	return code == wire.CodeUnavailable || code == wire.CodeUnknownError
}
