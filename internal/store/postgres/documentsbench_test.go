package postgres

import (
	"testing"

	"openofd/internal/store/storetest"
)

// BenchmarkDocuments measures the first pages of the cabinet's questions, under
// row security.
func BenchmarkDocuments(b *testing.B) {
	storetest.BenchDocuments(b, installation(b), 3)
}

// BenchmarkRegisters measures the lists of a large network's registers.
func BenchmarkRegisters(b *testing.B) {
	storetest.BenchRegisters(b, installation(b), 3)
}
