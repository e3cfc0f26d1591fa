package sandbox

import (
	"context"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// Documents is how many documents of a country are here, of all operators.
func (s *Server) Documents(ctx context.Context, c fiscal.Country) (n int64, err error) {
	err = s.file.Read(ctx, func(tx *sqlitefile.Tx) error {
		n, _, err = tx.QueryInt("SELECT count(*) FROM documents WHERE country = ?", int64(of(c)))
		return err
	})
	return n, err
}

// Differences are those of a day between what operators summed up and what is
// counted here, the first two thousand registers of each.
func (s *Server) Differences(ctx context.Context, of fiscal.WallTime) (all []Difference, err error) {
	err = s.file.Read(ctx, func(tx *sqlitefile.Tx) error {
		names, err := operatorNames(tx)
		for id := range names {
			some, _, failed := differences(tx, id, day(of), 0)
			if err = failed; err != nil {
				break
			}
			all = append(all, some...)
		}
		return err
	})
	return all, err
}

// Held is a document that is here.
type Held struct {
	Operator int64
	Register fiscal.RegisterID
	Entry    fiscal.Number
	Hash     [32]byte // of the entry; of Russia what the drive signed with, 8 bytes
}

// Each tells of every document of a country, in the order in which they came.
func (s *Server) Each(ctx context.Context, c fiscal.Country, tell func(Held)) error {
	return s.file.Read(ctx, func(tx *sqlitefile.Tx) error {
		st, err := tx.Query("SELECT operator, register, entry, hash FROM documents WHERE country = ? ORDER BY seq", int64(of(c)))
		if err != nil {
			return err
		}
		for st.Next() {
			h := Held{Operator: st.Int(0), Register: fiscal.RegisterID(st.Int(1)), Entry: fiscal.Number(st.Int(2))}
			copy(h.Hash[:], st.Bytes(3))
			tell(h)
		}
		return st.Close()
	})
}
