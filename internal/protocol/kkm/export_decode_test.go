package kkm

import "openofd/internal/protocol/kkm/kkmpb"

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
