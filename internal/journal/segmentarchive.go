package journal

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"openofd/internal/fiscal"
)

// An archive is what left the journal, as a file that proves itself: JSON, a
// line each, packed by gzip. The first line names the format; then, for each
// partition and month, its entries in order and the segment that sums them up;
// the last line says how many lines there were. The first entry of a register in
// a partition tells the hash that it follows, the first of a segment the chain.
const archiveFormat = "ofd-archive/1"

// archiveLine is one line; one of its fields is set.
type archiveLine struct {
	Format  string          `json:"format,omitempty"`
	Entry   *archivedEntry  `json:"entry,omitempty"`
	Segment *archiveSegment `json:"segment,omitempty"`
	End     *int            `json:"end,omitempty"` // lines before this one
}

type archiveSegment struct {
	Body string       `json:"body"` // JSON, as it was signed
	Key  fiscal.KeyID `json:"key"`
	Sign []byte       `json:"sign"`
}

// archivedEntry is an entry with every column as it is stored.
type archivedEntry struct {
	Partition    fiscal.Partition  `json:"partition"`
	Seq          Seq               `json:"seq"`
	Month        int32             `json:"month"`
	Register     fiscal.RegisterID `json:"register"`
	Number       fiscal.Number     `json:"number"`
	Taxpayer     fiscal.TaxpayerID `json:"taxpayer"`
	CardVersion  uint32            `json:"card_version"`
	Format       string            `json:"format"`
	Kind         uint8             `json:"kind"`
	Outcome      uint16            `json:"outcome"`
	Flags        uint64            `json:"flags"`
	Drive        string            `json:"drive"`
	DeviceNumber uint64            `json:"device_number"`
	DeviceTime   int64             `json:"device_time"`
	ReceivedAt   int64             `json:"received_at"` // microseconds since 1970, UTC
	Shift        uint32            `json:"shift"`
	FiscalSign   uint64            `json:"fiscal_sign"`
	SignKey      fiscal.KeyID      `json:"sign_key"`
	Op           uint8             `json:"operation"`
	Total        fiscal.Money      `json:"total"`
	Cash         fiscal.Money      `json:"cash"`
	Cashless     fiscal.Money      `json:"cashless"`
	OtherPaid    fiscal.Money      `json:"other_paid"`
	Tax          fiscal.Money      `json:"tax"`
	Refers       fiscal.Number     `json:"refers"`
	Carrier      fiscal.Number     `json:"carrier"`
	Codec        Codec             `json:"codec"`
	Salt         []byte            `json:"salt"`
	Digest       Digest            `json:"digest"`
	Hash         Digest            `json:"hash"`
	Chain        Digest            `json:"chain"`
	Request      []byte            `json:"request"`
	Answer       []byte            `json:"answer"`
	Prev         *Digest           `json:"prev,omitempty"`   // the hash it follows
	Before       *Digest           `json:"before,omitempty"` // the chain it follows
}

func archived(e *Entry, prev *Hash) *archivedEntry {
	return &archivedEntry{
		Partition: e.Partition, Seq: e.Seq, Month: e.Month, Register: e.Register, Number: e.Number, Taxpayer: e.Taxpayer, CardVersion: e.CardVersion,
		Format: e.Format, Kind: uint8(e.Kind), Outcome: e.Outcome, Flags: uint64(e.Flags), Drive: e.Drive, DeviceNumber: e.DeviceNumber,
		DeviceTime: int64(e.DeviceTime), ReceivedAt: Micros(e.ReceivedAt), Shift: e.Shift, FiscalSign: e.FiscalSign, SignKey: e.SignKey, Op: uint8(e.Op),
		Total: e.Total, Cash: e.Cash, Cashless: e.Cashless, OtherPaid: e.OtherPaid, Tax: e.Tax, Refers: e.Refers, Carrier: e.Carrier, Codec: e.Codec,
		Salt: e.Salt[:], Digest: Digest(e.Digest), Hash: Digest(e.Hash), Chain: Digest(e.Chain), Request: e.Request, Answer: e.Answer, Prev: (*Digest)(prev),
	}
}

func (a *archivedEntry) entry() (e Entry, prev *Hash, err error) {
	e = Entry{
		Record: fiscal.Record{
			Register: a.Register, Number: a.Number, Taxpayer: a.Taxpayer, CardVersion: a.CardVersion, Format: a.Format, Kind: fiscal.DocumentKind(a.Kind),
			Outcome: a.Outcome, Flags: fiscal.Flags(a.Flags), Drive: a.Drive, DeviceNumber: a.DeviceNumber, DeviceTime: fiscal.WallTime(a.DeviceTime),
			ReceivedAt: Instant(a.ReceivedAt), Shift: a.Shift, FiscalSign: a.FiscalSign, SignKey: a.SignKey, Op: fiscal.Op(a.Op), Total: a.Total, Cash: a.Cash,
			Cashless: a.Cashless, OtherPaid: a.OtherPaid, Tax: a.Tax, Refers: a.Refers, Carrier: a.Carrier, Request: a.Request, Answer: a.Answer,
		},
		Partition: a.Partition, Seq: a.Seq, Month: a.Month, Codec: a.Codec, Digest: Hash(a.Digest), Hash: Hash(a.Hash), Chain: Hash(a.Chain),
	}
	if copy(e.Salt[:], a.Salt) != len(e.Salt) || len(a.Salt) != len(e.Salt) {
		err = &fiscal.Error{Of: fiscal.Corrupt, Field: "archive", Msg: fmt.Sprintf("the salt of entry %d is cut", a.Seq)}
	}
	return e, (*Hash)(a.Prev), err
}

// EncodeKept writes an entry that outlives its month, with the hash it follows.
func EncodeKept(k *KeptEntry) ([]byte, error) { return json.Marshal(archived(&k.Entry, &k.Prev)) }

// DecodeKept reads what EncodeKept wrote. Corrupt.
func DecodeKept(b []byte) (k KeptEntry, err error) {
	var a archivedEntry
	if err := json.Unmarshal(b, &a); err != nil {
		return k, &fiscal.Error{Of: fiscal.Corrupt, Field: "kept_entries", Err: err}
	}
	e, prev, err := a.entry()
	if err == nil && prev == nil {
		err = &fiscal.Error{Of: fiscal.Corrupt, Field: "kept_entries", Msg: "without the hash it follows"}
	}
	if err != nil {
		return k, err
	}
	return KeptEntry{Entry: e, Prev: *prev}, nil
}

// ArchiveWriter writes an archive. Close it, or it is cut.
type ArchiveWriter struct {
	zip   *gzip.Writer
	json  *json.Encoder
	lines int
}

// NewArchiveWriter begins an archive.
func NewArchiveWriter(w io.Writer) (*ArchiveWriter, error) {
	a := &ArchiveWriter{zip: gzip.NewWriter(w)}
	a.json = json.NewEncoder(a.zip)
	return a, a.write(archiveLine{Format: archiveFormat})
}

func (a *ArchiveWriter) write(l archiveLine) error {
	a.lines++
	return a.json.Encode(l)
}

// Entry adds an entry; see Retirement.Entry.
func (a *ArchiveWriter) Entry(e *Entry, prev, before *Hash) error {
	line := archived(e, prev)
	line.Before = (*Digest)(before)
	return a.write(archiveLine{Entry: line})
}

// Segment adds a segment behind its entries.
func (a *ArchiveWriter) Segment(s *Segment) error {
	return a.write(archiveLine{Segment: &archiveSegment{Body: string(s.Body), Key: s.Key, Sign: s.Sign}})
}

// Close ends the archive. It does not close what lies below.
func (a *ArchiveWriter) Close() error {
	n := a.lines
	return errors.Join(a.write(archiveLine{End: &n}), a.zip.Close())
}

// ReadArchive verifies an archive: each entry against its digest, its register's
// chain and its partition's, each segment against its signature and its
// entries. check may be nil; see Verification.Check. It gives the segments.
//
// Errors: *Damage (Corrupt); Corrupt for a file that is none, or cut.
func ReadArchive(r io.Reader, keys func(fiscal.KeyID) (fiscal.Key, error), check func(*Entry) error) ([]Segment, error) {
	zip, err := gzip.NewReader(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return nil, badArchive("not an archive", err)
	}
	in := archiveReader{json: json.NewDecoder(zip), keys: keys, check: check}
	for {
		var l archiveLine
		if err := in.json.Decode(&l); err != nil {
			return in.segments, badArchive(fmt.Sprintf("cut or changed after line %d", in.lines), err)
		}
		if in.lines == 0 && l.Format != archiveFormat {
			return nil, badArchive("not an archive of this format", nil)
		}
		if l.End != nil {
			return in.segments, in.end(*l.End)
		}
		in.lines++
		switch {
		case l.Entry != nil:
			err = in.entry(l.Entry)
		case l.Segment != nil:
			err = in.segment(l.Segment)
		}
		if err != nil {
			return in.segments, err
		}
	}
}

func badArchive(why string, err error) error {
	return &fiscal.Error{Of: fiscal.Corrupt, Field: "archive", Msg: why, Err: err}
}

// archiveReader verifies one archive.
type archiveReader struct {
	json     *json.Decoder
	keys     func(fiscal.KeyID) (fiscal.Key, error)
	check    func(*Entry) error
	lines    int
	walk     *walk // of the partition that is read
	facts    SegmentFacts
	met      map[fiscal.RegisterID]bool // in the segment
	segments []Segment
}

func (r *archiveReader) end(lines int) error {
	if lines != r.lines || r.facts.Entries != 0 {
		return badArchive("lines are missing", nil)
	}
	// The checksum of the packing stands behind the last line.
	if err := r.json.Decode(&archiveLine{}); !errors.Is(err, io.EOF) {
		return badArchive("something is wrong behind its end", err)
	}
	return nil
}

// entry holds an entry against the chains. What it follows, the file itself
// tells of the first ones: the segment holds it to that.
func (r *archiveReader) entry(a *archivedEntry) error {
	e, prev, err := a.entry()
	if err != nil {
		return err
	}
	if r.facts.Entries == 0 {
		if a.Before == nil {
			return damaged(&e, "does not tell what it follows in the partition")
		}
		if r.walk == nil || r.walk.p != e.Partition {
			r.walk = &walk{v: &Verification{Check: r.check}, p: e.Partition, registers: map[fiscal.RegisterID]link{}}
		}
		r.walk.head = Head{Seq: e.Seq - 1, Month: e.Month, Chain: Hash(*a.Before)}
		r.facts = SegmentFacts{Partition: e.Partition, Month: e.Month, First: e.Seq, Before: *a.Before}
		r.met = map[fiscal.RegisterID]bool{}
	}
	if e.Month != r.facts.Month {
		return damaged(&e, "stands among the entries of month %d", r.facts.Month)
	}
	if _, met := r.walk.registers[e.Register]; !met && prev != nil {
		r.walk.registers[e.Register] = link{e.Number - 1, *prev}
	}
	if err := r.walk.entry(context.Background(), &e); err != nil { // without a fold it waits for nothing
		return err
	}
	r.facts.add(&e)
	r.met[e.Register] = true
	return nil
}

// segment holds a segment against its signature and the entries before it.
func (r *archiveReader) segment(a *archiveSegment) error {
	f, err := OpenSegment([]byte(a.Body))
	if err != nil {
		return err
	}
	s := Segment{SegmentFacts: f, Body: []byte(a.Body), Key: a.Key, Sign: a.Sign}
	if err := s.check(r.keys); err != nil {
		return err
	}
	r.facts.Registers, r.facts.Ends = len(r.met), s.Ends
	if !s.Same(&r.facts) {
		return &Damage{Partition: s.Partition, Seq: s.First, What: fmt.Sprintf("the segment of month %d does not sum up the entries before it", s.Month)}
	}
	r.segments = append(r.segments, s)
	r.facts = SegmentFacts{}
	return nil
}
