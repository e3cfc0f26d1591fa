package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"openofd/internal/fiscal"
)

func TestDecimals(t *testing.T) {
	tests := []struct {
		text   string
		places int
		want   int64
		bad    bool
	}{
		{"12", 3, 12_000, false},
		{"12.5", 3, 12_500, false},
		{"0,25", 3, 250, false},
		{"43.2380", 4, 432_380, false},
		{"43.23809", 4, 432_380, false},
		{"-76.889", 4, -768_890, false},
		{"-0.5", 4, -5_000, false},
		{"", 3, 0, true},
		{"-", 3, 0, true},
		{".5", 3, 0, true},
		{"1.2.3", 3, 0, true},
		{"+1", 3, 0, true},
		{"1e3", 3, 0, true},
		{"99999999999999999999", 3, 0, true},
	}
	for _, tt := range tests {
		got, err := parseDecimal(tt.text, tt.places)
		if (err != nil) != tt.bad || err == nil && got != tt.want {
			t.Errorf("parseDecimal(%q, %d) = %d, %v; want %d, an error %t", tt.text, tt.places, got, err, tt.want, tt.bad)
		}
	}
	var p percent
	if err := p.UnmarshalText([]byte("100")); err == nil {
		t.Error("100 percent is taken")
	}
	var d degrees
	if err := d.UnmarshalText([]byte("180.0001")); err == nil {
		t.Error("180.0001 degrees are taken")
	}
}

func TestOptions(t *testing.T) {
	var o fiscal.Options
	for _, name := range optionNames() {
		if err := setOption(&o, name); err != nil {
			t.Errorf("setOption(%q) = %v", name, err)
		}
	}
	if !o.KeepToken || !o.TolerateRenumberedRetry || !o.MissingIsBadValue {
		t.Errorf("all options on: %+v", o)
	}
	if err := setOption(&o, "keep_token=false"); err != nil || o.KeepToken {
		t.Errorf("keep_token=false: %v, %v", o.KeepToken, err)
	}
	if !slices.Contains(optionNames(), "strict_service") {
		t.Errorf("options %q, want strict_service among them", optionNames())
	}
}

// Every error is one line that ends with the next step, if there is one.
func TestComplain(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{errors.New("a\nb"), "ofd: a; b\n"},
		{withHint(errors.New("no door"), "Open one"), "ofd: no door. Open one\n"},
		{fmt.Errorf("start: %w", withHint(errors.New("no door"), "Open one")), "ofd: start: no door. Open one\n"},
		{&found{"a fault"}, ""},
	}
	for _, tt := range tests {
		var b strings.Builder
		complain(&b, exitFailed, tt.err)
		if b.String() != tt.want {
			t.Errorf("complain(%v) printed %q, want %q", tt.err, b.String(), tt.want)
		}
	}
	if withHint(nil, "x") != nil {
		t.Error("a hint made an error of none")
	}
}
