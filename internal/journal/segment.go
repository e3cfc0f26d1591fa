package journal

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"openofd/internal/fiscal"
)

// SegmentFacts are what stays of one partition's entries of a month when they
// are kept no longer: where both chains stood, how many there were and what
// they came to.
type SegmentFacts struct {
	Format    string           `json:"format"`
	Partition fiscal.Partition `json:"partition"`
	Month     int32            `json:"month"` // yyyymm
	First     Seq              `json:"first"`
	Last      Seq              `json:"last"`
	Before    Digest           `json:"before"` // the partition's chain before First
	Chain     Digest           `json:"chain"`  // and after Last
	Entries   uint64           `json:"entries"`
	Registers int              `json:"registers"`
	Receipts  [4]SegmentSum    `json:"receipts"` // sales, returns of sales, purchases, returns of purchases
	Ends      Digest           `json:"ends"`     // of where each register stood; see End
	Until     time.Time        `json:"until"`    // they had to be kept until then
	Made      time.Time        `json:"made"`
	By        string           `json:"by"`
}

// SegmentSum is receipts of one operation.
type SegmentSum struct {
	Count uint64       `json:"count"`
	Sum   fiscal.Money `json:"sum"`
}

// segmentFormat names the layout of SegmentFacts.
const segmentFormat = "ofd-segment/1"

// Segment is the facts as they were signed. Gone says that the entries are kept
// no longer; until then it is a preparation, and nothing starts at it.
type Segment struct {
	SegmentFacts
	Body []byte // the facts as JSON: what is signed
	Key  fiscal.KeyID
	Sign []byte
	Gone bool
}

// Digest is a hash that is hex in JSON.
type Digest Hash

// MarshalText writes hex.
func (d Digest) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(d[:])), nil }

// UnmarshalText reads hex of the right length.
func (d *Digest) UnmarshalText(b []byte) error {
	if n, err := hex.Decode(d[:], b[:min(len(b), 2*len(d))]); err != nil || n != len(d) || len(b) != 2*len(d) {
		return &fiscal.Error{Of: fiscal.Corrupt, Field: "segment", Msg: "not a hash"}
	}
	return nil
}

// End is where a register stood at the end of a month that is kept no longer.
// From there its chain and its state go on.
type End struct {
	Register fiscal.RegisterID
	Taxpayer fiscal.TaxpayerID
	Number   fiscal.Number // of its last entry
	Hash     Hash
	State    []byte // made from its entries, encoded; empty if nobody folded them
	// Kept are the last entries of each kind: what a register may still ask for,
	// or take back, and its last Z report.
	Kept []KeptEntry
}

// KeptEntry is an entry that outlives its month, and the hash that it follows.
type KeptEntry struct {
	Entry
	Prev Hash
}

// SegmentStore is what retiring asks of an engine. Nothing in it can be changed
// or taken away once it is there.
type SegmentStore interface {
	// Retired tells of each partition which entry was the last that is kept no
	// longer; one that never lost any is missing.
	Retired(ctx context.Context) (map[fiscal.Partition]Seq, error)
	// Segments are those of a partition, oldest first.
	Segments(ctx context.Context, p fiscal.Partition) ([]Segment, error)
	// Ends are those of a segment, by register from after (exclusive), limit at
	// most, with what was kept of them.
	Ends(ctx context.Context, p fiscal.Partition, month int32, after fiscal.RegisterID, limit int) ([]End, error)
	// KeepEnds stores ends of a segment to be; those that are there stay.
	KeepEnds(ctx context.Context, p fiscal.Partition, month int32, ends []End) error
	// KeepSegment stores a segment whose ends are stored; AlreadyThere if there
	// is one.
	KeepSegment(ctx context.Context, s *Segment) error
	// RetireMonth lets go of the entries of a month in all partitions. The
	// database itself refuses, as Conflict, unless a segment fits the entries of
	// each partition, the term of each is over by its own clock and no older
	// month is left. Once it returned, or the month is gone already, reads do not
	// find them; killed at any moment it is done wholly or not at all.
	RetireMonth(ctx context.Context, month int32) error
	// Hindrances names what still needs entries of a partition up to seq:
	// followers that are behind, documents that wait for a person.
	Hindrances(ctx context.Context, p fiscal.Partition, seq Seq) ([]string, error)
}

// sign signs the body of a segment with a key of its own, derived, so that no
// signature of another purpose can pass for this one.
func signSegment(body []byte, key *fiscal.Key) []byte {
	own := hmac.New(sha256.New, key.Secret[:])
	own.Write([]byte(segmentFormat))
	mac := hmac.New(sha256.New, own.Sum(nil))
	mac.Write(body)
	return mac.Sum(nil)
}

// SealSegment signs the facts.
func SealSegment(f SegmentFacts, key *fiscal.Key) (Segment, error) {
	f.Format = segmentFormat
	body, err := json.Marshal(&f)
	if err != nil {
		return Segment{}, fmt.Errorf("write the segment of month %d: %w", f.Month, err)
	}
	return Segment{SegmentFacts: f, Body: body, Key: key.ID, Sign: signSegment(body, key)}, nil
}

// OpenSegment reads the facts from a body. It does not look at the signature.
func OpenSegment(body []byte) (f SegmentFacts, err error) {
	if err = json.Unmarshal(body, &f); err == nil && f.Format != segmentFormat {
		err = fmt.Errorf("the format is %q", f.Format)
	}
	if err != nil {
		return f, &fiscal.Error{Of: fiscal.Corrupt, Field: "segment", Err: err}
	}
	return f, nil
}

// check holds a segment against its signature.
func (s *Segment) check(keys func(fiscal.KeyID) (fiscal.Key, error)) error {
	at := &Damage{Partition: s.Partition, Seq: s.First}
	key, err := keys(s.Key)
	if err != nil {
		at.What, at.Err = fmt.Sprintf("key %d of the segment of month %d", s.Key, s.Month), err
		return at
	}
	if !hmac.Equal(s.Sign, signSegment(s.Body, &key)) {
		at.What = fmt.Sprintf("the segment of month %d was changed: its signature does not fit", s.Month)
		return at
	}
	return nil
}

// Same reports whether two segments are of the same entries.
func (f SegmentFacts) Same(g *SegmentFacts) bool {
	a, b := f, *g
	for _, x := range []*SegmentFacts{&a, &b} {
		x.Format, x.Until, x.Made, x.By = "", time.Time{}, time.Time{}, ""
	}
	return a == b
}

// add counts an entry.
func (f *SegmentFacts) add(e *Entry) {
	f.Last, f.Chain = e.Seq, Digest(e.Chain)
	f.Entries++
	if e.Kind == fiscal.DocReceipt && e.Op.Settlement() {
		s := &f.Receipts[e.Op-fiscal.OpSale]
		s.Count++
		s.Sum += e.Total
	}
}

// endsHash makes the digest of ends, told in ascending order.
type endsHash struct{ b bytes.Buffer }

// add takes where a register stood, and the hashes of what is kept of it.
//
//	register 8 bytes, taxpayer 8, number 8, hash 32, SHA-256 of the state 32,
//	entries kept 8; of each of these previous hash 32, hash 32; big-endian. The
//	digest is the SHA-256 of the digest before and that.
func (h *endsHash) add(sum Digest, e *End, kept []keptPlace) Digest {
	h.b.Reset()
	h.b.Write(sum[:])
	state := sha256.Sum256(e.State)
	for _, v := range [...]uint64{uint64(e.Register), uint64(e.Taxpayer), uint64(e.Number)} {
		_ = binary.Write(&h.b, binary.BigEndian, v)
	}
	h.b.Write(e.Hash[:])
	h.b.Write(state[:])
	_ = binary.Write(&h.b, binary.BigEndian, uint64(len(kept)))
	for i := range kept {
		h.b.Write(kept[i].prev[:])
		h.b.Write(kept[i].hash[:])
	}
	return sha256.Sum256(h.b.Bytes())
}

// keptPlace leads to an entry that is kept.
type keptPlace struct {
	kind       fiscal.DocumentKind
	number     fiscal.Number
	prev, hash Hash
}

// places are those of what is kept of a register, each entry held against its
// own hash.
func (e *End) places(p fiscal.Partition) ([]keptPlace, error) {
	all := make([]keptPlace, len(e.Kept))
	for i := range e.Kept {
		k := &e.Kept[i]
		if k.Register != e.Register || k.Partition != p || k.Number > e.Number || k.Digest != digest(&k.Salt, k.Request, k.Answer) || k.Hash != entryHash(k.Prev, &k.Entry) {
			return nil, damaged(&k.Entry, "was kept when its month was retired, and has changed since")
		}
		all[i] = keptPlace{kind: k.Kind, number: k.Number, prev: k.Prev, hash: k.Hash}
	}
	return all, nil
}
