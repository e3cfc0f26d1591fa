package sandbox

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"openofd/internal/authority/kgd"
	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// takeSummaries takes what registers did on a day, as their operator has it.
//
// Source: order 135 item 22.
func (s *Server) takeSummaries(w http.ResponseWriter, r *http.Request, operator int64) error {
	leave, err := s.place()
	if err != nil {
		return err
	}
	defer leave()
	body, err := s.body(w, r, kgd.MaxBatch)
	if err != nil {
		return err
	}
	type line struct {
		kgd.Summary
		day  int64
		body []byte
	}
	var lines []line
	b := batch{operator: operator, what: "summaries", taken: kgd.Taken{Batch: batchOf(r), Refused: []kgd.Refusal{}}}
	err = each(body, func(n int, text []byte) error {
		l := line{body: text}
		if err := json.Unmarshal(text, &l.Summary); err != nil || l.ID == "" {
			return unprocessable("line %d is no summary: %v", n, err)
		}
		if l.day, err = checkSummary(&l.Summary); err != nil {
			b.refuse(strings.ToValidUTF8(l.ID[:min(len(l.ID), 100)], ""), err.Error())
			return nil
		}
		lines = append(lines, l)
		return nil
	})
	if err != nil {
		return err
	}
	refused, now := len(b.taken.Refused), s.now().UnixMicro()
	err = s.file.Write(r.Context(), func(tx *sqlitefile.Tx) error {
		b.taken.Taken, b.taken.Again, b.taken.Refused = 0, 0, b.taken.Refused[:refused]
		for i := range lines {
			l := &lines[i]
			changed, err := tx.Exec(`INSERT INTO summaries (operator, day, register, version, at, body) VALUES (?, ?, ?, ?, ?, ?)
				ON CONFLICT DO UPDATE SET version = excluded.version, at = excluded.at, body = excluded.body WHERE excluded.version > version`,
				operator, l.day, int64(l.Register), l.Version, now, l.body)
			if err != nil {
				return err
			}
			if changed > 0 {
				b.taken.Taken++
				continue
			}
			same, err := sameSummary(tx, operator, l.day, int64(l.Register), l.Version, l.body)
			switch {
			case err != nil:
				return err
			case same:
				b.taken.Again++
			default:
				b.refuse(l.ID, "version: another summary was taken under it")
			}
		}
		return keepRefused(tx, operator, now, b.what, b.taken.Refused)
	})
	if err != nil {
		return err
	}
	answerJSON(w, &b.taken)
	return nil
}

// sameSummary reports whether what is there is newer, or the very same.
func sameSummary(tx *sqlitefile.Tx, operator, day, register, version int64, body []byte) (bool, error) {
	st, err := tx.Query("SELECT version, body FROM summaries WHERE operator = ? AND day = ? AND register = ?", operator, day, register)
	if err != nil {
		return false, err
	}
	same := st.Next() && (st.Int(0) > version || bytes.Equal(st.Bytes(1), body))
	return same, st.Close()
}

// checkSummary holds a summary against the rules of its form.
func checkSummary(m *kgd.Summary) (day int64, err error) {
	day, ok := parseDay(m.Day)
	hash, bad := hex.DecodeString(m.ChainHash)
	switch {
	case m.Format != kgd.Format:
		return 0, &wrong{"format", "it is not " + kgd.Format}
	case !ok:
		return 0, &wrong{"day", "it is no day like 2026-03-14"}
	case m.Register <= 0:
		return 0, &wrong{"register", "it is a number above zero"}
	case m.Version < 0, m.Version == 0 && m.Documents != 0:
		return 0, &wrong{"version", "it is a number above zero, 0 of a day without documents"}
	case m.ID != fmt.Sprintf("%d/%s/%d", m.Register, m.Day, m.Version):
		return 0, &wrong{"id", "it is not register, day and version"}
	case !validKazakh(string(m.BIN)):
		return 0, &wrong{"bin", "it is no BIN or IIN: 12 digits, of which the last checks the others"}
	case m.Documents < 0 || m.Offline < 0 || m.Offline > m.Documents || m.Shifts < 0 || m.Shifts > m.Documents:
		return 0, &wrong{"documents", "offline and shifts are parts of them"}
	case m.Documents > 0 && (m.First == nil || m.Last == nil || m.First.Entry > m.Last.Entry):
		return 0, &wrong{"first", "first and last are there, in this order"}
	case m.Documents > 0 && (bad != nil || len(hash) != 32):
		return 0, &wrong{"chain_hash", "it is not 64 hexadecimal digits"}
	}
	for _, tallies := range []map[string]kgd.Tally{m.Receipts, m.Moves} {
		for name, t := range tallies {
			if t.Count < 0 || t.Sum < 0 || operation([]byte(name)) == fiscal.OpNone {
				return 0, &wrong{"receipts", "there is no such operation, or less than none of it"}
			}
		}
	}
	return day, nil
}

// takeReport takes the daily report on transmission; a later one replaces it.
func (s *Server) takeReport(w http.ResponseWriter, r *http.Request, operator int64) error {
	body, err := s.body(w, r, 1<<20)
	if err != nil {
		return err
	}
	var in kgd.Report
	if err := json.Unmarshal(body, &in); err != nil {
		return unprocessable("the body is no report: %v", err)
	}
	day, ok := parseDay(in.Day)
	switch {
	case in.Format != kgd.Format:
		return unprocessable("format: it is not %s", kgd.Format)
	case !ok:
		return unprocessable("day: it is no day like 2026-03-14")
	case len(in.Content) == 0:
		return unprocessable("content: it is missing")
	}
	err = s.file.Write(r.Context(), func(tx *sqlitefile.Tx) error {
		_, err := tx.Exec("INSERT INTO reports (operator, day, at, body) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at, body = excluded.body",
			operator, day, s.now().UnixMicro(), body)
		return err
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// counts serves what the documents of a day came to, by register.
func (s *Server) counts(w http.ResponseWriter, r *http.Request, operator int64) error {
	q := r.URL.Query()
	day, ok := parseDay(q.Get("day"))
	if !ok {
		return malformed("day is one like 2026-03-14")
	}
	limit, err := pageLimit(q.Get("limit"))
	if err != nil {
		return err
	}
	after := int64(0)
	if text := q.Get("after"); text != "" {
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < 0 {
			return malformed("after is what an answer named as next")
		}
	}
	page := kgd.Counts{Counts: []kgd.Count{}}
	err = s.file.Read(r.Context(), func(tx *sqlitefile.Tx) error {
		st, err := tx.Query("SELECT "+countColumns+" FROM counts WHERE operator = ? AND country = 1 AND day = ? AND register > ? ORDER BY register LIMIT ?", operator, day, after, limit+1)
		if err != nil {
			return err
		}
		for st.Next() {
			if int64(len(page.Counts)) == limit {
				page.Next = strconv.FormatInt(int64(page.Counts[limit-1].Register), 10)
				break
			}
			c := scanCount(st)
			page.Counts = append(page.Counts, c.message())
		}
		return st.Close()
	})
	if err != nil {
		return err
	}
	if len(page.Counts) > 0 && len(s.faults.strike(atCounts, s.cfg.Dice, WrongCounts)) > 0 {
		c := &page.Counts[0]
		t := c.Receipts[fiscal.OpSale.String()]
		c.Documents, c.Receipts[fiscal.OpSale.String()] = c.Documents+1, kgd.Tally{Count: t.Count + 1, Sum: t.Sum + 100}
	}
	answerJSON(w, page)
	return nil
}

// message words a count.
func (c *counted) message() kgd.Count {
	m := kgd.Count{
		Register: fiscal.RegisterID(c.Register), RegistrationNumber: c.registration, Documents: c.documents,
		Receipts: map[string]kgd.Tally{}, Last: fiscal.Number(c.last.entry), ChainHash: hex.EncodeToString(c.hash),
	}
	for i := range fiscal.OpSettlements {
		if c.n[i] != 0 || c.sum[i] != 0 {
			m.Receipts[(fiscal.OpSale + fiscal.Op(i)).String()] = kgd.Tally{Count: c.n[i], Sum: c.sum[i]}
		}
	}
	return m
}
