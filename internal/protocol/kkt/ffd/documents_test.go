package ffd_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// Every form in every version is written, read back as it was, and found good.
// Req: F-005, F-006
func TestEveryFormInEveryVersion(t *testing.T) {
	for _, v := range ffd.Versions() {
		for f, doc := range samples(t, v) {
			t.Run(fmt.Sprintf("%s-%s", f, v), func(t *testing.T) {
				b := write(t, f, v, doc)
				d := parse(t, b, v)
				if d.Form != f || d.Version != v {
					t.Fatalf("Form, Version = %s, %s", d.Form, d.Version)
				}
				got := reflect.New(reflect.TypeOf(doc).Elem())
				d.Read(got.Interface())
				if !reflect.DeepEqual(got.Interface(), doc) {
					t.Errorf("Read() =\n%+v\nwant\n%+v", got.Interface(), doc)
				}
				verdict := d.Check(ffd.Circumstances{Now: moment(t, 2026, 2, 4), Registered: &sampleRegistered})
				if verdict.Worst != ffd.Off {
					t.Errorf("Check() = %+v, want nothing", verdict.Findings)
				}
			})
		}
	}
}

// A requisite that the version does not have is not written.
func TestAppendRefusesForeignTag(t *testing.T) {
	r := sampleReceipt(ffd.V105, moment(t, 2026, 2, 3))
	r.Items[0].Checked = ptr(uint8(15))
	_, err := ffd.Append(nil, ffd.FormReceipt, ffd.V105, r)
	var e *fiscal.Error
	if !errors.As(err, &e) || e.Field != "2106" || !errors.Is(err, fiscal.Invalid) {
		t.Errorf("Append() with 2106 in 1.05 = %v, want Invalid about 2106", err)
	}
}

// The structs know every tag that their form has in any version, but those of
// FFD 1.0 and of old firmware, which Read leaves in Rest.
func TestStructsCoverTheTable(t *testing.T) {
	structs := map[ffd.Form]any{
		1: ffd.Registration{}, 11: ffd.Registration{}, 2: ffd.OpenShift{}, 21: ffd.State{}, 3: ffd.Receipt{}, 31: ffd.Receipt{},
		5: ffd.CloseShift{}, 6: ffd.CloseDrive{}, 7: ffd.Acknowledgement{},
		81: ffd.MarkRequest{}, 82: ffd.MarkNotice{}, 83: ffd.MarkAnswer{}, 84: ffd.MarkReceipt{},
	}
	for f, s := range structs {
		has := tagsOf(reflect.TypeOf(s))
		for _, def := range ffd.Definitions() {
			for _, p := range def.Places {
				if p.In == uint16(f) && !has[fmt.Sprint(def.Tag)] && (p.Needs[ffd.V105] == ffd.Required || p.Needs[ffd.V110] == ffd.Required || p.Needs[ffd.V120] == ffd.Required || p.Needs[ffd.V120] == ffd.Conditional) {
					t.Errorf("form %s has no field for tag %d (%s)", f, def.Tag, def.EN)
				}
			}
		}
	}
}

func tagsOf(s reflect.Type) map[string]bool {
	all := make(map[string]bool)
	for i := range s.NumField() {
		f := s.Field(i)
		if tag := f.Tag.Get("ffd"); tag != "" {
			all[tag] = true
		} else if f.Anonymous {
			for tag := range tagsOf(f.Type) {
				all[tag] = true
			}
		}
	}
	return all
}

// The documents of the marking channel are written and read back.
// Req: F-066, F-067, F-068, F-069
func TestMarkDocuments(t *testing.T) {
	at := moment(t, 2026, 2, 3)
	for f, doc := range map[ffd.Form]any{
		ffd.FormMarkRequest: &ffd.MarkRequest{Number: 7, INN: sampleINN, Time: at, Drive: sampleDrive, Checked: 3, Planned: 1, CodeKind: 4, Code: "0104605035006964215Oo\x1d91EE06"},
		ffd.FormMarkAnswer:  &ffd.MarkAnswer{Number: 7, Time: at, Outcome: 0, Status: ptr(uint8(1)), Product: "0104605035006964"},
		ffd.FormMarkReceipt: &ffd.MarkReceipt{Number: 3, Time: at, Result: ptr(uint8(0))},
		ffd.FormMarkNotice: &ffd.MarkNotice{
			Number: 3, Time: at, Drive: sampleDrive, INN: sampleINN, TaxSystem: 1, Operation: 1, Kind: 1, Zone: 2, Receipt: 17, Internet: true,
			Goods: []ffd.MarkedGood{{Code: "010460", CodeKind: 4, Product: "010460", Control: "EE06", Status: 1, Checked: 15, PaymentType: 4, Name: "Вода", Price: 100, Sum: 100, Rate: 11, VAT: 18}},
		},
	} {
		t.Run(f.String(), func(t *testing.T) {
			d := parse(t, write(t, f, ffd.V120, doc), ffd.V120)
			got := reflect.New(reflect.TypeOf(doc).Elem())
			d.Read(got.Interface())
			if !reflect.DeepEqual(got.Interface(), doc) {
				t.Errorf("Read() =\n%+v\nwant\n%+v", got.Interface(), doc)
			}
			if v := d.Check(ffd.Circumstances{}); v.Worst != ffd.Off {
				t.Errorf("Check() = %+v, want nothing", v.Findings)
			}
		})
	}
}
