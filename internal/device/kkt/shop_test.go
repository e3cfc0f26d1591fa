package kkt_test

import (
	"testing"
	"time"

	"openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// The documents of a shop break no rule of their format in any version.
func TestShopBreaksNoRule(t *testing.T) {
	for _, v := range []ffd.Version{ffd.V105, ffd.V110, ffd.V120} {
		shop := kkt.SampleShop(v)
		d, err := kkt.NewDrive(kkt.DriveConfig{Number: number(t, "9999078902001234")}, &kkt.Volatile{}, sim1())
		if err != nil {
			t.Fatal(err)
		}
		at := fiscal.WallIn(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), time.UTC)
		var registered *ffd.Registered
		for _, doc := range []kkt.Document{
			shop.Registration(0), shop.OpenShift(), shop.Receipt(fiscal.OpSale, 11_000, 5_550), shop.Receipt(fiscal.OpPurchaseReturn, 300),
			shop.CloseShift(), shop.State(), shop.CloseDrive(),
		} {
			made, err := d.Make(at, doc)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := ffd.Parse(made.Bytes, v)
			if err != nil {
				t.Fatal(err)
			}
			if verdict := parsed.Check(ffd.Circumstances{Now: at, Registered: registered}); len(verdict.Findings) > 0 {
				t.Errorf("%v in %v: %+v, want no finding", made.Code, v, verdict.Findings)
			}
			if registered == nil {
				registered = parsed.Registered()
			}
		}
	}
}
