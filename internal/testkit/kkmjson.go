package testkit

import (
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"openofd/internal/protocol/kkm/kkmpb"
)

const kkmHeader = 18

// kkmResult reads result code and text of an answer.
func kkmResult(answer []byte) (uint32, string) {
	var m kkmpb.Response
	if len(answer) < kkmHeader || proto.Unmarshal(answer[kkmHeader:], &m) != nil {
		return 1 << 31, "not an answer"
	}
	return m.GetResult().GetResultCode(), m.GetResult().GetResultText()
}

// kkmJSON is an answer's payload in the form of the vectors.
func kkmJSON(t testing.TB, answer []byte) []byte {
	t.Helper()
	var m kkmpb.Response
	if err := proto.Unmarshal(answer[kkmHeader:], &m); err != nil {
		t.Fatal(err)
	}
	b, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(&m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
