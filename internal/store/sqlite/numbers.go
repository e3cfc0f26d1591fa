package sqlite

import (
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

// A register's number leads to a seq by its place in a run of 32: in the row of
// numbers if the run is full, else in states.latest.
const (
	runLength  = 32
	placeBytes = 6
	runBytes   = runLength * placeBytes
)

func appendPlace(b []byte, s journal.Seq) []byte {
	return append(b, byte(s>>40), byte(s>>32), byte(s>>24), byte(s>>16), byte(s>>8), byte(s))
}

func placeAt(b []byte, i int) journal.Seq {
	var s journal.Seq
	for _, v := range b[i*placeBytes : (i+1)*placeBytes] {
		s = s<<8 | journal.Seq(v)
	}
	return s
}

// fillRun is moveState for a commit whose entries, behind last, fill a run.
func (a *appender) fillRun(c *journal.Commit, last fiscal.Number) (fresh bool, err error) {
	s, err := a.tx.Query(`SELECT latest FROM states WHERE register = ? AND version = ? AND number = ?`, int64(c.Register), int64(c.Judged), int64(last))
	if err != nil {
		return false, err
	}
	if fresh = s.Next(); fresh {
		latest := s.Bytes(0)
		a.places = append(latest[:min(len(latest), placeBytes*int(last%runLength))], a.places...)
	}
	if err := s.Close(); err != nil || !fresh {
		return false, err
	}
	for run := int64(last) / runLength; len(a.places) >= runBytes; run++ {
		if _, err := a.tx.Exec(`INSERT INTO numbers (register, run, seqs) VALUES (?, ?, ?)`, int64(c.Register), run, a.places[:runBytes]); err != nil {
			return false, err
		}
		a.places = a.places[runBytes:]
	}
	for len(a.places) < runBytes {
		a.places = append(a.places, 0)
	}
	_, err = a.tx.Exec(`UPDATE states SET version = ?, number = ?, state = ?, latest = ? WHERE register = ?`,
		int64(c.Judged+1), int64(last)+int64(len(c.Entries)), c.State, a.places, int64(c.Register))
	return true, err
}

// seqOf finds the place of a register's entry; ok is false if there is none.
func seqOf(tx *sqlitefile.Tx, r fiscal.RegisterID, n fiscal.Number) (seq journal.Seq, ok bool, err error) {
	if n == 0 {
		return 0, false, nil
	}
	// One statement, so that a run that is just being moved is seen on one side.
	s, err := tx.Query(`SELECT coalesce((SELECT seqs FROM numbers WHERE register = ?1 AND run = ?2), (SELECT latest FROM states WHERE register = ?1))`,
		int64(r), int64(n-1)/runLength)
	if err != nil {
		return 0, false, err
	}
	at := int((n - 1) % runLength)
	if s.Next() {
		if places := s.Bytes(0); len(places) >= (at+1)*placeBytes {
			seq, ok = placeAt(places, at), true
		}
	}
	return seq, ok, s.Close()
}
