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
