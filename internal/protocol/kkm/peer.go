package kkm

import (
	"encoding/binary"

	"openofd/internal/fiscal"
)

// peer is the part of a register's state that only this package reads: the
// token, the retry slot, and what is needed to recognize documents sent again.
//
// Source: KKM reference §3.2.
type peer struct {
	token uint32 // what the next request must carry; 0: none issued, nothing is accepted
	slot  slot
	// cancelable is the receipt that COMMAND_CANCEL_TICKET would take back; 0
	// is none.
	cancelable fiscal.Number
	software   [8]byte         // hash of the software data told last
	offline    fiscal.WallTime // begin of the autonomous period told last
	recent     [recentDocuments]uint64
	next       uint8 // place in recent to be overwritten
}

// slot is the last accepted request that may change the token. Its token_out is
// the current token: a reset empties the slot.
type slot struct {
	entry   fiscal.Number // 0: the slot is empty
	tokenIn uint32
	reqnum  uint16
	command uint8
	key     [16]byte        // business key
	time    fiscal.WallTime // of the document
	offline uint32          // autonomous code under which the document came again
}

// recentDocuments is how many documents are remembered beyond a token reset.
const recentDocuments = 16

const peerFormat = 1

// append appends the stored form: format byte, then the fields in order,
// integers little-endian as on the wire.
func (p *peer) append(b []byte) []byte {
	le := binary.LittleEndian
	b = append(b, peerFormat)
	b = le.AppendUint32(b, p.token)
	b = le.AppendUint64(b, uint64(p.slot.entry))
	b = le.AppendUint32(b, p.slot.tokenIn)
	b = le.AppendUint16(b, p.slot.reqnum)
	b = append(b, p.slot.command)
	b = append(b, p.slot.key[:]...)
	b = le.AppendUint64(b, uint64(p.slot.time))
	b = le.AppendUint32(b, p.slot.offline)
	b = le.AppendUint64(b, uint64(p.cancelable))
	b = append(b, p.software[:]...)
	b = le.AppendUint64(b, uint64(p.offline))
	b = append(b, p.next)
	for _, r := range p.recent {
		b = le.AppendUint64(b, r)
	}
	return b
}

const peerLen = 1 + 4 + 8 + 4 + 2 + 1 + 16 + 8 + 4 + 8 + 8 + 8 + 1 + 8*recentDocuments

// parsePeer reads what append wrote. Nothing at all is a register without a
// token; anything else that does not fit is Corrupt.
func parsePeer(b []byte) (p peer, err error) {
	if len(b) == 0 {
		return p, nil
	}
	if len(b) != peerLen || b[0] != peerFormat {
		return p, &fiscal.Error{Of: fiscal.Corrupt, Field: "state.protocol", Msg: "unknown layout"}
	}
	le := binary.LittleEndian
	p.token = le.Uint32(b[1:])
	p.slot.entry = fiscal.Number(le.Uint64(b[5:]))
	p.slot.tokenIn = le.Uint32(b[13:])
	p.slot.reqnum = le.Uint16(b[17:])
	p.slot.command = b[19]
	copy(p.slot.key[:], b[20:36])
	p.slot.time = fiscal.WallTime(le.Uint64(b[36:]))
	p.slot.offline = le.Uint32(b[44:])
	p.cancelable = fiscal.Number(le.Uint64(b[48:]))
	copy(p.software[:], b[56:64])
	p.offline = fiscal.WallTime(le.Uint64(b[64:]))
	p.next = b[72] % recentDocuments
	for i := range p.recent {
		p.recent[i] = le.Uint64(b[73+8*i:])
	}
	return p, nil
}

// remember keeps a document's fingerprint and reports whether it was there.
func (p *peer) remember(print uint64) (again bool) {
	if print == 0 {
		return false
	}
	for _, r := range p.recent {
		again = again || r == print
	}
	p.recent[p.next] = print
	p.next = (p.next + 1) % recentDocuments
	return again
}
