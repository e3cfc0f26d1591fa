package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"openofd/internal/fiscal"
)

var update = flag.Bool("update", false, "write golden files anew")

// sample is an entry in which every column has a value of its own.
func sample() Entry {
	e := Entry{
		Record: fiscal.Record{
			Register: 200_773, Number: 31, Taxpayer: 17, CardVersion: 3, Format: "kkm/203", Kind: fiscal.DocReceipt,
			Outcome: 7, Flags: fiscal.FlagReplay | fiscal.FlagShiftCloseEarly, Drive: "9999078900012345", DeviceNumber: 1_234_567_890,
			DeviceTime: 1_763_724_761, ReceivedAt: time.UnixMicro(1_763_706_762_123_456), Shift: 12, FiscalSign: 987_654_321_098,
			SignKey: 5, Op: fiscal.OpSaleReturn, Total: 1_777_50, Cash: 1_000_00, Cashless: 700_00, OtherPaid: 77_50, Tax: -245_17,
			Refers: 29, Carrier: 32, Request: []byte("что пришло"), Answer: []byte("что ушло"),
		},
		Partition: 9, Seq: 4242, Month: 202511, Codec: CodecPlain,
	}
	copy(e.Salt[:], "sixteen bytes of")
	return e
}

// The layouts of the hashes never change: every stored entry was hashed so. A
// new layout has a new number and leaves these lines as they are.
func TestLayoutGolden(t *testing.T) {
	prev := sha256.Sum256([]byte("previous"))
	e, empty := sample(), Entry{}
	e.Link(prev)
	empty.Link(Hash{})
	var got bytes.Buffer
	for _, line := range []struct {
		name string
		hash Hash
	}{
		{"digest", e.Digest}, {"hash", e.Hash}, {"chain", chainHash(prev, e.Seq, e.Hash)},
		{"digest of nothing", empty.Digest}, {"hash of nothing", empty.Hash}, {"chain of nothing", chainHash(Hash{}, 0, empty.Hash)},
	} {
		fmt.Fprintf(&got, "%s: %s\n", line.name, hex.EncodeToString(line.hash[:]))
	}
	path := filepath.Join("testdata", "layout1.golden")
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("hashes of the sample:\n%swant:\n%s", got.Bytes(), want)
	}
}

// preimage writes down what a layout's table says, field by field.
type preimage []byte

func (p preimage) byte(v byte) preimage   { return append(p, v) }
func (p preimage) raw(b []byte) preimage  { return append(p, b...) }
func (p preimage) int(v uint64) preimage  { return binary.BigEndian.AppendUint64(p, v) }
func (p preimage) text(s string) preimage { return append(p.int(uint64(len(s))), s...) }
func (p preimage) sum() Hash              { return sha256.Sum256(p) }

// The golden hashes are those of the layouts as they are documented.
func TestLayoutTables(t *testing.T) {
	prev := sha256.Sum256([]byte("previous"))
	e := sample()
	e.Link(prev)
	digest := preimage{}.byte(1).raw([]byte("sixteen bytes of")).int(uint64(len("что пришло"))).raw([]byte("что пришло")).raw([]byte("что ушло")).sum()
	if e.Digest != digest {
		t.Errorf("digest %x, by the table %x", e.Digest, digest)
	}
	tax := int64(-245_17)
	hash := preimage{}.byte(1).raw(prev[:]).
		int(9).int(200_773).int(31).int(17).int(3).                            // partition, register, number, taxpayer, card
		int(1).int(7).int(1 | 1<<36).int(1_234_567_890).int(1_763_724_761).    // kind, outcome, flags, device number and time
		int(1_763_706_762_123_456).int(12).int(987_654_321_098).int(5).int(2). // received, shift, sign, key, operation
		int(177750).int(100000).int(70000).int(7750).int(uint64(tax)).         // total, cash, cashless, other, tax
		int(29).int(32).text("kkm/203").text("9999078900012345").raw(digest[:]).sum()
	if e.Hash != hash {
		t.Errorf("hash %x, by the table %x", e.Hash, hash)
	}
	if got, want := chainHash(prev, 4242, hash), (preimage{}.byte(1).raw(prev[:]).int(4242).raw(hash[:]).sum()); got != want {
		t.Errorf("chain %x, by the table %x", got, want)
	}
}

// Seal numbers, dates and chains behind the head, and the month never goes back.
func TestSeal(t *testing.T) {
	at := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 12, 0, 0, 0, time.UTC) }
	head := Head{Seq: 10, Month: 202610, Chain: sha256.Sum256([]byte("x"))}
	before := head
	c := Commit{Entries: make([]Entry, 4)}
	for i, r := range []time.Time{at(10, 31), at(11, 1), at(10, 31), at(12, 1)} {
		c.Entries[i].ReceivedAt = r
		c.Entries[i].Hash[0] = byte(i)
	}
	Seal(&head, &c)
	chain := before.Chain
	for i, month := range []int32{202610, 202611, 202611, 202612} {
		e := &c.Entries[i]
		chain = chainHash(chain, Seq(11+i), e.Hash)
		if e.Seq != Seq(11+i) || e.Month != month || e.Chain != chain {
			t.Errorf("entry %d: seq %d, month %d, chained %t; want %d, %d, true", i, e.Seq, e.Month, e.Chain == chain, 11+i, month)
		}
	}
	if head != (Head{Seq: 14, Month: 202612, Chain: chain}) {
		t.Errorf("head %+v", head)
	}
}
