package room

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/ui"
)

// Archive is where inspectors find clients, whatever became of these. Whoever
// calls it has recorded the look.
type Archive interface {
	// Search finds clients, registers and documents as Desk's does.
	Search(ctx context.Context, text string) ([]Finding, error)
	// Subject is the client with a number, or with a register of it, which is then
	// told too. NotFound if there is none.
	Subject(ctx context.Context, number string) (registry.Taxpayer, fiscal.RegisterID, error)
	Client(ctx context.Context, t fiscal.TaxpayerID) (registry.Taxpayer, error)
	// Registers lists a client's by number from after (exclusive), limit at most.
	Registers(ctx context.Context, t fiscal.TaxpayerID, after fiscal.RegisterID, limit int) ([]registry.Listed, error)
	Register(ctx context.Context, r fiscal.RegisterID) (registry.Listed, error)
	// Summaries reads the daily summaries of a client's registers that are there, as
	// they are now, in any order.
	Summaries(ctx context.Context, t fiscal.TaxpayerID, of []fiscal.DayOf) ([]fiscal.DaySummary, error)
	// SentSummaries reads which of a register's were handed over to its authority,
	// from one day on until another, both included: the newest day first, of a day
	// the highest version.
	SentSummaries(ctx context.Context, r fiscal.RegisterID, from, until fiscal.WallTime) ([]delivery.SentSummary, error)
}

var inspectPaths = []string{"/inspect"}

func (h *Handler) inspectRoutes() {
	if h.cfg.Archive == nil {
		return
	}
	h.certificateRoutes()
	h.inspecting("GET /inspect", h.inspect)
	h.inspecting("POST /inspect/open", h.openInspection)
	h.inspecting("POST /inspect/close", h.closeInspection)
	h.inspecting("POST /inspect/resume", h.resumeInspection)
	h.groundRoutes()
	h.inspectedRoutes()
}

// inspecting serves a page to inspectors alone.
func (h *Handler) inspecting(pattern string, do func(http.ResponseWriter, *http.Request, *visitor)) {
	h.inside(pattern, func(w http.ResponseWriter, r *http.Request, a *visitor) {
		if err := a.MustInspect(); err != nil {
			h.render.Error(w, r, err)
			return
		}
		do(w, r, a)
	})
}

// strays reports whether an inspector is at an address that is none of theirs.
func strays(a *access.Actor, path string) bool {
	if a.User.Inspector == nil {
		return false
	}
	for _, none := range []string{"/me/totp", "/me/passkeys"} { // their second proof is a signature
		if strings.HasPrefix(path, none) {
			return true
		}
	}
	for _, own := range []string{"/inspect", "/me", "/signout"} {
		if rest, ok := strings.CutPrefix(path, own); ok && (rest == "" || rest[0] == '/') {
			return false
		}
	}
	return true
}

// inspectSections are the places of an inspector.
func inspectSections(a *visitor, at string) []ui.Section {
	all := []ui.Section{{Key: "inspect.search", Icon: "search", URL: "/inspect"}, {Key: "inspect.section", Icon: "file-text", URL: "/inspect/grounds"}, {Key: "room.me", Icon: "settings", URL: "/me"}}
	for i := range all {
		all[i].Current = all[i].URL == at || a.client != 0 && i == 0
	}
	return all
}

// whose is the organization that a page is about.
func (a *visitor) whose() fiscal.TaxpayerID { return cmp.Or(a.client, a.Taxpayer) }

// reads reports whether the visitor may read what a right opens.
func (a *visitor) reads(right access.Right) bool { return a.client != 0 || a.May(right) }

// maxObject bounds how a look is named in the records, in bytes.
const maxObject = 300

// scope is whose documents the visitor reads: their organization's, if they have
// the right, or those of an inspector's client, together with the record of it.
func (h *Handler) scope(r *http.Request, a *visitor, right access.Right) (cabinet.Scope, error) {
	if a.client == 0 {
		return cabinet.ScopeOf(a.Actor, right)
	}
	return h.inspected(r, a)
}

// inspected records what an inspector is about to see, by its address, and gives
// the scope of it.
func (h *Handler) inspected(r *http.Request, a *visitor) (cabinet.Scope, error) {
	object := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, a.base), "/")
	act := access.ActInspected
	for _, file := range []string{"/csv", "/xlsx", "/json", pdfEnding} {
		if strings.HasSuffix(object, file) {
			act = access.ActInspectedFile
		}
	}
	q := r.URL.Query()
	q.Del("lang")
	if asked, err := url.QueryUnescape(q.Encode()); err == nil && asked != "" {
		object += "?" + asked
	}
	return cabinet.ScopeOfInspector(r.Context(), h.access, a.Actor, a.client, act, strings.ToValidUTF8(object[:min(len(object), maxObject)], ""))
}

// inspectPage is the one search, or without a ground the form that opens one.
type inspectPage struct {
	form
	Inspection *access.Inspection
	Query      string
	Asked      bool
	Found      []foundClient
	Elsewhere  int    // found, but not of whom the ground concerns
	Client     string // the address of whom it concerns
	Receipts   string // where the receipts of whom it concerns are searched
	Recent     []inspectionRow
	Lang       string
}

// foundClient is a client with what was found of it, as a branch of a tree.
type foundClient struct {
	Finding
	URL      string
	Branches []foundBranch
}

type foundBranch struct {
	Finding
	Register, Document string // addresses, "" none
}

// tree sorts findings under their clients.
func tree(found []Finding, i *access.Inspection) (all []foundClient, elsewhere int) {
	at := map[fiscal.TaxpayerID]int{}
	for _, f := range found {
		if !i.Covers(f.Taxpayer) {
			elsewhere++
			continue
		}
		k, ok := at[f.Taxpayer]
		if !ok {
			k = len(all)
			at[f.Taxpayer] = k
			all = append(all, foundClient{Finding: f, URL: clientBase(f.Taxpayer)})
		}
		if f.Register == 0 {
			continue
		}
		b := foundBranch{Finding: f, Register: clientBase(f.Taxpayer) + "/registers/" + strconv.FormatInt(int64(f.Register), 10)}
		if f.Number != 0 {
			b.Document = clientBase(f.Taxpayer) + documentLink(&cabinet.Document{Register: f.Register, Number: f.Number})
		}
		all[k].Branches = append(all[k].Branches, b)
	}
	return all, elsewhere
}

// clientBase is where the addresses of a client's data begin.
func clientBase(t fiscal.TaxpayerID) string {
	return "/inspect/clients/" + strconv.FormatInt(int64(t), 10)
}

// recentGrounds is how many of their own grounds an inspector may go on with at
// once.
const recentGrounds = 5

func (h *Handler) inspect(w http.ResponseWriter, r *http.Request, a *visitor) {
	if a.Inspection == nil {
		h.askGround(w, r, a, http.StatusOK, groundForm(a.locale, "", h.now().In(h.zone).Format(time.DateOnly), "", "", ""))
		return
	}
	p := inspectPage{Inspection: a.Inspection, Query: strings.Join(strings.Fields(r.URL.Query().Get("q")), " "), Lang: a.locale.Lang}
	p.Fields = map[string]ui.Field{"q": {Name: "q", Key: "inspect.query", Type: "search", Value: p.Query, Max: 400, Hint: "inspect.query.hint"}}
	if t := a.Inspection.Taxpayer; t != 0 {
		p.Client = clientBase(t)
		p.Receipts = p.Client + "/receipts?" + url.Values{paramAny: {p.Query}}.Encode()
	}
	status := http.StatusOK
	if p.Query != "" {
		found, err := h.inspectSearch(r.Context(), a, p.Query)
		if err != nil {
			var ok bool
			if status, ok = p.wrong(a.locale, err); !ok {
				h.render.Error(w, r, err)
				return
			}
		} else {
			p.Asked = true
			p.Found, p.Elsewhere = tree(found, a.Inspection)
		}
	}
	h.page(w, r, a, status, "inspect.html", "/inspect", "inspect.search", p)
}

func (h *Handler) inspectSearch(ctx context.Context, a *visitor, text string) ([]Finding, error) {
	if len(text) < 3 || len(text) > 400 {
		return nil, &fiscal.Error{Reason: fiscal.BadValue, Field: "q"}
	}
	if err := h.access.Inspected(ctx, a.Actor, 0, access.ActInspectedSearch, text); err != nil {
		return nil, err
	}
	return h.cfg.Archive.Search(ctx, text)
}

// The two kinds of grounds.
const (
	aboutOne = "one"
	aboutAll = "monitoring"
)

func groundForm(l *ui.Locale, number, date, reason, about, subject string) form {
	return form{Fields: map[string]ui.Field{
		"number": {Name: "number", Key: "inspect.number", Value: number, Max: 60, Required: true, Hint: "inspect.number.hint"},
		"date":   {Name: "date", Key: "inspect.date", Type: "date", Value: date, Required: true},
		"reason": {Name: "reason", Key: "inspect.reason", Value: reason, Max: 300, Required: true, Hint: "inspect.reason.hint"},
		"about": {Name: "about", Key: "inspect.about", Value: about, Choices: []ui.FieldChoice{
			{Value: aboutOne, Text: l.T("inspect.about.one")}, {Value: aboutAll, Text: l.T("inspect.about.monitoring")}}},
		"subject": {Name: "subject", Key: "inspect.subject", Value: subject, Max: 60, Hint: "inspect.subject.hint"},
	}}
}

// askGround shows the form that opens a ground.
func (h *Handler) askGround(w http.ResponseWriter, r *http.Request, a *visitor, status int, f form) {
	recent, err := h.access.Inspections(r.Context(), a.Actor, a.User.ID, 0, recentGrounds)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p := inspectPage{form: f, Lang: a.locale.Lang}
	for i := range recent {
		if recent[i].Closed.IsZero() {
			p.Recent = append(p.Recent, a.inspectionRow(&recent[i], "/inspect/grounds"))
		}
	}
	h.page(w, r, a, status, "inspect.html", "/inspect", "inspect.open.title", p)
}

func (h *Handler) openInspection(w http.ResponseWriter, r *http.Request, a *visitor) {
	in := access.NewInspection{Number: r.PostFormValue("number"), Date: r.PostFormValue("date"), Reason: r.PostFormValue("reason")}
	about, subject := r.PostFormValue("about"), strings.TrimSpace(r.PostFormValue("subject"))
	err := in.Check(h.now())
	if err == nil && about != aboutAll {
		err = h.concerns(r.Context(), &in, subject)
	}
	if err == nil {
		_, err = h.access.OpenInspection(r.Context(), a.Actor, in)
	}
	if err != nil {
		f := groundForm(a.locale, in.Number, in.Date, r.PostFormValue("reason"), about, subject)
		status, ok := f.wrong(a.locale, err)
		if !ok {
			h.render.Error(w, r, err)
			return
		}
		h.askGround(w, r, a, status, f)
		return
	}
	if in.Register != 0 {
		done(w, r, clientBase(in.Taxpayer)+"/registers/"+strconv.FormatInt(int64(in.Register), 10), "inspection_opened")
		return
	}
	if in.Taxpayer != 0 {
		done(w, r, clientBase(in.Taxpayer), "inspection_opened")
		return
	}
	done(w, r, "/inspect", "inspection_opened")
}

// concerns finds whom a ground is about by a number.
func (h *Handler) concerns(ctx context.Context, in *access.NewInspection, number string) error {
	if number == "" {
		return &fiscal.Error{Reason: fiscal.MissingParameter, Field: "subject"}
	}
	if len(number) > 400 {
		return &fiscal.Error{Reason: fiscal.BadValue, Field: "subject"}
	}
	t, register, err := h.cfg.Archive.Subject(ctx, number)
	if errors.Is(err, fiscal.NotFound) {
		return &fiscal.Error{Of: fiscal.Invalid, Field: "subject", Msg: "unknown"}
	}
	if err != nil {
		return err
	}
	in.Taxpayer, in.Register, in.Subject = t.ID, register, t.Title.In("ru")+", "+string(t.XIN)
	if register != 0 {
		in.Subject += ", " + strconv.FormatInt(int64(register), 10)
	}
	return nil
}

func (h *Handler) closeInspection(w http.ResponseWriter, r *http.Request, a *visitor) {
	if err := h.access.CloseInspection(r.Context(), a.Actor); err != nil {
		h.render.Error(w, r, err)
		return
	}
	done(w, r, "/inspect", "inspection_closed")
}

func (h *Handler) resumeInspection(w http.ResponseWriter, r *http.Request, a *visitor) {
	id, _ := number[access.InspectionID](r.PostFormValue("inspection"))
	if err := h.access.ResumeInspection(r.Context(), a.Actor, id); err != nil {
		h.render.Error(w, r, err)
		return
	}
	done(w, r, "/inspect", "inspection_opened")
}
