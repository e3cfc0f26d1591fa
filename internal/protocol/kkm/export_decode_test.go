package kkm

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// The two ways to read a request, for the tests that compare them.

func DecodeFast(payload []byte) *kkmpb.Request {
	msg, _ := decodeFast(payload)
	return msg
}

func DecodeSlow(payload []byte) (*kkmpb.Request, error) {
	msg := new(kkmpb.Request)
	if err := decode(requestShape, payload, msg); err != nil {
		return nil, err
	}
	return msg, nil
}

// Opened and OpenedAlone are the receipt that a ticket is, in the memory of the
// request that brought it and in its own.

func Opened(r *Request) fiscal.Receipt { return receiptOf(r.Msg.Ticket, r.lines()) }

func OpenedAlone(t *kkmpb.TicketRequest) fiscal.Receipt { return receiptOf(t, new(lines)) }
