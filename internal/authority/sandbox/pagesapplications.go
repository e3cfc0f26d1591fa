package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
	"openofd/internal/web/ui"
)

const applicationsShown = 50

func trim(s string) string { return strings.Join(strings.Fields(s), " ") }

func fiscalCountry(s string) fiscal.Country { return fiscal.Country(s) }

// statusOf is the status of a screen that says what was wrong with its form.
func statusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	return http.StatusUnprocessableEntity
}

// mark puts what is wrong beside the field that it is about.
func (v *visitor) mark(fields []ui.Field, err error) {
	var e *fiscal.Error
	if !errors.As(err, &e) {
		return
	}
	for i := range fields {
		if fields[i].Name == e.Field {
			fields[i].Wrong = v.FieldWrong(e)
		}
	}
}

// applicationsPage lists applications, those that wait first.
func (s *Server) applicationsPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	status := r.URL.Query().Get("status")
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64) // else the newest
	p := view{Heading: v.T("authority.applications")}
	for _, one := range []string{"", "waiting", "granted", "refused"} {
		url := "/applications"
		key := "authority.status.all"
		if one != "" {
			url, key = url+"?status="+one, "authority.status."+one
		}
		p.Tabs = append(p.Tabs, tab{v.T(key), url, one == status})
	}
	condition := map[string]string{"waiting": "decided = 0", "granted": "decided <> 0 AND granted", "refused": "decided <> 0 AND NOT granted"}[status]
	if condition == "" {
		condition = "1"
	}
	var rows [][]cell
	err := s.file.Read(r.Context(), func(tx *sqlitefile.Tx) error {
		names, err := operatorNames(tx)
		if err != nil {
			return err
		}
		st, err := tx.Query("SELECT "+applicationColumns+" FROM applications WHERE (? = 0 OR seq < ?) AND "+condition+" ORDER BY seq DESC LIMIT ?", before, before, applicationsShown+1)
		if err != nil {
			return err
		}
		for st.Next() {
			a, err := scanApplication(st)
			if err != nil {
				return errors.Join(err, st.Close())
			}
			if len(rows) == applicationsShown {
				p.Next = &tab{Text: v.T("list.older"), URL: "/applications?status=" + status + "&before=" + strconv.FormatInt(a.Seq+1, 10)}
				break
			}
			row := []cell{{Text: a.Number, URL: "/applications/" + a.Number}}
			rows = append(rows, append(row, texts(v.T("authority.kind."+a.Kind), v.T("authority.country."+string(a.Country)), a.XIN, names[a.Operator], v.when(a.Taken), v.applicationStatus(&a), a.Given)...))
		}
		return st.Close()
	})
	if err != nil {
		return err
	}
	b := block{Empty: v.T("authority.nothing")}
	if len(rows) > 0 {
		b = block{Table: &table{v.columns("authority.number", "authority.kind", "authority.country", "authority.xin", "authority.operator", "authority.when", "authority.status", "authority.registration"), rows}}
	}
	p.Blocks = []block{b}
	s.show(w, r, v, http.StatusOK, "/applications", p)
	return nil
}

func (v *visitor) applicationStatus(a *application) string {
	switch {
	case a.Decided == 0:
		return v.T("authority.status.waiting")
	case a.Granted:
		return v.T("authority.status.granted")
	}
	return v.T("authority.status.refused")
}

// applicationPage shows one, and what can be decided.
func (s *Server) applicationPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return s.showApplication(w, r, v, "", fiscal.Text{}, nil)
}

func (s *Server) showApplication(w http.ResponseWriter, r *http.Request, v *visitor, number string, why fiscal.Text, wrong error) error {
	var a application
	var operator string
	err := s.file.Read(r.Context(), func(tx *sqlitefile.Tx) error {
		seq, ok, err := tx.QueryInt("SELECT seq FROM applications WHERE number = ?", r.PathValue("number"))
		if err != nil {
			return err
		}
		if !ok {
			return notThere("application")
		}
		if a, err = oneApplication(tx, seq); err != nil {
			return err
		}
		names, err := operatorNames(tx)
		operator = names[a.Operator]
		return err
	})
	if err != nil {
		return err
	}
	p := view{Heading: a.Number, Lead: v.T("authority.kind." + a.Kind)}
	facts := []fact{
		{v.T("authority.status"), v.applicationStatus(&a)},
		{v.T("authority.operator"), operator},
		{v.T("authority.country"), v.T("authority.country." + string(a.Country))},
		{v.T("authority.xin"), a.XIN},
		{v.T("authority.register"), strconv.FormatInt(a.Register, 10)},
		{v.T("authority.when"), v.when(a.Taken)},
		{v.T("authority.signed"), v.when(a.Message.SignedAt.UnixMicro())},
	}
	if a.Message.RegistrationNumber != "" {
		facts = append(facts, fact{v.T("authority.registration.before"), a.Message.RegistrationNumber})
	}
	if a.Message.Form != "" {
		facts = append(facts, fact{v.T("authority.form"), a.Message.Form})
	}
	if a.Message.Drive != "" {
		facts = append(facts, fact{v.T("authority.drive"), a.Message.Drive})
	}
	for _, e := range a.Message.Control {
		facts = append(facts, fact{v.T("authority.control"), e.Field + ": " + e.Reason})
	}
	switch {
	case a.Decided != 0:
		facts = append(facts, fact{v.T("authority.decided"), v.when(a.Decided) + " · " + v.T("authority.by."+a.By)})
		if a.Granted {
			facts = append(facts, fact{v.T("authority.registration"), a.Given})
		} else {
			facts = append(facts, fact{v.T("authority.why"), a.Why.In(v.Lang)})
		}
	case a.Due != 0:
		facts = append(facts, fact{v.T("authority.due"), v.when(a.Due)})
	}
	p.Blocks = []block{{Facts: facts}}
	if a.Decided == 0 {
		p.Blocks = append(p.Blocks, v.decideForms(&a, number, why, wrong))
	}
	var content bytes.Buffer
	if json.Indent(&content, a.Message.Content, "", "  ") != nil {
		content.Write(a.Message.Content)
	}
	p.Blocks = append(p.Blocks, block{Title: v.T("authority.content"), Text: content.String()})
	s.show(w, r, v, statusOf(wrong), "/applications", p)
	return nil
}

func (v *visitor) decideForms(a *application, number string, why fiscal.Text, wrong error) block {
	action := "/applications/" + a.Number
	grant := form{Title: v.T("authority.grant"), Action: action, Submit: v.T("authority.grant.do"), Hidden: []ui.Row{{Key: "decision", Value: "grant"}}}
	if a.Kind != "deregister" {
		grant.Fields = []ui.Field{{Name: "number", Key: "authority.registration", Value: number, Mode: "numeric", Max: 20, Hint: "authority.registration.hint"}}
	}
	refuse := form{Title: v.T("authority.refuse"), Action: action, Submit: v.T("authority.refuse.do"), Danger: true, Hidden: []ui.Row{{Key: "decision", Value: "refuse"}}, Fields: []ui.Field{
		{Name: "why", Key: "authority.why.kk", Value: why.KK, Max: maxWhy, Hint: "authority.why.hint"},
		{Name: "why_ru", Key: "authority.why.ru", Value: why.RU, Max: maxWhy},
	}}
	v.mark(grant.Fields, wrong)
	v.mark(refuse.Fields, wrong)
	return block{Title: v.T("authority.decide"), Forms: []form{grant, refuse}}
}

// decideForm takes a person's decision.
func (s *Server) decideForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	d := Verdict{Grant: r.PostFormValue("decision") == "grant", Number: trim(r.PostFormValue("number"))}
	if !d.Grant {
		d.Why = fiscal.Text{KK: trim(r.PostFormValue("why")), RU: trim(r.PostFormValue("why_ru"))}
		if len(d.Why.KK) > 2*maxWhy || len(d.Why.RU) > 2*maxWhy {
			return s.showApplication(w, r, v, d.Number, fiscal.Text{}, &fiscal.Error{Reason: fiscal.BadValue, Field: "why"})
		}
	}
	err := s.Decide(r.Context(), r.PathValue("number"), d)
	var e *fiscal.Error
	if errors.As(err, &e) && (e.Field == "why" || e.Field == "number") {
		if e.Reason == fiscal.NoReason {
			e = &fiscal.Error{Reason: fiscal.BadValue, Field: e.Field}
		}
		return s.showApplication(w, r, v, d.Number, d.Why, e)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/applications/"+r.PathValue("number")+"?done=decided", http.StatusSeeOther)
	return nil
}
