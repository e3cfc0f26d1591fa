package till

import (
	"errors"
	"strconv"
	"strings"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/ui"
)

// saleWords word why a register makes no document, and name the way out:
// till.wrong.sale.FIELD.REASON, till.wrong.sale.FIELD, else what words knows.
func (h *Handler) saleWords(l *ui.Locale, at *till.Register, err error) wrong {
	out := h.words(l, err)
	why := func(key, next, way, label string) {
		out.What, out.Next, out.Way, out.Label = l.T(key), "", way, ""
		if next != "" {
			out.Next = l.T(next)
		}
		if label != "" {
			out.Label = l.T(label)
		}
	}
	var e *fiscal.Error
	isError := errors.As(err, &e)
	var refused *kkm.Refusal
	switch {
	case errors.Is(err, kkm.ErrOfflineTooLong):
		why("till.wrong.sale.offline_too_long", "till.wrong.sale.offline_too_long.next", "", "")
	case errors.Is(err, fiscal.ShiftTooLong):
		why("till.wrong.sale.shift_too_long", "", "/z", "till.z")
	case errors.Is(err, fiscal.NotEnoughCash):
		why("till.wrong.sale.not_enough_cash", "", "/move?op=cash_in", "did.cash_in")
	case errors.Is(err, fiscal.StaleToken):
		why("till.wrong.sale.stale_token", "", "/settings/"+strconv.FormatInt(int64(at.ID), 10)+"/token", "till.token.enter")
	case errors.Is(err, fiscal.RegisterDeregistered):
		why("till.wrong.sale.deregistered", "", "", "")
	case errors.Is(err, fiscal.RegisterBlocked):
		why("till.wrong.sale.blocked", "till.wrong.sale.blocked.next", "", "")
	case errors.Is(err, fiscal.UnknownRegister):
		why("till.wrong.sale.unknown", "till.wrong.sale.unknown.next", "/stopped", "till.stopped.decide")
	case errors.Is(err, kkm.ErrStopped):
		why("till.wrong.sale.stopped", "till.wrong.sale.stopped.next", "/stopped", "till.stopped.decide")
	case isError && e.Kind() == fiscal.Denied && l.Has("till.wrong.sale.right."+e.Field):
		why("till.wrong.sale.right."+e.Field, "till.wrong.sale.right", "", "")
	case isError && (e.Field == "memory" || errors.Is(err, fiscal.StoreDown)), errors.Is(err, fiscal.Unavailable):
		why("till.wrong.sale.memory", "till.wrong.sale.memory.next", "", "")
	case errors.Is(err, fiscal.SameTaxpayerAndBuyer):
		why("till.wrong.sale.buyer.same_taxpayer_and_buyer", "", "", "")
	case errors.As(err, &refused):
		out.What, out.Next = l.T("till.wrong.sale.refused", "code", refused.Code), l.T(refusedNext(refused.Code))
	case isError:
		field, line, numbered := strings.Cut(e.Field, ".")
		for _, key := range []string{"till.wrong.sale." + field + "." + e.Reason.String(), "till.wrong.sale." + field} {
			if field != "" && l.Has(key) {
				why(key, "", "", "")
				break
			}
		}
		if numbered {
			out.What = l.T("till.wrong.sale.line", "line", line) + " " + out.What
		}
	}
	if notice := operatorSays(err); notice != "" {
		out.Next = strings.TrimSpace(l.T("till.wrong.sale.says", "text", notice) + " " + out.Next)
	}
	return out
}

// refusedNext is the word of what to do after a code that no words of its own
// have. Source: KKM 2.0.2, table of result codes.
func refusedNext(code uint32) string {
	switch code {
	case 8, 9: // the next attempt has another number
		return "till.wrong.sale.refused.again"
	case 13:
		return "till.wrong.sale.refused.data"
	}
	return "till.wrong.sale.refused.next"
}

// operatorSays are the operator's own words in an error.
func operatorSays(err error) string {
	var refused *kkm.Refusal
	if errors.As(err, &refused) {
		if refused.Notice != "" {
			return refused.Notice
		}
		return refused.Text
	}
	var e *fiscal.Error
	if errors.As(err, &e) && (errors.Is(err, kkm.ErrServerBlocked) || errors.Is(err, kkm.ErrStopped)) {
		return e.Msg
	}
	return ""
}
