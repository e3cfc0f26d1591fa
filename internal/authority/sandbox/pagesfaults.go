package sandbox

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// faultsPage lists faults and lets them be asked for. A program that shows the
// staff's password is told them as JSON.
func (s *Server) faultsPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	s.showFaults(w, r, v, Fault{Millis: 2000, Seconds: 30}, nil)
	return nil
}

func (s *Server) showFaults(w http.ResponseWriter, r *http.Request, v *visitor, typed Fault, wrong error) {
	p := view{Heading: v.T("authority.faults"), Lead: v.T("authority.faults.how")}
	b := block{Title: v.T("authority.faults.list"), Empty: v.T("authority.faults.none")}
	if all := s.Faults(); len(all) > 0 {
		t := &table{Columns: numeric(v.columns("authority.fault", "authority.fault.place", "authority.fault.how", "authority.fault.times", ""), 3)}
		for i := range all {
			f := &all[i]
			t.Rows = append(t.Rows, append(texts(v.T("authority.fault."+string(f.Kind)), v.T("authority.place."+placeKey(f.Place)), v.faultHow(f), v.number(f.Times)),
				cell{Text: v.T("authority.off"), Action: "/faults/remove", Of: v.T("authority.fault." + string(f.Kind)), Hidden: []ui.Row{{Key: "id", Value: f.ID}}}))
		}
		b.Empty, b.Table = "", t
		b.Forms = []form{{Action: "/faults/remove", Submit: v.T("authority.off.all"), Hidden: []ui.Row{{Key: "id", Value: 0}}, Danger: true}}
	}
	p.Blocks = []block{b, {Forms: []form{v.faultForm(typed, wrong)}}}
	s.show(w, r, v, statusOf(wrong), "/faults", p)
}

func placeKey(p Place) string {
	if p == Anywhere {
		return "anywhere"
	}
	return string(p)
}

// faultHow words how often and how much.
func (v *visitor) faultHow(f *Fault) string {
	var parts []string
	if f.Percent > 0 && f.Percent < 100 {
		parts = append(parts, strconv.Itoa(f.Percent)+"\u00a0%")
	}
	if f.Next > 0 {
		parts = append(parts, v.T("authority.fault.left", "n", f.Next))
	}
	switch f.Kind {
	case Slow:
		parts = append(parts, v.lag(int64(f.Millis)))
	case Busy, WrongClock:
		parts = append(parts, v.lag(int64(f.Seconds)*1000))
	}
	return strings.Join(parts, " · ")
}

func (v *visitor) faultForm(f Fault, wrong error) form {
	var kinds, places []ui.FieldChoice
	for _, k := range FaultKinds() {
		kinds = append(kinds, ui.FieldChoice{Value: string(k), Text: v.T("authority.fault." + string(k))})
	}
	for _, p := range Places() {
		places = append(places, ui.FieldChoice{Value: string(p), Text: v.T("authority.place." + placeKey(p))})
	}
	shown := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	fields := []ui.Field{
		{Name: "kind", Key: "authority.fault", Value: string(f.Kind), Choices: kinds},
		{Name: "place", Key: "authority.fault.place", Value: string(f.Place), Choices: places},
		{Name: "percent", Key: "authority.fault.percent", Value: shown(f.Percent), Mode: "numeric", Max: 3, Hint: "authority.fault.percent.hint"},
		{Name: "next", Key: "authority.fault.next", Value: shown(f.Next), Mode: "numeric", Max: 7, Hint: "authority.fault.next.hint"},
		{Name: "millis", Key: "authority.fault.millis", Value: shown(f.Millis), Mode: "numeric", Max: 6},
		{Name: "seconds", Key: "authority.fault.seconds", Value: shown(f.Seconds), Max: 9, Hint: "authority.fault.seconds.hint"},
	}
	v.mark(fields, wrong)
	return form{Title: v.T("authority.fault.add"), Action: "/faults", Submit: v.T("authority.fault.on"), Fields: fields}
}

// postFault takes a fault, as a form of a screen or as JSON of a program.
func (s *Server) postFault(w http.ResponseWriter, r *http.Request) {
	if _, _, program := r.BasicAuth(); program {
		if !s.program(w, r) {
			return
		}
		var f Fault
		if err := json.NewDecoder(r.Body).Decode(&f); err != nil {
			answerProblem(w, http.StatusBadRequest, "the body is no fault: "+err.Error())
			return
		}
		f, err := s.AddFault(f)
		if err != nil {
			answerProblem(w, http.StatusUnprocessableEntity, err.Error())
			return
		}
		answerJSON(w, f)
		return
	}
	s.inside(w, r, func(w http.ResponseWriter, r *http.Request, v *visitor) error {
		f := Fault{Kind: FaultKind(r.PostFormValue("kind")), Place: Place(r.PostFormValue("place"))}
		var err error
		for _, one := range []struct {
			name string
			to   *int
		}{{"percent", &f.Percent}, {"next", &f.Next}, {"millis", &f.Millis}, {"seconds", &f.Seconds}} {
			n, bad := formNumber(r, one.name)
			if *one.to = n; bad != nil {
				err = bad
			}
		}
		if err == nil {
			_, err = s.AddFault(f)
		}
		if err != nil {
			s.showFaults(w, r, v, f, err)
			return nil
		}
		http.Redirect(w, r, "/faults?done=on", http.StatusSeeOther)
		return nil
	})
}

// getFaults lists the faults, for people or a program.
func (s *Server) getFaults(w http.ResponseWriter, r *http.Request) {
	if _, _, program := r.BasicAuth(); !program {
		s.inside(w, r, s.faultsPage)
		return
	}
	if s.program(w, r) {
		answerJSON(w, append([]Fault{}, s.Faults()...))
	}
}

// deleteFault switches a fault off, for a program; all of them by 0.
func (s *Server) deleteFault(w http.ResponseWriter, r *http.Request) {
	if !s.program(w, r) {
		return
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err == nil {
		err = s.RemoveFault(id)
	}
	if err != nil {
		answerProblem(w, http.StatusNotFound, "there is no such fault")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// program reports whether a request shows the staff's password, with any name.
func (s *Server) program(w http.ResponseWriter, r *http.Request) bool {
	_, password, _ := r.BasicAuth()
	switch ok, err := s.right(password); {
	case err != nil:
		w.Header().Set("Retry-After", "60")
		answerProblem(w, http.StatusTooManyRequests, "")
	case !ok:
		w.Header().Set("WWW-Authenticate", `Basic realm="authority"`)
		answerProblem(w, http.StatusUnauthorized, "")
	default:
		return true
	}
	return false
}

func (s *Server) faultRemove(w http.ResponseWriter, r *http.Request, v *visitor) error {
	id, err := strconv.ParseInt(r.PostFormValue("id"), 10, 64)
	if err != nil {
		return &fiscal.Error{Reason: fiscal.BadValue, Field: "id"}
	}
	if err := s.RemoveFault(id); err != nil {
		return err
	}
	http.Redirect(w, r, "/faults?done=off", http.StatusSeeOther)
	return nil
}
