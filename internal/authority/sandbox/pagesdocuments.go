package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
	"openofd/internal/web/ui"
)

// foundShown is how many documents one sign may lead to.
const foundShown = 20

// stored is a document as it is kept.
type stored struct {
	operator                        int64
	country                         country
	register, entry                 int64
	kind                            string
	op                              fiscal.Op
	time                            fiscal.WallTime
	received, taken, sign, canceled int64
	total                           fiscal.Money
	body                            []byte
}

const storedColumns = "operator, country, register, entry, kind, operation, time, received, taken, sign, canceled, total, body"

// findDocuments finds documents by one number, their fiscal sign, or by two: a
// register or drive, and the document's number in it.
func findDocuments(tx *sqlitefile.Tx, q string) (all []stored, err error) {
	var numbers []int64
	for _, word := range strings.FieldsFunc(q, func(r rune) bool { return r == ' ' || r == '-' || r == '/' }) {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil || n <= 0 {
			return nil, nil
		}
		numbers = append(numbers, n)
	}
	var st *sqlitefile.Stmt
	switch len(numbers) {
	case 1:
		st, err = tx.Query("SELECT "+storedColumns+" FROM documents WHERE sign = ? AND sign <> 0 ORDER BY seq DESC LIMIT ?", numbers[0], foundShown)
	case 2:
		// By operator, so that the index serves.
		st, err = tx.Query("SELECT "+storedColumns+" FROM documents WHERE operator IN (SELECT id FROM operators) AND country IN (1, 2) AND thing = ? AND number = ? LIMIT ?", numbers[0], numbers[1], foundShown)
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for st.Next() {
		all = append(all, stored{
			st.Int(0), country(st.Int(1)), st.Int(2), st.Int(3), st.Text(4), fiscal.Op(st.Int(5)), fiscal.WallTime(st.Int(6)),
			st.Int(7), st.Int(8), st.Int(9), st.Int(10), fiscal.Money(st.Int(11)), st.Bytes(12),
		})
	}
	return all, st.Close()
}

// documentsPage looks a document up.
func (s *Server) documentsPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	q := trim(r.URL.Query().Get("q"))
	p := view{Heading: v.T("authority.documents"), Lead: v.T("authority.documents.how"),
		Search: &search{Action: "/documents", Name: "q", Value: q, Label: v.T("authority.documents.find"), Type: "search"}}
	var found []stored
	var names map[int64]string
	err := s.file.Read(r.Context(), func(tx *sqlitefile.Tx) (err error) {
		if names, err = operatorNames(tx); err == nil && q != "" {
			found, err = findDocuments(tx, q)
		}
		return err
	})
	if err != nil {
		return err
	}
	if q != "" && len(found) == 0 {
		p.Blocks = []block{{Empty: v.T("authority.nothing")}}
	}
	for i := range found {
		d := &found[i]
		var body bytes.Buffer
		if json.Indent(&body, d.body, "", "  ") != nil {
			body.Write(d.body)
		}
		facts := []fact{
			{v.T("authority.operator"), names[d.operator]},
			{v.T("authority.country"), v.T("authority.country." + d.country.String())},
			{v.T("authority.register"), strconv.FormatInt(d.register, 10) + " · " + v.number(d.entry)},
			{v.T("authority.time"), v.Time(d.time)},
			{v.T("authority.received"), v.when(d.received)},
			{v.T("authority.taken.at"), v.when(d.taken) + " · " + v.lag((d.taken-d.received)/1000)},
			{v.T("authority.total"), v.Amount(d.total)},
		}
		if d.sign != 0 {
			facts = append(facts, fact{v.T("authority.sign"), ui.Digits(strconv.FormatInt(d.sign, 10))})
		}
		if d.canceled != 0 {
			facts = append(facts, fact{v.T("authority.status"), v.T("authority.canceled")})
		}
		p.Blocks = append(p.Blocks, block{Title: v.kind(d.kind), Facts: facts, Text: body.String()})
	}
	s.show(w, r, v, http.StatusOK, "/documents", p)
	return nil
}

// kind words a kind of document; those of Russia are called as on the wire.
func (v *visitor) kind(k string) string {
	if key := "doc." + k; v.Has(key) {
		return v.T(key)
	}
	return k
}

// summariesPage shows what operators say of a day, and where it differs from
// what was counted here.
func (s *Server) summariesPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	q := r.URL.Query()
	day, ok := parseDay(q.Get("day"))
	if !ok {
		day = int64(fiscal.WallIn(s.now(), s.cfg.Zone).Day()) / 86_400
	}
	operator, _ := strconv.ParseInt(q.Get("operator"), 10, 64) // else the first
	after, _ := strconv.ParseInt(q.Get("after"), 10, 64)       // else from the beginning
	p := view{Heading: v.T("authority.summaries"), Lead: v.T("authority.summaries.how")}
	var names map[int64]string
	var differ []Difference
	var rows [][]cell
	var next int64
	err := s.file.Read(r.Context(), func(tx *sqlitefile.Tx) (err error) {
		if names, err = operatorNames(tx); err != nil {
			return err
		}
		if names[operator] == "" {
			for id := range names {
				if operator == 0 || id < operator || names[operator] == "" {
					operator = id
				}
			}
		}
		if differ, next, err = differences(tx, operator, day, after); err != nil {
			return err
		}
		rows, err = v.countRows(tx, operator, day, after)
		return err
	})
	if err != nil {
		return err
	}
	link := func(operator, after int64) string {
		u := url.Values{"day": {dayText(day)}, "operator": {strconv.FormatInt(operator, 10)}}
		if after > 0 {
			u.Set("after", strconv.FormatInt(after, 10))
		}
		return "/summaries?" + u.Encode()
	}
	if len(names) > 1 {
		for id, name := range names {
			p.Tabs = append(p.Tabs, tab{name, link(id, 0), id == operator})
		}
		slices.SortFunc(p.Tabs, func(a, b tab) int { return strings.Compare(a.Text, b.Text) })
	}
	p.Search = &search{Action: "/summaries", Name: "day", Value: dayText(day), Label: v.T("authority.day"), Type: "date", Hidden: []ui.Row{{Key: "operator", Value: operator}}}
	d := block{Title: v.T("authority.differences"), Empty: v.T("authority.differences.none")}
	if len(differ) > 0 {
		t := &table{Columns: numeric(v.columns("authority.register", "authority.what", "authority.theirs", "authority.ours"), 2, 3)}
		for _, one := range differ {
			t.Rows = append(t.Rows, texts(strconv.FormatInt(one.Register, 10), v.T("authority.differs."+one.What), one.Theirs, one.Ours))
		}
		d.Empty, d.Table = "", t
	}
	c := block{Title: v.T("authority.counts"), Empty: v.T("authority.nothing")}
	if len(rows) > 0 {
		c.Empty, c.Table = "", &table{numeric(v.columns("authority.register", "authority.registration", "authority.documents", "authority.sales", "authority.returns", "authority.last", "authority.version"), 2, 3, 4, 5, 6), rows}
	}
	p.Blocks = []block{d, c}
	if next > 0 {
		p.Next = &tab{Text: v.T("authority.next"), URL: link(operator, next)}
	}
	s.show(w, r, v, http.StatusOK, "/summaries", p)
	return nil
}

const countsShown = 200

// countRows are the counts of a day with the version of each summary.
func (v *visitor) countRows(tx *sqlitefile.Tx, operator, day, after int64) (rows [][]cell, err error) {
	st, err := tx.Query("SELECT "+countColumns+`, ifnull((SELECT version FROM summaries m WHERE m.operator = c.operator AND m.day = c.day AND m.register = c.register), 0)
		FROM counts c WHERE operator = ? AND country = 1 AND day = ? AND register > ? ORDER BY register LIMIT ?`, operator, day, after, countsShown)
	if err != nil {
		return nil, err
	}
	for st.Next() {
		c := scanCount(st)
		version := "–"
		if n := st.Int(29); n > 0 {
			version = strconv.FormatInt(n, 10)
		}
		rows = append(rows, texts(strconv.FormatInt(c.Register, 10), c.registration, v.number(c.documents),
			v.number(c.n[0])+" · "+v.Amount(c.sum[0]), v.number(c.n[1])+" · "+v.Amount(c.sum[1]), v.number(c.last.entry), version))
	}
	return rows, st.Close()
}
