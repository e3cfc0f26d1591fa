package kkt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"hash"
	"slices"
	"sync"
)

// SIM1 are the keys and signs of simulated drives: a profile of our own, in
// software, so that the whole chain can be run, shown and tested without a
// cipher machine. It protects nothing that matters, and no real drive takes
// its answers. HMAC is HMAC-SHA-256, || puts together, hdr is type, kind,
// version, extra1, drive and number of a container.
//
//	key of a drive       HMAC(master, "FN-KEY" || number as 16 ASCII bytes)
//	document sign 1077   prefix || HMAC(key, 01 || code || requisites without 1077)[:4]
//	message sign         81 06  || HMAC(key, 04 || hdr || document)[:6]
//	operator sign 1078   41 10  || HMAC(key, 02 || 07 00 || 1017, 1041, 1040, 1012)[:16]
//	confirmation sign    61 06  || HMAC(key, 03 || hdr || document)[:6]
//	request sign         91 06  || HMAC(key, 06 || hdr || document)[:6], documents 81 and 82
//	marking sign         A1 06  || HMAC(key, 07 || hdr || document)[:6], documents 83 and 84
//	encryption           AES-256-CTR, key HMAC(key, "ENC"),
//	                     IV HMAC(key, "IV" || drive || number || extra2)[:16]
//
// A SIM1 is safe for concurrent use.
//
// Source: KKT reference §3.5.
type SIM1 struct {
	master [32]byte
	macs   sync.Pool // of *mac
}

// NewSIM1 makes a profile of a master key, which operator and drives share.
func NewSIM1(master [32]byte) *SIM1 {
	return &SIM1{master: master, macs: sync.Pool{New: func() any { return &mac{hash: sha256.New()} }}}
}

// SIM1TestKey is the master key of the test vectors: 00 01 02 … 1F.
func SIM1TestKey() (key [32]byte) {
	for i := range key {
		key[i] = byte(i)
	}
	return key
}

// The first byte of every text that is signed, and the two bytes in front of
// every sign.
const (
	signsDocument     byte = 0x01
	signsAck          byte = 0x02
	signsConfirmation byte = 0x03
	signsMessage      byte = 0x04
	signsRequest      byte = 0x06
	signsMarking      byte = 0x07

	prefixRegistration uint16 = 0x2104
	prefixDocument     uint16 = 0x3104
	prefixAck          uint16 = 0x4110
	prefixConfirmation uint16 = 0x6106
	prefixMessage      uint16 = 0x8106
	prefixRequest      uint16 = 0x9106
	prefixMarking      uint16 = 0xA106
)

// What SIM1 writes into the service data of a container.
const (
	sim1Plain     byte = 0x10 // first byte of extra1
	sim1Encrypted byte = 0x11
	sim1Second    byte = 0x09 // second byte of extra1
)

// mac is one HMAC at a time, without allocation.
type mac struct {
	hash         hash.Hash
	drive        DriveNumber // whose key it has; the zero value is nobody
	inner, outer [64]byte    // the key as the two halves of an HMAC begin
	buf          [64]byte
	sum          [32]byte
}

// take begins to work for one drive; give the mac back with release. An exchange
// takes several times, and as a rule gets the one that has its key already.
func (s *SIM1) take(drive DriveNumber) *mac {
	m := s.macs.Get().(*mac)
	if m.drive == drive {
		return m
	}
	m.rekey(&s.master)
	m.begin()
	m.write(append(append(m.buf[:0], "FN-KEY"...), drive[:]...))
	m.end()
	m.rekey(&m.sum)
	m.drive = drive
	return m
}

func (s *SIM1) release(m *mac) { s.macs.Put(m) }

func (m *mac) rekey(key *[32]byte) {
	for i := range m.inner {
		m.inner[i], m.outer[i] = 0x36, 0x5C
	}
	for i, k := range key {
		m.inner[i] ^= k
		m.outer[i] ^= k
	}
}

// begin starts a sum under the key.
func (m *mac) begin() {
	m.hash.Reset()
	m.hash.Write(m.inner[:])
}

func (m *mac) write(b []byte) { m.hash.Write(b) }

// end leaves the finished sum in m.sum.
func (m *mac) end() {
	m.hash.Sum(m.sum[:0])
	m.hash.Reset()
	m.hash.Write(m.outer[:])
	m.hash.Write(m.sum[:])
	m.hash.Sum(m.sum[:0])
}

// overFrame signs a container's header and document.
func (m *mac) overFrame(what byte, prefix uint16, h *FrameHeader, document []byte) (sign [8]byte) {
	m.begin()
	m.write(h.appendSigned(append(m.buf[:0], what, FrameType)))
	m.write(document)
	m.end()
	binary.BigEndian.PutUint16(sign[:], prefix)
	copy(sign[2:], m.sum[:6])
	return sign
}

// documentSign signs the requisites of a document but 1077 itself. ok is false
// when they cannot be read.
func (m *mac) documentSign(code uint16, requisites []byte) (sign [documentSignLen]byte, ok bool) {
	m.begin()
	m.write(binary.LittleEndian.AppendUint16(append(m.buf[:0], signsDocument), code))
	for len(requisites) > 0 {
		tag, _, rest, whole := nextRequisite(requisites)
		if !whole {
			return sign, false
		}
		if tag != tagDocumentSign {
			m.write(requisites[:len(requisites)-len(rest)])
		}
		requisites = rest
	}
	m.end()
	prefix := prefixDocument
	if DocCode(code) == CodeRegistration || DocCode(code) == CodeReregistration {
		prefix = prefixRegistration
	}
	binary.BigEndian.PutUint16(sign[:], prefix)
	copy(sign[2:], m.sum[:4])
	return sign, true
}

// operatorSignLen is the size of 1078 with its prefix.
const operatorSignLen = 18

// operatorSign signs what an acknowledgement says of whose, which and when.
func (m *mac) operatorSign(requisites []byte) (sign [operatorSignLen]byte) {
	m.begin()
	m.write(append(m.buf[:0], signsAck, byte(CodeAck), 0))
	for _, wanted := range [...]uint16{tagOperatorINN, tagDrive, tagNumber, tagDateTime} {
		if value, ok := findRequisite(requisites, wanted); ok {
			m.write(binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(m.buf[:0], wanted), uint16(len(value))))
			m.write(value)
		}
	}
	m.end()
	binary.BigEndian.PutUint16(sign[:], prefixAck)
	copy(sign[2:], m.sum[:16])
	return sign
}

// crypt encrypts or decrypts a payload in place.
func (m *mac) crypt(h *FrameHeader, payload []byte) {
	m.begin()
	m.write(append(m.buf[:0], "ENC"...))
	m.end()
	key := m.sum
	m.begin()
	b := h.Drive.appendBCD(append(m.buf[:0], "IV"...))
	b = append(b, byte(h.Number>>16), byte(h.Number>>8), byte(h.Number))
	m.write(append(b, h.Extra2[:]...))
	m.end()
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("kkt: AES refuses a key of 32 bytes: " + err.Error())
	}
	cipher.NewCTR(block, m.sum[:16]).XORKeyStream(payload, payload)
}

// nonce is what SIM1 puts in front of extra2.
func (m *mac) nonce(number uint32) (n [5]byte) {
	m.begin()
	m.write(binary.BigEndian.AppendUint32(append(m.buf[:0], 0x10), number))
	m.end()
	copy(n[:], m.sum[:])
	return n
}

// equal compares signs in constant time.
func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// openPayload decrypts where extra1 says so and cuts the payload.
func (m *mac) openPayload(f *Frame) (o Opened, err error) {
	o.Frame = f.FrameHeader
	payload := f.Payload()
	if o.Encrypted = f.Extra1[0] == sim1Encrypted; o.Encrypted {
		payload = slices.Clone(payload)
		m.crypt(&f.FrameHeader, payload)
	}
	o.Document, o.Sign, err = cutPayload(payload)
	return o, err
}
