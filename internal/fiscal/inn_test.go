package fiscal

import (
	"errors"
	"testing"
)

func TestINN(t *testing.T) {
	for _, tt := range []struct {
		inn          string
		valid, check bool // as it travels; as a person types it
	}{
		{"7704358518", true, true},
		{"7704211201", true, true},
		{"500100732259", true, true},
		{"007704358518", true, false}, // padded on the left
		{"7704358519", false, false},
		{"500100732258", false, false},
		{"500100732269", false, false},
		{"770435851", false, false},
		{"77043585181", false, false},
		{"770435851x", false, false},
		{"", false, false},
	} {
		if got := ValidINN(tt.inn); got != tt.valid {
			t.Errorf("ValidINN(%q) = %t, want %t", tt.inn, got, tt.valid)
		}
		err := CheckINN(XIN(tt.inn), "inn")
		if (err == nil) != tt.check || err != nil && !errors.Is(err, BadValue) {
			t.Errorf("CheckINN(%q) = %v, want valid %t", tt.inn, err, tt.check)
		}
	}
}

func TestRussianNumber(t *testing.T) {
	const number, inn, serial = "0000012345055778", "7704358518", "00106900000001"
	for _, tt := range []struct {
		number, inn, serial string
		want                bool
	}{
		{number, inn, serial, true},
		{number, "00" + inn, serial, true},
		{"0000012345055779", inn, serial, false},
		{number, "7704211201", serial, false},
		{number, inn, "00106900000002", false},
		{"000001234505577", inn, serial, false},
		{"00000123450557x8", inn, serial, false},
		{number, "1234567890123", serial, false},
		{number, inn, "123456789012345678901", false},
	} {
		if got := ValidRussianNumber(tt.number, tt.inn, tt.serial); got != tt.want {
			t.Errorf("ValidRussianNumber(%q, %q, %q) = %t, want %t", tt.number, tt.inn, tt.serial, got, tt.want)
		}
	}
}
