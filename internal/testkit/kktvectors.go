package testkit

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// KKTVector is one message of testdata/vectors/kkt.jsonl; the README there
// explains the fields.
type KKTVector struct {
	Name     string
	Version  string // of the FFD: "1.05"; empty where there is no document
	Channel  string // "ofd" or "marking"
	Note     string
	Want     KKTWant
	Sign     HexBytes        // message fiscal sign
	Document json.RawMessage // nil where none can be read
	Message  HexBytes
}

// KKTWant is what the operator does with a message.
type KKTWant struct {
	Reply    string
	Code     byte            // of a refusal: 11 or 14
	At       int64           // time in the acknowledgement, wall clock
	Frame    HexBytes        // the acknowledgement; nil where only Document is given
	Document json.RawMessage // what it says
}

// KKTPart is one line of testdata/vectors/kkt-parts.jsonl.
type KKTPart struct {
	Name    string
	Version string
	Layer   string
	Type    string // of a value, as the reference of the tags calls it
	Max     int    // bytes of a value
	Rule    string
	Want    string
	Note    string
	Value   json.RawMessage
	Parsed  json.RawMessage
	CRC     uint16
	Bytes   HexBytes
}

// HexBytes are bytes that stand as hex in JSON.
type HexBytes []byte

// UnmarshalText reads hex.
func (h *HexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// KKTVectors loads the messages of the Russian protocol in their order.
func KKTVectors(t testing.TB) []KKTVector {
	t.Helper()
	return readVectors[KKTVector](t, "kkt.jsonl")
}

// KKTVectorNamed is one of KKTVectors.
func KKTVectorNamed(t testing.TB, name string) KKTVector {
	t.Helper()
	for _, v := range KKTVectors(t) {
		if v.Name == name {
			return v
		}
	}
	t.Fatalf("no vector %q", name)
	return KKTVector{}
}

// KKTParts loads the parts of messages and the rules.
func KKTParts(t testing.TB) []KKTPart {
	t.Helper()
	return readVectors[KKTPart](t, "kkt-parts.jsonl")
}

func readVectors[T any](t testing.TB, file string) []T {
	t.Helper()
	name := filepath.Join(moduleRoot(t), "testdata", "vectors", file)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var all []T
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var v T
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%s:%d: %v", name, n, err)
		}
		all = append(all, v)
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return all
}
