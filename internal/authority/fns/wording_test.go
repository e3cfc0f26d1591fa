package fns_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"testing"
	"time"

	"openofd/internal/authority/fns"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/testkit"
)

const drive = "9999078902001234"

// record is a stored document of a vector.
func record(v testkit.KKTVector, number uint64, format string) *fiscal.Record {
	return &fiscal.Record{
		Register: 200_145, Number: 17, Format: format, Kind: fiscal.DocReceipt, Drive: drive, DeviceNumber: number,
		ReceivedAt: time.Date(2026, 3, 14, 23, 59, 59, 999_999_000, time.UTC), Request: v.Message,
	}
}

func numberOf(t *testing.T, message []byte) uint64 {
	t.Helper()
	f, err := kkt.ParseFrameHeader(message[kkt.HeaderLen:])
	if err != nil {
		t.Fatal(err)
	}
	return uint64(f.Number)
}

// words are those of a running operator with keys of simulated drives.
func words() fns.Wording {
	return fns.Wording{
		Documents: kkt.Reader{Module: kkt.NewSIM1(kkt.SIM1TestKey())},
		NoKey:     func(err error) bool { return errors.Is(err, kkt.ErrKeyUnavailable) },
	}
}

// exact reads JSON with its numbers as exact rationals: a message sign does not
// fit a float64.
func exact(t *testing.T, text []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case json.Number:
			r, _ := new(big.Rat).SetString(v.String())
			return r.RatString()
		case map[string]any:
			for k := range v {
				v[k] = walk(v[k])
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		}
		return v
	}
	return walk(v)
}

// encrypted is a vector's document as a drive sends it that encrypts.
func encrypted(t *testing.T, v testkit.KKTVector) testkit.KKTVector {
	t.Helper()
	crypto := kkt.NewSIM1(kkt.SIM1TestKey())
	h, err := kkt.ParseHeader(v.Message)
	if err != nil {
		t.Fatal(err)
	}
	f, err := kkt.ParseFrame(v.Message[kkt.HeaderLen:])
	if err != nil {
		t.Fatal(err)
	}
	o, err := crypto.OpenContainer(t.Context(), f, h.Version)
	if err != nil {
		t.Fatal(err)
	}
	const sign = 4 + 6 // the drive writes its sign itself
	made, err := crypto.SealDocument(f.Drive, f.Code, f.Number, o.Document[4:len(o.Document)-sign], true)
	if err != nil {
		t.Fatal(err)
	}
	if v.Message, err = kkt.AppendMessage(nil, h, made.Frame); err != nil {
		t.Fatal(err)
	}
	return v
}

// A document that came encrypted is forwarded like any other; its message sign
// is another, for that covers what the drive adds.
func TestEncrypted(t *testing.T) {
	plain := testkit.KKTVectorNamed(t, "receipt-1.2-measure-kg")
	number := numberOf(t, plain.Message)
	_, want, _, err := words().Word(t.Context(), nil, delivery.Entry{Record: record(plain, number, "kkt/1.2")})
	if err != nil {
		t.Fatal(err)
	}
	_, got, ok, err := words().Word(t.Context(), nil, delivery.Entry{Record: record(encrypted(t, plain), number, "kkt/1.2/sealed")})
	got, _, _ = bytes.Cut(got, []byte(`,"messageFiscalSign"`))
	want, _, signed := bytes.Cut(want, []byte(`,"messageFiscalSign"`))
	if err != nil || !ok || !signed || !bytes.Equal(got, want) {
		t.Errorf("Word of the encrypted one = %t, %v\n%s\nwant\n%s", ok, err, got, want)
	}
}

// Every document of the vectors that an operator acknowledges becomes one line
// that holds it as the reference words it: the names, the amounts in kopecks,
// the message sign as an unsigned number of 64 bits, and the bytes that came.
//
// Req: P-008, P-020, O-002, F-005
func TestVectorsBecomeLines(t *testing.T) {
	s := schema(t)
	compared := 0
	for _, v := range testkit.KKTVectors(t) {
		if v.Document == nil || v.Channel != "ofd" || v.Want.Reply != "ack" || v.Version == "" || len(v.Sign) != 8 {
			continue
		}
		compared++
		t.Run(v.Name, func(t *testing.T) {
			rec := record(v, numberOf(t, v.Message), "kkt/"+v.Version)
			id, line, ok, err := words().Word(t.Context(), []byte("before"), delivery.Entry{Record: rec})
			if err != nil || !ok || !bytes.HasPrefix(line, []byte("before{")) || bytes.Count(line, []byte("\n")) != 1 || line[len(line)-1] != '\n' {
				t.Fatalf("Word = %q, %s, %t, %v; want one line behind what was there", id, line, ok, err)
			}
			line = line[len("before"):]
			s.check(t, line)
			got := exact(t, line).(map[string]any)
			if got["id"] != id || got["register"] != "200145" || got["entry"] != "17" || got["received"] != "2026-03-14T23:59:59.999999Z" {
				t.Errorf("the line says %v", got)
			}
			want := exact(t, v.Document)
			for _, doc := range got["document"].(map[string]any) {
				doc := doc.(map[string]any)
				raw, err := base64.StdEncoding.DecodeString(doc["rawData"].(string))
				if err != nil || len(raw) < 8 || !bytes.Equal(raw[len(raw)-8:], v.Sign) {
					t.Errorf("rawData = %x, %v; want it to end in the message sign %x", raw, err, []byte(v.Sign))
				}
				if n, _ := new(big.Int).SetString(doc["messageFiscalSign"].(string), 10); n.Cmp(new(big.Int).SetBytes(v.Sign)) != 0 {
					t.Errorf("messageFiscalSign = %v, want %d", n, new(big.Int).SetBytes(v.Sign))
				}
				delete(doc, "rawData")
			}
			if !reflect.DeepEqual(got["document"], want) {
				t.Errorf("the document is\n%v\nwant\n%v", got["document"], want)
			}
		})
	}
	if compared < 25 {
		t.Errorf("%d documents compared, want at least 25", compared)
	}
}

// What is none of the service's business is left out, and what cannot be
// forwarded says why.
func TestUnfit(t *testing.T) {
	receipt := testkit.KKTVectorNamed(t, "receipt-1.2-measure-kg")
	sealed := encrypted(t, receipt)
	number := numberOf(t, receipt.Message)
	with := func(change func(*fiscal.Record)) *fiscal.Record {
		rec := record(receipt, number, "kkt/1.2")
		change(rec)
		return rec
	}
	for _, tt := range []struct {
		name   string
		rec    *fiscal.Record
		module kkt.CryptoModule
		want   delivery.Reason // "": none of our business
	}{
		{"of Kazakhstan", with(func(r *fiscal.Record) { r.Format = "kkm/203" }), nil, ""},
		{"an act", with(func(r *fiscal.Record) { r.Format, r.Drive, r.DeviceNumber = "act/1", "", 0 }), nil, ""},
		{"a request about a marking code", with(func(r *fiscal.Record) { r.Kind = fiscal.DocMarkRequest }), nil, ""},
		{"a notification of marked goods", with(func(r *fiscal.Record) { r.Kind = fiscal.DocMarkNotice }), nil, ""},
		{"to the marking system", with(func(r *fiscal.Record) { r.Kind = fiscal.DocMarkNotice }), nil, ""},
		{"a question to the marking system", with(func(r *fiscal.Record) { r.Kind = fiscal.DocMarkRequest }), nil, ""},
		{"of no drive", with(func(r *fiscal.Record) { r.Drive = "" }), nil, ""},
		{"unreadable", with(func(r *fiscal.Record) { r.Kind = fiscal.DocUnreadable }), nil, delivery.Unreadable},
		{"of a format nobody knows", with(func(r *fiscal.Record) { r.Format = "kkt/9.9" }), nil, delivery.Unreadable},
		{"cut", with(func(r *fiscal.Record) { r.Request = r.Request[:40] }), nil, delivery.Damaged},
		{"empty", with(func(r *fiscal.Record) { r.Request = nil }), nil, delivery.Damaged},
		{"another byte", with(func(r *fiscal.Record) { r.Request = bytes.Clone(r.Request); r.Request[100] ^= 1 }), nil, delivery.Damaged},
		{"encrypted, no module", record(sealed, 1, "kkt/1.2/sealed"), nil, delivery.NoKey},
	} {
		w := words()
		w.Documents = kkt.Reader{Module: tt.module}
		id, room, ok, err := w.Word(t.Context(), []byte("room"), delivery.Entry{Record: tt.rec})
		var unfit *delivery.Unfit
		switch {
		case ok || string(room) != "room":
			t.Errorf("%s: Word = %q, %t; want nothing worded", tt.name, room, ok)
		case tt.want == "" && (err != nil || id != ""):
			t.Errorf("%s: Word = %q, %v; want it left out", tt.name, id, err)
		case tt.want != "" && (!errors.As(err, &unfit) || unfit.Reason != tt.want || id == ""):
			t.Errorf("%s: Word = %q, %v; want %s", tt.name, id, err, tt.want)
		}
	}

	// A module that is away for a moment is no reason to put a document aside.
	w := words()
	w.Documents = away{}
	_, _, _, err := w.Word(t.Context(), nil, delivery.Entry{Record: record(sealed, 1, "kkt/1.2/sealed")})
	var unfit *delivery.Unfit
	if !errors.Is(err, fiscal.Unavailable) || errors.As(err, &unfit) {
		t.Errorf("Word without the module = %v, want Unavailable", err)
	}
}

// away is a reader whose module does not answer.
type away struct{}

func (away) AppendJSON(b []byte, _ *fiscal.Record) ([]byte, error) { return b, kkt.ErrTemporary }
