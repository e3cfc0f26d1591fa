package room

import (
	"encoding/csv"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"openofd/internal/web/ui"
)

const auditPageSize = 50

type auditPage struct {
	Records []recordRow
	Older   uint64 // where the next page begins, 0 the end
	Newest  bool
}

func beforeOf(r *http.Request) uint64 {
	n, err := strconv.ParseUint(r.FormValue("before"), 10, 64)
	if err != nil {
		return 0 // the newest
	}
	return n
}

func (h *Handler) audit(w http.ResponseWriter, r *http.Request, a *visitor) {
	before := beforeOf(r)
	all, err := h.access.Audit(r.Context(), a.Actor, before, auditPageSize+1)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p := auditPage{Newest: before == 0}
	if len(all) > auditPageSize {
		all = all[:auditPageSize]
		p.Older = all[len(all)-1].Seq
	}
	p.Records = a.rows(all)
	h.page(w, r, a, http.StatusOK, "audit.html", "/audit", "room.audit", p)
}

// auditCSV streams all records, newest first, as a spreadsheet reads them.
func (h *Handler) auditCSV(w http.ResponseWriter, r *http.Request, a *visitor) {
	end, err := h.files.begin(a)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	defer end()
	page, err := h.access.Audit(r.Context(), a.Actor, 0, 1000)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	l := a.locale
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="audit.csv"`)
	_, _ = w.Write([]byte("\xEF\xBB\xBF")) // by which spreadsheets know UTF-8
	out := csv.NewWriter(w)
	_ = out.Write([]string{l.T("audit.seq"), l.T("audit.at"), l.T("audit.who"), l.T("audit.act"), l.T("audit.object"), l.T("audit.detail"), l.T("audit.address"), l.T("audit.hash")})
	for len(page) > 0 {
		for _, rec := range page {
			row := a.recordRow(&rec)
			_ = out.Write([]string{strconv.FormatUint(rec.Seq, 10), rec.At.Format(time.RFC3339), cell(row.Actor), l.T(row.Key()), cell(row.Thing), cell(row.Told), rec.Address, hex.EncodeToString(rec.Hash[:])})
		}
		if out.Flush(); out.Error() != nil {
			return // the client is gone
		}
		if page, err = h.access.Audit(r.Context(), a.Actor, page[len(page)-1].Seq, 1000); err != nil {
			panic(http.ErrAbortHandler) // a list that is cut must not look whole
		}
	}
	out.Flush()
}

// cell keeps a text from being read as a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// device names a browser and its system as far as a person would.
func device(l *ui.Locale, agent string) string {
	find := func(names ...string) string {
		for _, n := range names {
			needle, name, ok := strings.Cut(n, "=")
			if !ok {
				name = needle
			}
			if strings.Contains(agent, needle) {
				return name
			}
		}
		return ""
	}
	browser := find("YaBrowser=Yandex", "Edg/=Edge", "OPR/=Opera", "SamsungBrowser=Samsung", "Firefox", "Chrome", "Safari")
	system := find("Android", "iPhone", "iPad", "Windows", "Mac OS=macOS", "Linux")
	switch {
	case browser != "" && system != "":
		return browser + ", " + system
	case browser+system != "":
		return browser + system
	}
	return l.T("me.device.unknown")
}
