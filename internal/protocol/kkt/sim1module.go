package kkt

import "context"

var _ CryptoModule = (*SIM1)(nil)

// OpenContainer implements CryptoModule.
func (s *SIM1) OpenContainer(_ context.Context, f Frame, _ PVersion) (Opened, error) {
	return s.open(&f, signsMessage, prefixMessage)
}

// OpenMarking implements CryptoModule.
func (s *SIM1) OpenMarking(_ context.Context, f Frame) (Opened, error) {
	return s.open(&f, signsRequest, prefixRequest)
}

func (s *SIM1) open(f *Frame, what byte, prefix uint16) (Opened, error) {
	m := s.take(f.Drive)
	defer s.release(m)
	o, err := m.openPayload(f)
	if err != nil {
		return o, err
	}
	if want := m.overFrame(what, prefix, &f.FrameHeader, o.Document); !equal(want[:], o.Sign[:]) {
		return o, ErrSignInvalid
	}
	return o, nil
}

// VerifyDocumentSign implements CryptoModule.
func (s *SIM1) VerifyDocumentSign(_ context.Context, drive DriveNumber, document []byte) (SignVerdict, error) {
	code, requisites, behind, ok := nextRequisite(document)
	if !ok || len(behind) > 0 {
		return SignNotCheckable, nil
	}
	got, ok := findRequisite(requisites, tagDocumentSign)
	if !ok {
		return SignNotCheckable, nil
	}
	m := s.take(drive)
	defer s.release(m)
	want, ok := m.documentSign(code, requisites)
	switch {
	case !ok:
		return SignNotCheckable, nil
	case !equal(got, want[:]):
		return SignWrong, nil
	}
	return SignRight, nil
}

// SealAcknowledgement implements CryptoModule. The same requisites give the
// same bytes.
func (s *SIM1) SealAcknowledgement(_ context.Context, dst []byte, o Opened, requisites []byte) ([]byte, error) {
	m := s.take(o.Frame.Drive)
	defer s.release(m)
	sign := m.operatorSign(requisites)
	size := tlvHead + len(requisites) + tlvHead + len(sign)
	document := make([]byte, 0, size)
	document = append(document, byte(CodeAck), 0, byte(size-tlvHead), byte((size-tlvHead)>>8))
	document = append(document, requisites...)
	document = AppendRequisite(document, tagOperatorSign, sign[:]...)
	return m.seal(dst, o.Frame.answer(CodeAck, len(document)), document, signsConfirmation, prefixConfirmation)
}

// SealMarking implements CryptoModule.
func (s *SIM1) SealMarking(_ context.Context, dst []byte, o Opened, requisites []byte) ([]byte, error) {
	m := s.take(o.Frame.Drive)
	defer s.release(m)
	code := o.Frame.Code.Reply()
	document := AppendRequisite(make([]byte, 0, tlvHead+len(requisites)), uint16(code), requisites...)
	return m.seal(dst, o.Frame.answer(code, len(document)), document, signsMarking, prefixMarking)
}

// seal appends the container of a document.
func (m *mac) seal(dst []byte, h FrameHeader, document []byte, what byte, prefix uint16) ([]byte, error) {
	sign := m.overFrame(what, prefix, &h, document)
	return AppendFrame(dst, h, document, sign[:], []byte{0, 0})
}

// answer is the header of the container that answers this one: drive, number
// and the beginning of the service data come back, the rest is the document's.
// An answer is never encrypted, whatever extra1 repeats.
func (f FrameHeader) answer(code DocCode, document int) FrameHeader {
	f.Code = code
	f.Version = 1
	f.putExtra2([5]byte(f.Extra2[:5]), [2]byte(f.Extra2[8:10]), document)
	return f
}

// putExtra2 fills extra2 as drives were seen to: five bytes of their own, the
// number, two bytes, the size of the document.
func (f *FrameHeader) putExtra2(first [5]byte, second [2]byte, document int) {
	copy(f.Extra2[:], first[:])
	f.Extra2[5], f.Extra2[6], f.Extra2[7] = byte(f.Number>>16), byte(f.Number>>8), byte(f.Number)
	copy(f.Extra2[8:], second[:])
	f.Extra2[10], f.Extra2[11] = byte(document>>8), byte(document)
}

// KeyStatus implements CryptoModule: there are keys for every drive, and they
// do not end.
func (s *SIM1) KeyStatus(context.Context, DriveNumber) (KeyStatus, error) {
	return KeyStatus{Present: true, Module: "SIM1, for simulated drives only"}, nil
}
