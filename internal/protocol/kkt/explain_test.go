package kkt_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"openofd/internal/protocol/kkt"
	"openofd/internal/testkit"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run with -update and read the difference. Got:\n%s", name, got)
	}
}

// Every malformed vector, one good one of each kind, and messages broken as
// makers of registers break them, with what is said about each.
func TestExplainGolden(t *testing.T) {
	var out bytes.Buffer
	for _, v := range testkit.KKTVectors(t) {
		switch {
		case v.Want.Reply == "none", v.Want.Reply == "empty", strings.HasPrefix(v.Want.Reply, "empty"), v.Want.Reply == "sent",
			v.Want.Reply == "forward or none", v.Want.Code == 11, v.Name == "open-shift-1.05", v.Name == "mark-request-81",
			strings.HasPrefix(v.Name, "capture"), strings.HasPrefix(v.Name, "receipt-1.05-over"):
			writeExplained(t, &out, v.Name, kkt.Explain(v.Message))
		}
		if v.Name == "open-shift-1.05" || v.Name == "tlv-length-overrun" {
			writeExplained(t, &out, v.Name+" (answer)", kkt.Explain(v.Want.Frame))
		}
	}
	for _, c := range brokenMessages(t) {
		writeExplained(t, &out, c.name, kkt.Explain(c.message))
	}
	golden(t, "explain.golden", out.Bytes())
}

// writeExplained prints one part of an explanation a line.
func writeExplained(t *testing.T, out *bytes.Buffer, name string, e kkt.Explanation) {
	t.Helper()
	fmt.Fprintf(out, "== %s\n", name)
	parts := []any{e.Direction, e.Header, e.Container, e.Payload}
	for _, f := range e.Findings {
		parts = append(parts, f)
	}
	for _, part := range parts {
		line, err := json.Marshal(part)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		fmt.Fprintf(out, "%s\n", line)
	}
}

type brokenMessage struct {
	name    string
	message []byte
	key     string // of the finding that has to be among others
	off     int
}

// brokenMessages changes a good message in one place each.
func brokenMessages(t *testing.T) []brokenMessage {
	good := testkit.KKTVectorNamed(t, "open-shift-1.05").Message
	edit := func(f func([]byte) []byte) []byte { return f(bytes.Clone(good)) }
	// summed makes the container's CRC right again.
	summed := func(f func([]byte)) []byte {
		b := bytes.Clone(good)
		f(b)
		frame := b[kkt.HeaderLen:]
		crc := kkt.CRC16(append(bytes.Clone(frame[:2]), frame[4:]...))
		frame[2], frame[3] = byte(crc), byte(crc>>8)
		return b
	}
	zeroed := kkt.CRC16(append(append(bytes.Clone(good[30:32]), 0, 0), good[34:]...))
	return []brokenMessage{
		{"too short", good[:12], "header.short", 12},
		{"signature swapped", edit(func(b []byte) []byte { copy(b, []byte{0x0A, 0x41, 0x08, 0x2A}); return b }), "header.signature.swapped", 0},
		{"S-version", edit(func(b []byte) []byte { b[5] = 0xFF; return b }), "header.sversion", 4},
		{"drive with zeros behind", edit(func(b []byte) []byte { b[23] = 0; return b }), "header.drive", 8},
		{"CRC mode 11", edit(func(b []byte) []byte { b[26] |= 3; return b }), "header.flags", 26},
		{"reserved bits", edit(func(b []byte) []byte { b[27] = 1; return b }), "header.flags.reserved", 26},
		{"size swapped", edit(func(b []byte) []byte { b[24], b[25] = b[25], b[24]; return b }), "header.size.swapped", 24},
		{"no container announced", edit(func(b []byte) []byte { b[26] = 0x10; return b }), "header.flags.container", 26},
		{"CRC unannounced", edit(func(b []byte) []byte { b[28] = 7; return b }), "header.crc.unannounced", 28},
		{"CRC swapped", edit(func(b []byte) []byte {
			b[26] = 0x15
			crc := kkt.CRC16(b[:28])
			b[28], b[29] = byte(crc>>8), byte(crc)
			return b
		}), "header.crc.swapped", 28},
		{"two messages", append(bytes.Clone(good), good...), "message.next", len(good)},
		{"rubbish behind", append(bytes.Clone(good), 1, 2, 3), "message.long", len(good)},
		{"length of the payload alone", summed(func(b []byte) { b[30] -= 32 }), "container.length.payload", 30},
		{"length swapped", summed(func(b []byte) { b[30], b[31] = b[31], b[30] }), "container.length.swapped", 30},
		{"container CRC swapped", edit(func(b []byte) []byte { b[32], b[33] = b[33], b[32]; return b }), "container.crc.swapped", 32},
		{"container CRC over zeros", edit(func(b []byte) []byte { b[32], b[33] = byte(zeroed), byte(zeroed>>8); return b }), "container.crc.zeroed", 32},
		{"container type", summed(func(b []byte) { b[34] = 0x5A }), "container.type", 34},
		{"container version", summed(func(b []byte) { b[36] = 0x21 }), "container.version", 36},
		{"drive in ASCII", summed(func(b []byte) { copy(b[39:], "99990789") }), "container.drive.ascii", 39},
		{"drive is no digits", summed(func(b []byte) { b[40] = 0xAB }), "container.drive", 39},
		{"number in ASCII", summed(func(b []byte) { copy(b[47:], "004") }), "container.number.ascii", 47},
		{"code 0", summed(func(b []byte) { b[35] = 0 }), "container.code", 35},
		{"another code", summed(func(b []byte) { b[35] = 3 }), "document.differs", 62},
		{"marking document", summed(func(b []byte) { b[35] = 81 }), "container.channel", 35},
		{"document length", summed(func(b []byte) { b[64]-- }), "document.unreadable", 64},
		{"tail", summed(func(b []byte) { b[len(b)-1] = 9 }), "payload.tail", len(good) - 2},
		{"container alone", good[kkt.HeaderLen:], "", 0},
		{"container alone, cut", good[kkt.HeaderLen : len(good)-1], "container.length", 0},
	}
}

func TestExplainFindings(t *testing.T) {
	for _, c := range brokenMessages(t) {
		e := kkt.Explain(c.message)
		found := c.key == "" && e.OK()
		for _, f := range e.Findings {
			found = found || f.Key == c.key && f.Offset == c.off
		}
		if !found {
			t.Errorf("%s: Explain(%x) = %+v, want %q at %d", c.name, c.message, e.Findings, c.key, c.off)
		}
	}
}

// An explanation calls wrong what the exchange refuses, and nothing else.
func TestExplainVectors(t *testing.T) {
	for _, v := range testkit.KKTVectors(t) {
		checkExplained(t, v.Message)
		if v.Document != nil {
			d := kkt.Explain(v.Message).Document
			if d == nil || len(d.Requisites) == 0 || d.Version != v.Version || d.Name != kkt.DocCode(v.Message[kkt.HeaderLen+5]).String() {
				t.Errorf("%s: the document is explained as %+v, want a version %s", v.Name, d, v.Version)
			}
		}
		if v.Want.Frame != nil {
			if e := kkt.Explain(v.Want.Frame); !e.OK() || e.Direction != kkt.DirectionAnswer || e.Payload.Ack == nil {
				t.Errorf("%s: Explain of the acknowledgement = %+v", v.Name, e)
			}
		}
		if v.Want.Reply == "sent" {
			if e := kkt.Explain(v.Message); !e.OK() || e.Direction != kkt.DirectionAnswer {
				t.Errorf("%s: Explain = %+v", v.Name, e)
			}
		}
	}
}

func checkExplained(t *testing.T, b []byte) {
	t.Helper()
	e := kkt.Explain(b)
	if _, err := json.Marshal(e); err != nil {
		t.Fatalf("Explain(%x) does not marshal: %v", b, err)
	}
	for _, f := range e.Findings {
		if f.Offset < 0 || f.Offset > len(b) || f.Rule == "" || f.Why == "" || f.Key == "" {
			t.Errorf("Explain(%x): finding %+v", b, f)
		}
	}
	if e.Direction == kkt.DirectionAnswer || e.Header == nil {
		return
	}
	r, err := receive(b, kkt.Plain{}, kkt.Limits{Keys: true})
	var syntax *kkt.SyntaxError
	if errors.As(err, &syntax) && e.OK() {
		t.Errorf("Explain(%x) finds nothing, but %v", b, err)
	}
	tooLong := e.Payload != nil && e.Payload.Length > 4096
	next := len(e.Findings) > 0 && len(b) > kkt.HeaderLen+int(e.Header.Size)
	if err == nil && !e.OK() && !tooLong && !next {
		t.Errorf("Explain(%x) = %+v, but the exchange goes on: %+v", b, e.Findings, r.outline)
	}
}
