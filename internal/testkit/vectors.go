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

// Vector is one frame of testdata/vectors/kkm.jsonl; the README there explains
// the fields.
type Vector struct {
	Name      string
	Flow      string // empty for a vector that stands alone
	Step      int    // from 1 within its flow
	Direction string // "request" or "response"
	Version   uint16
	Given     string
	Note      string
	Want      Want
	Fault     string          // "header", "version", "payload", "command", "body" or empty
	Message   json.RawMessage // nil where there is no payload to decode
	Frame     []byte
}

// Request reports whether the frame goes to the operator.
func (v Vector) Request() bool { return v.Direction == "request" }

// Want is what the operator does with a request.
type Want struct {
	Code   uint32 // result code of the answer
	Token  string // of the answer: "same", "free" or "stored"
	Close  bool   // the connection ends afterwards
	Silent bool   // there is no answer
}

// KKMVectors loads the vectors of the Kazakhstan protocol in their order.
func KKMVectors(t testing.TB) []Vector {
	t.Helper()
	name := filepath.Join(moduleRoot(t), "testdata", "vectors", "kkm.jsonl")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var vectors []Vector
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		// Message comes as it stands; only the frame needs a form of its own.
		var line struct {
			Vector
			Frame string
		}
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&line); err != nil {
			t.Fatalf("%s:%d: %v", name, n, err)
		}
		frame, err := hex.DecodeString(line.Frame)
		if err != nil {
			t.Fatalf("%s:%d: frame: %v", name, n, err)
		}
		line.Vector.Frame = frame
		vectors = append(vectors, line.Vector)
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return vectors
}

// KKMFlow is the part of KKMVectors that belongs to one flow, in its order.
func KKMFlow(t testing.TB, flow string) []Vector {
	t.Helper()
	var part []Vector
	for _, v := range KKMVectors(t) {
		if v.Flow == flow {
			part = append(part, v)
		}
	}
	if len(part) == 0 {
		t.Fatalf("no vectors of flow %q", flow)
	}
	return part
}

// moduleRoot is the folder of go.mod above the test's own.
func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
}
