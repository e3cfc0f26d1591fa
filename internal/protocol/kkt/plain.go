package kkt

import "context"

// Plain is no cryptography at all: it opens whatever is not encrypted, checks
// no sign, and puts zeros where signs belong. It is for reading captured
// messages and for registers under development whose drive is a stub; a
// register with a real drive rejects its answers, and whoever can reach the
// port can pass for any drive. It is never used unless an operator asks for it
// by name.
type Plain struct{}

var _ CryptoModule = Plain{}

// OpenContainer implements CryptoModule. A payload that does not begin with the
// document that the header announces is taken for an encrypted one.
func (Plain) OpenContainer(_ context.Context, f Frame, _ PVersion) (Opened, error) {
	document, sign, err := cutPayload(f.Payload())
	if err == nil && (document[0] != byte(f.Code) || document[1] != 0) {
		err = ErrCannotDecrypt
	}
	return Opened{Frame: f.FrameHeader, Document: document, Sign: sign}, err
}

// OpenMarking implements CryptoModule.
func (p Plain) OpenMarking(ctx context.Context, f Frame) (Opened, error) {
	return p.OpenContainer(ctx, f, PMarked)
}

// VerifyDocumentSign implements CryptoModule.
func (Plain) VerifyDocumentSign(context.Context, DriveNumber, []byte) (SignVerdict, error) {
	return SignNotCheckable, nil
}

// SealAcknowledgement implements CryptoModule.
func (Plain) SealAcknowledgement(_ context.Context, dst []byte, o Opened, requisites []byte) ([]byte, error) {
	var noSign [operatorSignLen]byte
	signed := make([]byte, 0, len(requisites)+tlvHead+len(noSign))
	signed = AppendRequisite(append(signed, requisites...), tagOperatorSign, noSign[:]...)
	return plainFrame(dst, o, CodeAck, signed)
}

// SealMarking implements CryptoModule.
func (Plain) SealMarking(_ context.Context, dst []byte, o Opened, requisites []byte) ([]byte, error) {
	return plainFrame(dst, o, o.Frame.Code.Reply(), requisites)
}

func plainFrame(dst []byte, o Opened, code DocCode, requisites []byte) ([]byte, error) {
	document := AppendRequisite(nil, uint16(code), requisites...)
	return AppendFrame(dst, o.Frame.answer(code, len(document)), document, make([]byte, trailerLen))
}

// KeyStatus implements CryptoModule.
func (Plain) KeyStatus(context.Context, DriveNumber) (KeyStatus, error) {
	return KeyStatus{Module: "none: signs are not checked"}, nil
}
