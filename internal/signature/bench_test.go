package signature

import (
	"testing"
)

// BenchmarkVerify measures a signature with its chain of two authorities, of
// which each certificate and the signature are checked: three signatures.
func BenchmarkVerify(b *testing.B) {
	v := verifier(b, someday, "crls")
	document := fixture(b, "document.txt")
	for _, name := range []string{"person", "person-pss", "person-ec", "head", "head-512", "ru-2001"} {
		file := fixture(b, "signed/"+name+".p7s")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(file, document); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
