package kkt_test

import (
	"context"

	"openofd/internal/protocol/kkt"
)

// faultyModule is SIM1 with failures; a zero CryptoError is none.
type faultyModule struct {
	*kkt.SIM1
	open, seal, sign kkt.CryptoError
}

func (m *faultyModule) OpenContainer(ctx context.Context, f kkt.Frame, p kkt.PVersion) (kkt.Opened, error) {
	if m.open != 0 {
		return kkt.Opened{}, m.open
	}
	return m.SIM1.OpenContainer(ctx, f, p)
}

func (m *faultyModule) VerifyDocumentSign(ctx context.Context, d kkt.DriveNumber, document []byte) (kkt.SignVerdict, error) {
	if m.sign != 0 {
		return 0, m.sign
	}
	return m.SIM1.VerifyDocumentSign(ctx, d, document)
}

func (m *faultyModule) SealAcknowledgement(ctx context.Context, dst []byte, o kkt.Opened, requisites []byte) ([]byte, error) {
	if m.seal != 0 {
		return dst, m.seal
	}
	return m.SIM1.SealAcknowledgement(ctx, dst, o, requisites)
}
