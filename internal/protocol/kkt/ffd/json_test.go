package ffd_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"reflect"
	"testing"

	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/testkit"
)

// loose reads JSON with its numbers as exact rationals, so that 1.0 is 1 and
// no digit of a sign is lost.
func loose(t *testing.T, b []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return exact(v)
}

func exact(v any) any {
	switch v := v.(type) {
	case json.Number:
		r, _ := new(big.Rat).SetString(v.String())
		return r.RatString()
	case map[string]any:
		for k := range v {
			v[k] = exact(v[k])
		}
	case []any:
		for i := range v {
			v[i] = exact(v[i])
		}
	}
	return v
}

// Req: F-005, F-006, F-050, F-051, F-052, F-053, F-054, F-055, F-056, F-057, F-058
func TestVectorsAsJSON(t *testing.T) {
	compared := 0
	for _, v := range testkit.KKTVectors(t) {
		if v.Document == nil || v.Message == nil {
			continue
		}
		compared++
		t.Run(v.Name, func(t *testing.T) {
			body := documentOf(v)
			o := ffd.JSON{Sign: v.Sign}
			if len(o.Sign) == 0 && v.Channel == "ofd" { // captured messages and repeats
				o.Sign = v.Message[len(v.Message)-behind:][:8]
			}
			text := parse(t, body, unstated(v)).AppendJSON(nil, o)
			got, want := loose(t, text), loose(t, v.Document)
			for _, doc := range got.(map[string]any) {
				raw, stated := doc.(map[string]any)["rawData"]
				if stated != (v.Channel == "ofd") {
					t.Errorf("rawData: %v, want it on the operator's channel alone", stated)
				}
				if stated && raw != base64.StdEncoding.EncodeToString(append(bytes.Clone(body), o.Sign...)) {
					t.Errorf("rawData = %v", raw)
				}
				delete(doc.(map[string]any), "rawData")
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("AppendJSON() =\n%s\nwant\n%s", text, v.Document)
			}
		})
	}
	if compared < 40 {
		t.Errorf("%d documents compared, want at least 40", compared)
	}
}

func TestPartsAsJSON(t *testing.T) {
	for _, p := range testkit.KKTParts(t) {
		if p.Layer != "document" && p.Layer != "tlv" {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			v := ffd.ParseVersion(p.Version)
			body := []byte(p.Bytes)
			if p.Layer == "tlv" { // a list stands in a document to be read
				body = append([]byte{7, 0, byte(len(body)), 0}, body...)
			}
			d := parse(t, body, v)
			got := loose(t, d.AppendJSON(nil, ffd.JSON{}))
			want := loose(t, p.Value)
			if p.Layer == "tlv" {
				want = map[string]any{"operatorAck": want}
			}
			for name, doc := range want.(map[string]any) {
				delete(got.(map[string]any)[name].(map[string]any), "code")
				if p.Name == "plain-receipt-json-roundtrip" {
					// Its maker wrote the sign as a number and knew older names.
					w, g := doc.(map[string]any), got.(map[string]any)[name].(map[string]any)
					delete(w, "fiscalSign")
					delete(g, "fiscalSign")
					w["appliedTaxationType"] = w["taxationType"]
					delete(w, "taxationType")
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("AppendJSON() = %v\nwant %v", got, want)
			}
			if again, err := d.AppendBinary(nil); err != nil || !bytes.Equal(again, body) {
				t.Errorf("AppendBinary() = %x, %v, want %x", again, err, body)
			}
		})
	}
}

// The very text, for whoever reads it at the other end.
func TestJSONGolden(t *testing.T) {
	for _, name := range []string{"receipt-1.05-internet-1125-1234", "receipt-1.2-marked-fraction", "close-shift-1.05"} {
		v := testkit.KKTVectorNamed(t, name)
		text := parse(t, documentOf(v), unstated(v)).AppendJSON(nil, ffd.JSON{Sign: v.Sign, Wrapped: name == "close-shift-1.05"})
		golden(t, "json-"+name+".golden", append(text, '\n'))
	}
}
