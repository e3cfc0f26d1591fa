package config

import (
	"encoding"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestValues(t *testing.T) {
	type text = encoding.TextUnmarshaler
	tests := []struct {
		into text
		in   string
		want string // "" for an error
	}{
		{new(Size), "0", "0B"},
		{new(Size), "65536", "64KiB"},
		{new(Size), "1000", "1000B"},
		{new(Size), "256MiB", "256MiB"},
		{new(Size), "256 MiB", "256MiB"},
		{new(Size), "1024MiB", "1GiB"},
		{new(Size), "1B", "1B"},
		{new(Size), "8589934591GiB", "8589934591GiB"},
		{new(Size), "8589934592GiB", ""},
		{new(Size), "-1", ""},
		{new(Size), "+1", ""},
		{new(Size), "1.5GiB", ""},
		{new(Size), "256MB", ""},
		{new(Size), "MiB", ""},
		{new(Size), "", ""},
		{new(Duration), "1m30s", "1m30s"},
		{new(Duration), "-1s", ""},
		{new(Duration), "90", ""},
		{new(Date), "2028-02-29", "2028-02-29"},
		{new(Date), "2026-02-29", ""},
		{new(Date), "1.4.2026", ""},
		{new(Addr), ":0", ":0"},
		{new(Addr), "[::1]:7777", "[::1]:7777"},
		{new(Addr), "localhost:65536", ""},
		{new(Addr), "localhost:00", ""},
		{new(Addr), "localhost", ""},
		{new(Site), "https://check.example.kz/t/", "https://check.example.kz/t"},
		{new(Site), "https://check.example.kz/?o=1", ""},
		{new(Site), "https://", ""},
		{new(Proxy), "::1", "::1/128"},
		{new(Proxy), "192.0.2.0/24", "192.0.2.0/24"},
		{new(Proxy), "192.0.2.1/24", ""},
		{new(Proxy), "proxy.example.kz", ""},
		{new(Marking), "", "{  }"},
		{new(Marking), "none", "{  }"},
		{new(Marking), "table", "{table  }"},
		{new(Marking), "table:codes.txt", "{table codes.txt }"},
		{new(Marking), "https://marking.example.ru/", "{  https://marking.example.ru}"},
		{new(Marking), "http://marking.example.ru", ""},
		{new(FarURL), "", "{}"},
		{new(FarURL), "https://exchange.example.kz/ofd/", "{https://exchange.example.kz/ofd}"},
		{new(FarURL), "http://127.0.0.1:7790", "{http://127.0.0.1:7790}"},
		{new(FarURL), "http://localhost:7790", "{http://localhost:7790}"},
		{new(FarURL), "http://10.0.0.1:7790", ""},
		{new(FarURL), "https://name:secret@exchange.example.kz", ""},
		{new(FarURL), "ftp://exchange.example.kz", ""},
		{new(Marking), "table:", ""},
		{new(Marking), "real", ""},
		{new(Part), "gate", "gate"},
		{new(Part), "", ""},
		{new(Version), "203", "203"},
		{new(Version), "20", ""},
		{new(Version), "000", ""},
		{new(BIN), "960624350642", "960624350642"},
		{new(BIN), "960624350641", ""},
	}
	for _, tt := range tests {
		err := tt.into.UnmarshalText([]byte(tt.in))
		got := show(tt.into)
		switch {
		case tt.want == "" && err == nil:
			t.Errorf("%T(%q) = %s, want an error", tt.into, tt.in, got)
		case tt.want != "" && (err != nil || got != tt.want):
			t.Errorf("%T(%q) = %s, %v; want %s", tt.into, tt.in, got, err, tt.want)
		}
	}
}

// show prints the value behind the pointer as a person would write it.
func show(v encoding.TextUnmarshaler) string {
	switch v := v.(type) {
	case *Duration:
		return time.Duration(*v).String()
	case *Addr:
		return v.HostPort
	case *Marking:
		return fmt.Sprint(*v)
	case *FarURL:
		return fmt.Sprint(*v)
	case *Site:
		return v.URL
	case *BIN:
		return v.Number
	case *Version:
		return fmt.Sprint(v.Number)
	}
	return fmt.Sprintf("%v", v)
}

// TestClosedDoor: "off" closes a door that is open by default.
func TestClosedDoor(t *testing.T) {
	a := Addr{":9090"}
	if err := a.UnmarshalText([]byte("off")); err != nil || a != (Addr{}) {
		t.Errorf(`Addr("off") = %v, %v; want a closed door`, a, err)
	}
}

// TestSizeRoundTrip: what String writes reads back as the same size.
func TestSizeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Size(rapid.Int64Min(0).Draw(t, "bytes"))
		var got Size
		if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
			t.Fatalf("Size(%q) = %d, %v; want %d", want.String(), got, err, want)
		}
	})
}

// FuzzParse: no text makes the reader panic, and what it takes it takes again.
func FuzzParse(f *testing.F) {
	f.Add("data = \"a\"\n[kkm]\nswitch_off = { \"202\" = \"2026-04-01\" }")
	f.Add("cache = \"1GiB\"\nparts = []")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := Parse("ofd.toml", []byte(text)); err != nil {
			return
		}
		if _, err := Parse("ofd.toml", []byte(text)); err != nil {
			t.Errorf("Parse(%q) took the text once and then said %v", text, err)
		}
	})
}
