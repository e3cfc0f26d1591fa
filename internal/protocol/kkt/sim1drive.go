package kkt

// Sealed is a document as a drive has made it.
type Sealed struct {
	Frame    []byte // the container, to be sent as it is
	Document []byte // the document inside, unencrypted
	Sign     uint32 // the number printed on paper as the fiscal sign; 0 of marking documents
}

// SealDocument is the drive's side of SIM1: it makes a document of requisites,
// puts the fiscal sign (1077) behind them where the kind has one, signs the
// message and packs it, encrypted where the registration says so.
//
// Errors: Invalid, when the requisites are no list or too many for the kind, or
// the number does not fit.
func (s *SIM1) SealDocument(drive DriveNumber, code DocCode, number uint32, requisites []byte, encrypted bool) (Sealed, error) {
	m := s.take(drive)
	defer s.release(m)
	document := append(make([]byte, 0, len(requisites)+32), byte(code), 0, 0, 0)
	document = append(document, requisites...)
	sign, ok := m.documentSign(uint16(code), requisites)
	_, signed := findRequisite(requisites, tagDocumentSign)
	switch {
	case !ok:
		return Sealed{}, badValue("document", "the requisites are no list of tag, length and value")
	case signed:
		return Sealed{}, badValue("fiscalSign", "it is the drive's own")
	}
	what, prefix := signsRequest, prefixRequest
	var paper uint32
	if !code.marking() {
		what, prefix = signsMessage, prefixMessage
		document = AppendRequisite(document, tagDocumentSign, sign[:]...)
		paper = uint32(sign[2])<<24 | uint32(sign[3])<<16 | uint32(sign[4])<<8 | uint32(sign[5])
	}
	size := len(document) - tlvHead
	if size > code.MaxDocument() {
		return Sealed{}, badValue("document", "%d bytes, a %v has at most %d", size, code, code.MaxDocument())
	}
	document[2], document[3] = byte(size), byte(size>>8)

	h := FrameHeader{Code: code, Version: 1, Extra1: [2]byte{sim1Plain, sim1Second}, Drive: drive, Number: number}
	if encrypted {
		h.Extra1[0] = sim1Encrypted
	}
	h.putExtra2(m.nonce(number), [2]byte{0, 2}, len(document))
	message := m.overFrame(what, prefix, &h, document)
	room := make([]byte, 0, FrameHeaderLen+len(document)+trailerLen)
	if !encrypted {
		frame, err := AppendFrame(room, h, document, message[:], []byte{0, 0})
		return Sealed{Frame: frame, Document: document, Sign: paper}, err
	}
	payload := append(append(make([]byte, 0, len(document)+trailerLen), document...), message[:]...)
	payload = append(payload, 0, 0)
	m.crypt(&h, payload)
	frame, err := AppendFrame(room, h, payload)
	return Sealed{Frame: frame, Document: document, Sign: paper}, err
}

// CheckAnswer implements AnswerSigns.
func (s *SIM1) CheckAnswer(h FrameHeader, document []byte, sign [8]byte) bool {
	m := s.take(h.Drive)
	defer s.release(m)
	what, prefix := signsMarking, prefixMarking
	if h.Code == CodeAck {
		what, prefix = signsConfirmation, prefixConfirmation
	}
	if want := m.overFrame(what, prefix, &h, document); !equal(want[:], sign[:]) {
		return false
	}
	if h.Code != CodeAck {
		return true
	}
	_, requisites, _, _ := nextRequisite(document)
	want := m.operatorSign(requisites)
	got, _ := findRequisite(requisites, tagOperatorSign)
	return equal(got, want[:])
}
