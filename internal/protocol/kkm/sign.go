package kkm

import (
	"crypto/sha256"
	"encoding/binary"

	"openofd/internal/fiscal"
)

// A fiscal sign has 12 digits and a first digit that is not 0, so that devices
// which read it as a number and print it back lose nothing.
const (
	signBase     = 100_000_000_000        // 10^11, the smallest sign
	signNumbers  = 9_000_000              // entry numbers told apart
	signTags     = 100_000                // values of the proof
	signSpace    = signNumbers * signTags // 9·10^11
	feistelHalf  = 20                     // bits; two halves are 2^40, a little more than the space
	feistelMask  = 1<<feistelHalf - 1     //
	feistelTurns = 6                      //
	labelTag     = 0x01                   // first byte of a MAC's message: what it is for
	labelTurn    = 0x02                   //
)

// signed is what a fiscal sign proves.
type signed struct {
	Register fiscal.RegisterID
	Number   fiscal.Number // of the entry within its register
	Time     fiscal.WallTime
	Op       fiscal.Op
	Total    fiscal.Money
}

// Sign makes the fiscal sign of a document.
//
// v = (number mod 9·10^6)·10^5 + (HMAC-SHA-256 of register, number, time,
// operation, total) mod 10^5 goes through a keyed permutation of the 9·10^11
// values (Feistel with keyed SHA-256 rounds, the register as tweak, cycle
// walking), then 10^11 is added. So a sign is unique per register by
// construction, depends on every field, does not tell how many documents there
// are, and leads whoever has the key back to the number.
//
// Source: order 135 item 15; KKM reference §11.
func (d *signed) sign(k *fiscal.Key) uint64 {
	v := uint64(d.Number)%signNumbers*signTags + d.tag(k)
	return signBase + permute(k, d.Register, v)
}

func (d *signed) tag(k *fiscal.Key) uint64 {
	var m [34]byte
	m[0] = labelTag
	binary.BigEndian.PutUint64(m[1:], uint64(d.Register))
	binary.BigEndian.PutUint64(m[9:], uint64(d.Number))
	binary.BigEndian.PutUint64(m[17:], uint64(d.Time))
	m[25] = byte(d.Op)
	binary.BigEndian.PutUint64(m[26:], uint64(d.Total))
	sum := mac(&k.Secret, m[:])
	return binary.BigEndian.Uint64(sum[:]) % signTags
}

// SignOf recomputes the fiscal sign of a stored record under its own key.
func SignOf(rec *fiscal.Record, k *fiscal.Key) uint64 {
	d := signed{rec.Register, rec.Number, rec.DeviceTime, rec.Op, rec.Total}
	return d.sign(k)
}

// SignNumbers leads a fiscal sign back to the numbers that its entry may have:
// the one within the first nine million entries of the register, and those
// nine and eighteen million behind it. Of what cannot be a sign there are none.
// Whether an entry bears this very sign is for the caller to compare.
func SignNumbers(k *fiscal.Key, r fiscal.RegisterID, sign uint64) (all []fiscal.Number) {
	if sign < signBase || sign >= signBase+signSpace {
		return nil
	}
	n := fiscal.Number(unpermute(k, r, sign-signBase) / signTags)
	for _, more := range [...]fiscal.Number{0, signNumbers, 2 * signNumbers} {
		if n+more != 0 {
			all = append(all, n+more)
		}
	}
	return all
}

// permute walks the Feistel network until it is back within the space: 1.2
// times on average.
func permute(k *fiscal.Key, r fiscal.RegisterID, v uint64) uint64 {
	for {
		left, right := v>>feistelHalf, v&feistelMask
		for turn := range byte(feistelTurns) {
			left, right = right, left^round(k, r, turn, right)
		}
		if v = left<<feistelHalf | right; v < signSpace {
			return v
		}
	}
}

func unpermute(k *fiscal.Key, r fiscal.RegisterID, v uint64) uint64 {
	for {
		left, right := v>>feistelHalf, v&feistelMask
		for turn := byte(feistelTurns); turn > 0; turn-- {
			left, right = right^round(k, r, turn-1, left), left
		}
		if v = left<<feistelHalf | right; v < signSpace {
			return v
		}
	}
}

// round is the keyed function of one turn: SHA-256 of the key and a message of
// fixed length, which together are one block of the hash. There is nothing to
// extend, so the second hash of an HMAC, three more blocks, would add nothing.
func round(k *fiscal.Key, r fiscal.RegisterID, turn byte, half uint64) uint64 {
	var m [46]byte
	copy(m[:], k.Secret[:])
	m[32], m[33] = labelTurn, turn
	binary.BigEndian.PutUint64(m[34:], uint64(r))
	binary.BigEndian.PutUint32(m[42:], uint32(half))
	sum := sha256.Sum256(m[:])
	return uint64(binary.BigEndian.Uint32(sum[:])) & feistelMask
}
