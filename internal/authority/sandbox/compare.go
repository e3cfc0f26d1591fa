package sandbox

import (
	"encoding/hex"
	"encoding/json"
	"strconv"

	"openofd/internal/authority/kgd"
	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// Difference is where a summary and the documents we have say different things.
type Difference struct {
	Operator int64
	Register int64
	What     string // a stable name: summary, documents, offline, shifts, first, last, hash, an operation
	Theirs   string
	Ours     string
}

// compare says where a summary differs from what was counted; either may be nil.
func compare(m *kgd.Summary, c *counted) (all []Difference) {
	differ := func(what, theirs, ours string) {
		if theirs != ours {
			all = append(all, Difference{What: what, Theirs: theirs, Ours: ours})
		}
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	switch {
	case m == nil && c == nil:
		return nil
	case m == nil:
		differ("summary", "", number(c.documents))
		return all
	case c == nil:
		c = &counted{}
	}
	differ("documents", number(m.Documents), number(c.documents))
	differ("offline", number(m.Offline), number(c.offline))
	differ("shifts", number(m.Shifts), number(c.shifts))
	if m.First != nil && m.Last != nil {
		differ("first", number(int64(m.First.Entry)), number(c.first.entry))
		differ("last", number(int64(m.Last.Entry)), number(c.last.entry))
		differ("hash", m.ChainHash, hex.EncodeToString(c.hash))
	}
	taxes := map[string]fiscal.Money{}
	for _, t := range m.Taxes {
		taxes[t.Operation] += t.Tax
	}
	for i := range c.n {
		op := fiscal.OpSale + fiscal.Op(i)
		t := m.Receipts[op.String()]
		if !op.Settlement() {
			t = m.Moves[op.String()]
		}
		tally := func(n int64, sum fiscal.Money) string { return number(n) + ": " + sum.String() }
		differ(op.String(), tally(t.Count, t.Sum), tally(c.n[i], c.sum[i]))
		if op.Settlement() && len(m.Taxes) > 0 {
			differ("tax", taxes[op.String()].String(), c.tax[i].String())
		}
	}
	return all
}

// lookedAt is how many registers one look compares.
const lookedAt = 2000

// differences compares the summaries and counts of a day, register by register
// behind a place; next is where to go on, 0 nowhere.
func differences(tx *sqlitefile.Tx, operator, day, after int64) (all []Difference, next int64, err error) {
	st, err := tx.Query(`SELECT register FROM counts WHERE operator = ? AND country = 1 AND day = ? AND register > ?
		UNION SELECT register FROM summaries WHERE operator = ? AND day = ? AND register > ? ORDER BY 1 LIMIT ?`,
		operator, day, after, operator, day, after, lookedAt+1)
	if err != nil {
		return nil, 0, err
	}
	var registers []int64
	for st.Next() {
		registers = append(registers, st.Int(0))
	}
	if err := st.Close(); err != nil {
		return nil, 0, err
	}
	if len(registers) > lookedAt {
		registers = registers[:lookedAt]
		next = registers[lookedAt-1]
	}
	for _, register := range registers {
		m, err := oneSummary(tx, operator, day, register)
		if err != nil {
			return nil, 0, err
		}
		c, err := oneCount(tx, operator, day, register)
		if err != nil {
			return nil, 0, err
		}
		for _, d := range compare(m, c) {
			d.Operator, d.Register = operator, register
			all = append(all, d)
		}
	}
	return all, next, nil
}

func oneSummary(tx *sqlitefile.Tx, operator, day, register int64) (m *kgd.Summary, err error) {
	st, err := tx.Query("SELECT body FROM summaries WHERE operator = ? AND day = ? AND register = ?", operator, day, register)
	if err != nil {
		return nil, err
	}
	if st.Next() {
		m = &kgd.Summary{}
		err = json.Unmarshal(st.Bytes(0), m)
	}
	if closed := st.Close(); err == nil {
		err = closed
	}
	return m, err
}

func oneCount(tx *sqlitefile.Tx, operator, day, register int64) (c *counted, err error) {
	st, err := tx.Query("SELECT "+countColumns+" FROM counts WHERE operator = ? AND country = 1 AND day = ? AND register = ?", operator, day, register)
	if err != nil {
		return nil, err
	}
	if st.Next() {
		one := scanCount(st)
		c = &one
	}
	return c, st.Close()
}
