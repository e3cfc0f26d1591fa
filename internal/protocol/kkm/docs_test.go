package kkm_test

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"openofd/internal/protocol/kkm"
)

// The frames shown in the documentation are right to the byte.
func TestFramesInDocs(t *testing.T) {
	text, err := os.ReadFile("../../../docs/kkm.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "A2 81 ") {
			continue
		}
		shown++
		frame, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(line), " ", ""))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if e := kkm.Explain(frame); len(e.Findings) > 0 {
			t.Errorf("%q: %+v, want no finding", line, e.Findings)
		}
	}
	if shown != 2 {
		t.Errorf("%d frames in docs/kkm.md, want 2", shown)
	}
}
