package sandbox

import (
	"net/http"

	"openofd/internal/store/sqlitefile"
	"openofd/internal/web/ui"
)

// Bounds of the overview.
const (
	daysShown     = 60 // rows of flow
	refusalsShown = 20
)

// flowRow is what came in from an operator on a day.
type flowRow struct {
	operator             int64
	country              country
	day                  int64
	taken, again, fell   int64
	lag, longest, latest int64
}

func readFlow(tx *sqlitefile.Tx) (all []flowRow, err error) {
	st, err := tx.Query("SELECT operator, country, day, taken, again, refused, lag, longest, last_lag FROM flow ORDER BY day DESC, operator, country LIMIT ?", daysShown)
	if err != nil {
		return nil, err
	}
	for st.Next() {
		all = append(all, flowRow{st.Int(0), country(st.Int(1)), st.Int(2), st.Int(3), st.Int(4), st.Int(5), st.Int(6), st.Int(7), st.Int(8)})
	}
	return all, st.Close()
}

// overviewPage shows what comes in, from whom, and how late.
func (s *Server) overviewPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	p := view{Heading: v.T("authority.overview"), Lead: v.T("authority.lead")}
	var waiting int64
	var flow []flowRow
	var names map[int64]string
	var refusals [][]cell
	err := s.file.Read(r.Context(), func(tx *sqlitefile.Tx) (err error) {
		if names, err = operatorNames(tx); err != nil {
			return err
		}
		if waiting, _, err = tx.QueryInt("SELECT count(*) FROM applications WHERE decided = 0"); err != nil {
			return err
		}
		if flow, err = readFlow(tx); err != nil {
			return err
		}
		st, err := tx.Query("SELECT at, operator, what, id, why FROM refusals ORDER BY seq DESC LIMIT ?", refusalsShown)
		if err != nil {
			return err
		}
		for st.Next() {
			refusals = append(refusals, texts(v.when(st.Int(0)), names[st.Int(1)], v.T("authority.place."+st.Text(2)), st.Text(3), st.Text(4)))
		}
		return st.Close()
	})
	if err != nil {
		return err
	}
	if n := len(s.Faults()); n > 0 {
		p.Warning = v.T("authority.faults.on", "n", n)
	}
	today := s.now().UnixMicro() / microsPerDay
	var taken, latest, longest int64
	rows := [][]cell{}
	for _, f := range flow {
		mean := int64(0)
		if f.taken > 0 {
			mean = f.lag / f.taken
		}
		if f.day == today {
			taken, longest = taken+f.taken, max(longest, f.longest)
			latest = max(latest, f.latest)
		}
		rows = append(rows, texts(names[f.operator], dayText(f.day), v.T("authority.country."+f.country.String()),
			v.number(f.taken), v.number(f.again), v.number(f.fell), v.lag(mean), v.lag(f.longest)))
	}
	p.Blocks = append(p.Blocks, block{Title: v.T("authority.today"), Figures: []figure{
		{v.T("authority.taken"), v.number(taken), ""},
		{v.T("authority.lag.latest"), v.lag(latest), v.T("authority.lag.what")},
		{v.T("authority.lag.longest"), v.lag(longest), ""},
		{v.T("authority.waiting"), v.number(waiting), ""},
	}})
	days := block{Title: v.T("authority.flow")}
	if len(rows) == 0 {
		days.Empty = v.T("authority.nothing")
	} else {
		days.Table = &table{numeric(v.columns("authority.operator", "authority.day", "authority.country", "authority.taken", "authority.again", "authority.refused", "authority.lag.mean", "authority.lag.longest"), 3, 4, 5, 6, 7), rows}
	}
	p.Blocks = append(p.Blocks, days)
	if len(refusals) > 0 {
		p.Blocks = append(p.Blocks, block{Title: v.T("authority.refusals"), Table: &table{v.columns("authority.when", "authority.operator", "authority.what", "authority.id", "authority.why"), refusals}})
	}
	s.show(w, r, v, http.StatusOK, "/", p)
	return nil
}

// registersPage shows who and what is on record.
func (s *Server) registersPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return s.showRegisters(w, r, v, Known{}, nil)
}

const (
	registersShown = 200
	knownShown     = 500
)

func (s *Server) showRegisters(w http.ResponseWriter, r *http.Request, v *visitor, typed Known, wrong error) error {
	q := r.URL.Query().Get("q")
	p := view{Heading: v.T("authority.registers"), Search: &search{Action: "/registers", Name: "q", Value: q, Label: v.T("authority.registers.find"), Type: "search"}}
	var registers, known [][]cell
	err := s.file.Read(r.Context(), func(tx *sqlitefile.Tx) error {
		names, err := operatorNames(tx)
		if err != nil {
			return err
		}
		st, err := tx.Query(`SELECT number, country, xin, model, serial, operator, register, since, until, drive FROM registers
			WHERE ?1 = '' OR number = ?1 OR xin = ?1 OR serial = ?1 OR drive = ?1 ORDER BY since DESC LIMIT ?2`, q, registersShown)
		if err != nil {
			return err
		}
		for st.Next() {
			status := v.T("authority.onrecord")
			if st.Int(8) != 0 {
				status = v.T("authority.offrecord")
			}
			serial := st.Text(4)
			if drive := st.Text(9); drive != "" {
				serial += " · " + drive
			}
			registers = append(registers, texts(st.Text(0), v.T("authority.country."+st.Text(1)), st.Text(2), st.Text(3), serial, names[st.Int(5)]+" · "+v.number(st.Int(6)), v.when(st.Int(7)), status))
		}
		if err := st.Close(); err != nil {
			return err
		}
		if st, err = tx.Query("SELECT country, kind, name, title FROM known ORDER BY country, kind, name LIMIT ?", knownShown); err != nil {
			return err
		}
		for st.Next() {
			row := texts(st.Text(2), v.T("authority.country."+st.Text(0)), v.T("authority.known."+st.Text(1)), st.Text(3))
			known = append(known, append(row, cell{Text: v.T("authority.remove"), Action: "/known/remove", Of: st.Text(2), Hidden: []ui.Row{
				{Key: "country", Value: st.Text(0)}, {Key: "kind", Value: st.Text(1)}, {Key: "name", Value: st.Text(2)}}}))
		}
		return st.Close()
	})
	if err != nil {
		return err
	}
	b := block{Title: v.T("authority.registers"), Empty: v.T("authority.nothing")}
	if len(registers) > 0 {
		b.Empty, b.Table = "", &table{v.columns("authority.registration", "authority.country", "authority.xin", "authority.model", "authority.serial", "authority.operator", "authority.since", "authority.status"), registers}
	}
	k := block{Title: v.T("authority.known"), Forms: []form{v.knownForm(typed, wrong)}}
	if len(known) > 0 {
		k.Table = &table{v.columns("authority.name", "authority.country", "authority.kind", "authority.title", ""), known}
	} else {
		k.Empty = v.T("authority.known.none")
	}
	p.Blocks = []block{b, k}
	s.show(w, r, v, statusOf(wrong), "/registers", p)
	return nil
}

func (v *visitor) knownForm(k Known, wrong error) form {
	fields := []ui.Field{
		{Name: "country", Key: "authority.country", Value: string(k.Country), Choices: []ui.FieldChoice{{Value: "kz", Text: v.T("authority.country.kz")}, {Value: "ru", Text: v.T("authority.country.ru")}}},
		{Name: "kind", Key: "authority.kind", Value: k.Kind, Choices: []ui.FieldChoice{{Value: "taxpayer", Text: v.T("authority.known.taxpayer")}, {Value: "model", Text: v.T("authority.known.model")}}},
		{Name: "name", Key: "authority.name", Value: k.Name, Max: maxTitle, Required: true, Hint: "authority.name.hint"},
		{Name: "title", Key: "authority.title", Value: k.Title, Max: maxTitle},
	}
	v.mark(fields, wrong)
	return form{Title: v.T("authority.known.add"), Action: "/known", Submit: v.T("authority.add"), Fields: fields}
}

func (s *Server) knownForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	k := Known{Country: fiscalCountry(r.PostFormValue("country")), Kind: r.PostFormValue("kind"), Name: trim(r.PostFormValue("name")), Title: trim(r.PostFormValue("title"))}
	if err := s.addKnown(r.Context(), []Known{k}); err != nil {
		return s.showRegisters(w, r, v, k, err)
	}
	http.Redirect(w, r, "/registers?done=saved", http.StatusSeeOther)
	return nil
}

func (s *Server) knownRemove(w http.ResponseWriter, r *http.Request, v *visitor) error {
	err := s.removeKnown(r.Context(), Known{Country: fiscalCountry(r.PostFormValue("country")), Kind: r.PostFormValue("kind"), Name: r.PostFormValue("name")})
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/registers?done=saved", http.StatusSeeOther)
	return nil
}
