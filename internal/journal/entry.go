package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"openofd/internal/fiscal"
)

// Hash is a SHA-256.
type Hash = [sha256.Size]byte

// Seq is the gapless number of an entry within its partition, from 1.
type Seq uint64

// Codec says how Request and Answer of an entry are stored. It is outside the
// hashes, so that payloads can be compressed, sealed or expire by law while
// both chains still verify from the digests.
type Codec uint8

// CodecPlain stores the bytes as they are.
const CodecPlain Codec = 0

// Entry is one record in its place.
type Entry struct {
	fiscal.Record
	Partition fiscal.Partition
	Seq       Seq
	Month     int32 // of ReceivedAt as yyyymm; never goes back within a partition
	Salt      [16]byte
	Codec     Codec
	Digest    Hash // of salt, request and answer
	Hash      Hash // of the register's previous Hash, the columns and Digest
	Chain     Hash // of the partition's previous Chain, Seq and Hash
}

// layout is the version of the hashed layouts. It is the first byte of each.
const layout = 1

// Link fills Digest and Hash of an entry that follows prev in its register's
// chain. It needs everything but Seq, Month and Chain.
func (e *Entry) Link(prev Hash) {
	e.Digest = digest(&e.Salt, e.Request, e.Answer)
	e.Hash = entryHash(prev, e)
}

// digest hashes what was received and sent.
//
//	layout 1 byte, salt 16, length of request 8, request, answer
//
// Integers are big-endian.
func digest(salt *[16]byte, request, answer []byte) Hash {
	h := sha256.New()
	var head [25]byte
	head[0] = layout
	copy(head[1:], salt[:])
	binary.BigEndian.PutUint64(head[17:], uint64(len(request)))
	h.Write(head[:])
	h.Write(request)
	h.Write(answer)
	var d Hash
	h.Sum(d[:0])
	return d
}

// entryHash hashes the register's previous hash, the columns and the digest.
//
//	layout 1 byte, previous hash 32, then each column in the order below:
//	integers as 8 bytes big-endian, texts as length (8) and bytes, digest 32.
func entryHash(prev Hash, e *Entry) Hash {
	var room [512]byte
	b := append(room[:0], layout)
	b = append(b, prev[:]...)
	for _, v := range [...]uint64{
		uint64(e.Partition), uint64(e.Register), uint64(e.Number), uint64(e.Taxpayer), uint64(e.CardVersion),
		uint64(e.Kind), uint64(e.Outcome), uint64(e.Flags), e.DeviceNumber, uint64(e.DeviceTime),
		uint64(Micros(e.ReceivedAt)), uint64(e.Shift), e.FiscalSign, uint64(e.SignKey), uint64(e.Op),
		uint64(e.Total), uint64(e.Cash), uint64(e.Cashless), uint64(e.OtherPaid), uint64(e.Tax),
		uint64(e.Refers), uint64(e.Carrier),
	} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	for _, s := range [...]string{e.Format, e.Drive} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = append(b, e.Digest[:]...)
	return sha256.Sum256(b)
}

// chainHash hashes the partition's previous chain, seq and the entry's hash.
//
//	layout 1 byte, previous chain 32, seq 8 big-endian, hash 32
func chainHash(prev Hash, seq Seq, hash Hash) Hash {
	var b [73]byte
	b[0] = layout
	copy(b[1:], prev[:])
	binary.BigEndian.PutUint64(b[33:], uint64(seq))
	copy(b[41:], hash[:])
	return sha256.Sum256(b[:])
}

// Micros is how a time is hashed and stored: microseconds since 1970, 0 for the
// zero time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Instant is the time, in UTC, of which Micros gave the number.
func Instant(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// monthOf is the month of t as yyyymm.
func monthOf(t time.Time) int32 {
	t = t.UTC()
	return int32(t.Year()*100 + int(t.Month()))
}
