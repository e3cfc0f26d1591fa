package till

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/ui"
)

// standing is how a register is doing, in words, with the way out.
type standing struct {
	State string `json:"state"` // online, autonomous, soon, stopped
	Text  string `json:"text"`
	More  string `json:"more,omitempty"`
	Way   string `json:"way,omitempty"`
	Label string `json:"label,omitempty"`
	Cash  string `json:"cash"` // in the drawer
	Shift uint32 `json:"shift"`
	Open  bool   `json:"open"` // the shift is

	err error // why no receipt can be made; nil
}

// States of a register.
const (
	online     = "online"
	autonomous = "autonomous"
	soon       = "soon" // works, and a clock runs out
	stopped    = "stopped"
)

// shiftSoon is how long before its end a shift asks to be closed.
const shiftSoon = time.Hour

// standing serves GET /standing to the page that stays open.
//
// Source: requirement E-003.
func (h *Handler) standing(w http.ResponseWriter, r *http.Request, g *guest) {
	at, err := h.current(r.Context(), r, g)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	st, err := h.standingOf(r.Context(), g, &at)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	answer(w, http.StatusOK, st)
}

func (h *Handler) standingOf(ctx context.Context, g *guest, at *till.Register) (standing, error) {
	s, err := h.till.Standing(ctx, g.Seat, at.ID)
	if err != nil {
		return standing{}, err
	}
	l := g.locale
	st := standing{State: online, Text: l.T("till.stand.online"), Cash: l.Money(s.Counters.Cash), Shift: s.Shift.Number, Open: s.Shift.Open}
	if s.Waiting > 0 {
		st.State = autonomous
		st.Text = l.T("till.stand.autonomous", "since", clock(s.Oldest, s.Now), "left", left(l, s.OfflineLeft))
		st.More = l.T("till.stand.waiting", "n", s.Waiting)
	}
	st.err = standstill(&s)
	if st.err != nil {
		words := h.saleWords(l, at, st.err)
		st.State, st.Text, st.More, st.Way, st.Label = stopped, words.What, words.Next, words.Way, words.Label
	} else if s.Shift.Open && s.ShiftLeft < shiftSoon {
		st.State, st.More = soon, l.T("till.stand.shift", "left", left(l, s.ShiftLeft))
		st.Way, st.Label = "/z", l.T("till.z")
	}
	return st, nil
}

// standstill is the error with which a receipt would be refused now.
func standstill(s *till.Standing) error {
	switch {
	case s.Mode == kkm.ModeNeedsToken:
		return &fiscal.Error{Reason: fiscal.StaleToken, Err: kkm.ErrNeedsToken}
	case s.Mode == kkm.ModeServerBlocked:
		return &fiscal.Error{Reason: fiscal.RegisterBlocked, Msg: s.Notice, Err: kkm.ErrServerBlocked}
	case s.Mode == kkm.ModeStopped && s.Waiting == 0: // no document was refused: the operator does not know the register
		return &fiscal.Error{Reason: fiscal.UnknownRegister, Msg: s.Notice, Err: kkm.ErrStopped}
	case s.Mode == kkm.ModeStopped:
		return &fiscal.Error{Of: fiscal.Denied, Msg: s.Notice, Err: kkm.ErrStopped}
	case s.Waiting > 0 && s.OfflineLeft < 0:
		return &fiscal.Error{Of: fiscal.Denied, Err: kkm.ErrOfflineTooLong}
	case s.Shift.Open && s.ShiftLeft < 0:
		return &fiscal.Error{Reason: fiscal.ShiftTooLong}
	}
	return nil
}

// way reports what stands in the way of a receipt. A blocked register is let
// try: it may be free by now.
func (h *Handler) way(ctx context.Context, g *guest, at *till.Register) error {
	st, err := h.standingOf(ctx, g, at)
	if err != nil {
		return err
	}
	return st.err
}

// clock is a time of today, or a day with its time.
func clock(at, now fiscal.WallTime) string {
	if at.Day() == now.Day() {
		return at.UTC().Format("15:04")
	}
	return at.UTC().Format("02.01 15:04")
}

// left words a duration: hours and minutes.
func left(l *ui.Locale, d time.Duration) string {
	d = max(d, 0)
	return l.T("till.stand.left", "h", int(d/time.Hour), "m", int(d%time.Hour/time.Minute))
}

// refuse tells the device why there is no document, with the way out.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, g *guest, at *till.Register, err error) {
	if !asksJSON(r) {
		words := h.saleWords(g.locale, at, err)
		h.show(w, r, g, words.Status, "wrong.html", page{Page: ui.Page{Title: g.locale.T("error.heading")}, Back: "/"}, words)
		return
	}
	words := h.saleWords(g.locale, at, err)
	if words.Status == http.StatusInternalServerError {
		h.log.Error("request failed", "path", r.URL.Path, "err", err)
	}
	if errors.Is(err, fiscal.Unauthenticated) && words.Field == "session" || words.Field == "pin" {
		h.leave(w, r, "/") // another device has signed in, or this one was locked meanwhile
		return
	}
	answer(w, words.Status, words)
}

// stoppedPage asks what to do with a document that the operator refused after it
// was printed.
func (h *Handler) stoppedPage(w http.ResponseWriter, r *http.Request, g *guest) {
	at, err := h.current(r.Context(), r, g)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	s, err := h.till.Standing(r.Context(), g.Seat, at.ID)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	if s.Mode != kkm.ModeStopped {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	data := struct {
		till.Standing
		Register fiscal.RegisterID
		May      bool
		First    *till.Document
	}{s, at.ID, g.Cashier.May(till.MaySettings), nil}
	if s.Waiting > 0 {
		q := till.HistoryQuery{From: s.Oldest, To: s.Oldest, Limit: 100}
		if all, _, err := h.till.History(r.Context(), g.Seat, at.ID, q); err == nil && len(all) > 0 {
			data.First = &all[len(all)-1]
		}
	}
	h.show(w, r, g, http.StatusOK, "stopped.html", page{Page: ui.Page{Title: g.locale.T("till.stopped")}, Back: "/", Register: &at}, data)
}

// unstick takes the decision.
func (h *Handler) unstick(w http.ResponseWriter, r *http.Request, g *guest) {
	id, err := strconv.ParseInt(r.PostFormValue("register"), 10, 64)
	if err == nil {
		if r.PostFormValue("do") == "remove" {
			err = h.till.Remove(r.Context(), g.Seat, fiscal.RegisterID(id))
		} else {
			err = h.till.Resume(r.Context(), g.Seat, fiscal.RegisterID(id))
		}
	} else {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "register"}
	}
	if err != nil && !errors.Is(err, kkm.ErrNothingStopped) {
		h.fail(w, r, g, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
