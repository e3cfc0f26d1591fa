package sqlite

import (
	"testing"

	"openofd/internal/store/storetest"
)

// BenchmarkDocuments measures the first pages of the cabinet's questions.
func BenchmarkDocuments(b *testing.B) {
	dir := b.TempDir()
	db, err := Open(b.Context(), Options{Dir: dir, Serve: true})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	storetest.BenchDocuments(b, engine{db, dir}, partition)
}

// BenchmarkRegisters measures the lists of a large network's registers.
func BenchmarkRegisters(b *testing.B) {
	dir := b.TempDir()
	db, err := Open(b.Context(), Options{Dir: dir, Serve: true})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	storetest.BenchRegisters(b, engine{db, dir}, partition)
}
