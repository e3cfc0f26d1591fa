package kkt_test

import (
	"errors"
	"testing"

	"openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// A document of the format goes through the drive and comes out with the
// drive's numbers and a sign, for each version.
//
// Req: F-005
func TestWritten(t *testing.T) {
	for _, v := range ffd.Versions() {
		d := newDrive(t, new(kkt.Volatile))
		base := func(n kkt.Numbers) ffd.Base {
			return ffd.Base{
				Drive: n.Drive.String(), RegistrationNumber: "0000012345055778", INN: "7704358518",
				Number: n.Number, Time: n.Time,
			}
		}
		if v > ffd.V100 {
			plain := base
			base = func(n kkt.Numbers) ffd.Base { b := plain(n); b.Version = v; return b }
		}
		registration := kkt.Written{Form: ffd.FormRegistration, Version: v, Fill: func(n kkt.Numbers) any {
			return &ffd.Registration{Base: base(n), User: `ООО "Ромашка"`, TaxSystems: 1, OFDINN: operatorINN}
		}}
		opening := kkt.Written{Form: ffd.FormOpenShift, Version: v, Fill: func(n kkt.Numbers) any {
			return &ffd.OpenShift{Base: base(n), Cashier: "Иванов И. И.", Shift: n.Shift}
		}}
		if _, err := d.Make(1772442000, registration); err != nil {
			t.Fatalf("%v: %v", v, err)
		}
		made, err := d.Make(1772442060, opening)
		if err != nil {
			t.Fatalf("%v: %v", v, err)
		}
		got, err := ffd.Parse(made.Bytes, v)
		if err != nil {
			t.Fatalf("%v: %v", v, err)
		}
		if got.Number() != 2 || got.Drive() != testDrive || got.Time() != 1772442060 || got.Sign() != made.Sign || got.Uint(1038) != 1 || got.Version != v {
			t.Errorf("%v: document %d of %s at %v, sign %d, shift %d; made as %+v", v, got.Number(), got.Drive(), got.Time(), got.Sign(), got.Uint(1038), made)
		}
	}
}

// What the format cannot write, or the drive does not agree with, is not made.
func TestWrittenRefused(t *testing.T) {
	d := newDrive(t, new(kkt.Volatile))
	if _, err := d.Make(1772442000, kkt.Written{Form: ffd.FormRegistration, Version: 9, Fill: func(kkt.Numbers) any { return &ffd.Registration{} }}); !errors.Is(err, fiscal.Invalid) {
		t.Errorf("version 9: %v, want Invalid", err)
	}
	if _, err := d.Make(1772442000, kkt.Written{Form: ffd.FormRegistration, Version: ffd.V120, Fill: func(kkt.Numbers) any { return &ffd.Registration{} }}); code(t, err) == 0 {
		t.Errorf("a registration without numbers was made")
	}
	if s := d.Standing(); s.Documents != 0 {
		t.Errorf("standing = %v", s)
	}
}
