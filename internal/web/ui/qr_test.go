package ui

import "testing"

func BenchmarkQR(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewQR("https://ofd.example/?i=362397639340&f=010101907421&s=23456.10&t=20260314T091241"); err != nil {
			b.Fatal(err)
		}
	}
}
