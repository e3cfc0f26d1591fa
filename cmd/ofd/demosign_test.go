package main

import (
	"os"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/signature"
)

// TestDemoAuthority shows that what the demo signs is judged as any signature
// is, and holds for the bytes that were signed alone.
//
// Req: P-047, P-049
func TestDemoAuthority(t *testing.T) {
	var s settings
	if err := s.authority(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	v, err := signature.Open(signature.Config{Roots: os.DirFS(s.Signature.Roots), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	file, err := s.DemoSign([]byte("договор"), "Әсел", "")
	if err != nil {
		t.Fatal(err)
	}
	verdict, err := v.Verify(file, []byte("договор"))
	if err != nil {
		t.Fatalf("Verify() = %v %+v, want a verdict", err, signature.RefusalOf(err))
	}
	if o := verdict.Owner; o.Country != "kz" || o.Role != signature.RolePerson || fiscal.CheckXIN(o.IIN, "iin") != nil {
		t.Errorf("the owner is %+v, want a person of Kazakhstan", o)
	}
	trader := demoVeranda().register.XIN
	if file, err := s.DemoSign([]byte("договор"), "Елена", trader); err != nil {
		t.Error(err)
	} else if verdict, err := v.Verify(file, []byte("договор")); err != nil || verdict.Owner.Country != "ru" || verdict.Owner.Taxpayer() != trader {
		t.Errorf("Verify() of a trader of Russia = %+v, %v, want its INN %s", verdict, err, trader)
	}
	if _, err := v.Verify(file, []byte("другой")); signature.RefusalOf(err) == nil {
		t.Errorf("Verify() of other bytes = %v, want a refusal", err)
	}
}
