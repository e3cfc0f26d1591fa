package ffd_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/testkit"
)

// Lengths around a document in a message: session header and container header
// before it, message sign and two zero bytes behind it.
const (
	before = 30 + 32
	behind = 8 + 2
)

// documentOf cuts the document out of a plain message; nil if there is none.
func documentOf(v testkit.KKTVector) []byte {
	if len(v.Message) < before+behind+4 || v.Want.Reply == "none" || v.Want.Reply == "incident" {
		return nil
	}
	return v.Message[before : len(v.Message)-behind]
}

// unstated is the version of a vector's registration, for documents that do
// not state their own.
func unstated(v testkit.KKTVector) ffd.Version { return ffd.ParseVersion(v.Version) }

func parse(t testing.TB, b []byte, v ffd.Version) *ffd.Document {
	t.Helper()
	d, err := ffd.Parse(b, v)
	if err != nil {
		t.Fatalf("Parse(%x) = %v", b, err)
	}
	return d
}

// registered is the registration of the drive of all our own vectors.
func registered(t testing.TB) *ffd.Registered {
	t.Helper()
	v := testkit.KKTVectorNamed(t, "reg-1.2")
	return parse(t, documentOf(v), ffd.V120).Registered()
}

// now is a little after the vectors' documents.
const now fiscal.WallTime = 1763900000

// Every document of the vectors is judged as its vector wants, and one that can
// be read is written as the same bytes.
// Req: F-001, F-002, F-003, F-004, F-005, F-006
func TestVectorsJudged(t *testing.T) {
	r := registered(t)
	judged := 0
	for _, v := range testkit.KKTVectors(t) {
		body := documentOf(v)
		if body == nil {
			continue
		}
		judged++
		t.Run(v.Name, func(t *testing.T) {
			d, err := ffd.Parse(body, unstated(v))
			in := ffd.Circumstances{Now: now, Registered: r}
			if v.Name == "capture-full-message-reregistration" {
				in.Registered = nil
			}
			verdict := d.Check(in)
			want := v.Want.Code
			if verdict.Code() != want {
				t.Errorf("Check() = code %d (%s), want %d; findings %+v", verdict.Code(), verdict.Worst, want, verdict.Findings)
			}
			if (err != nil) != (want == 11) {
				t.Errorf("Parse() = %v, want an error only with code 11", err)
			}
			if err != nil {
				return
			}
			if again, err := d.AppendBinary(nil); err != nil || !bytes.Equal(again, body) {
				t.Errorf("AppendBinary() = %x, %v\nwant %x", again, err, body)
			}
			if got := d.Version.String(); got != v.Version && v.Version != "" {
				t.Errorf("Version = %s, want %s", got, v.Version)
			}
		})
	}
	if judged < 50 {
		t.Errorf("%d documents among the vectors, want at least 50", judged)
	}
}

// What the positive vectors are warned about, so that a new warning on a good
// document is noticed.
func TestVectorsWarned(t *testing.T) {
	r := registered(t)
	got := make(map[string][]string)
	for _, v := range testkit.KKTVectors(t) {
		if body := documentOf(v); body != nil && v.Want.Code == 0 {
			d := parse(t, body, unstated(v))
			in := ffd.Circumstances{Now: now, Registered: r}
			for _, f := range d.Check(in).Findings {
				got[v.Name] = append(got[v.Name], f.Rule+" "+f.Path)
			}
		}
	}
	b, err := json.MarshalIndent(got, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "warned.golden", append(b, '\n'))
}
