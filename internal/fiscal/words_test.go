package fiscal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// Every Reason has a Kind and a name of its own, and is found behind errors.
func TestReasons(t *testing.T) {
	names := map[string]Reason{}
	for _, r := range Reasons() {
		if r.String() == "" || r.String() == "unknown_reason" || strings.ToLower(r.String()) != r.String() || strings.Contains(r.String(), " ") {
			t.Errorf("reason %d is named %q", r, r)
		}
		if had, twice := names[r.String()]; twice {
			t.Errorf("reasons %d and %d are both named %q", had, r, r)
		}
		names[r.String()] = r
		if r.Kind() == Internal {
			t.Errorf("%v has no kind", r)
		}
		err := fmt.Errorf("deliver: %w", &Error{Reason: r, Field: "sum", Msg: "12", Err: io.ErrUnexpectedEOF})
		for _, target := range []error{r, r.Kind(), io.ErrUnexpectedEOF, &Error{Reason: r}} {
			if !errors.Is(err, target) {
				t.Errorf("%v is not %v", err, target)
			}
		}
		for _, other := range Reasons() {
			if other != r && errors.Is(err, other) || errors.Is(err, &Error{Reason: other}) != (other == r) {
				t.Errorf("%v is %v", err, other)
			}
		}
		var e *Error
		if !errors.As(err, &e) || e.Kind() != r.Kind() {
			t.Errorf("%v: kind %v, want %v", err, e.Kind(), r.Kind())
		}
		if text, _ := r.MarshalText(); string(text) != r.String() {
			t.Errorf("%v as text: %s", r, text)
		}
	}
	if len(names) != int(reasonCount)-1 {
		t.Errorf("%d reasons, want %d", len(names), reasonCount-1)
	}
	if got := reasonCount.String(); got != "unknown_reason" || reasonCount.Kind() != Internal {
		t.Errorf("a reason that does not exist: %s, %v", got, reasonCount.Kind())
	}
}

func TestKinds(t *testing.T) {
	names := map[string]bool{}
	for _, k := range Kinds() {
		if k.String() == "" || names[k.String()] {
			t.Errorf("kind %d is named %q", k, k)
		}
		names[k.String()] = true
		for _, other := range Kinds() {
			err := fmt.Errorf("read: %w", &Error{Of: k, Msg: "x"})
			if errors.Is(err, other) != (other == k) {
				t.Errorf("%v is %v: %t", err, other, other != k)
			}
		}
	}
	if kindCount.String() != "unknown kind" {
		t.Errorf("a kind that does not exist: %s", kindCount)
	}
}

func TestErrorText(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&Error{Reason: NotEnoughCash, Field: "sum", Msg: "drawer 1200, payout 5000"}, "not enough cash (sum): drawer 1200, payout 5000"},
		{&Error{Of: Corrupt}, "corrupt"},
		{&Error{Reason: StoreDown, Err: io.EOF}, "store down: EOF"},
		{NotEnoughCash, "not enough cash"},
		{Overloaded, "overloaded"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("Error() = %q, want %q", got, tt.want)
		}
	}
}

func TestFlags(t *testing.T) {
	all := AllFlags()
	if len(all) != len(flagNames) {
		t.Fatalf("%d flags, %d names", len(all), len(flagNames))
	}
	names := map[string]bool{}
	var together Flags
	for i, f := range all {
		if got := f.Names(); len(got) != 1 || got[0] != flagNames[i] || names[got[0]] {
			t.Errorf("flag %d is named %v", i, got)
		}
		names[flagNames[i]] = true
		together |= f
	}
	if got := (FlagReplay | FlagShiftCloseEarly).String(); got != "replay,shift_close_early" {
		t.Errorf("String() = %s", got)
	}
	if !together.Has(FlagReplay|FlagRounded) || FlagReplay.Has(FlagReplay|FlagRounded) || len(together.Names()) != len(all) || Flags(0).String() != "" {
		t.Error("Has or Names is wrong")
	}
}

func TestOps(t *testing.T) {
	for _, tt := range []struct {
		op         Op
		name       string
		settlement bool
		index      int
		inflow     Money
		back       bool
	}{
		{OpSale, "sale", true, 0, 1, false}, {OpSaleReturn, "sale_return", true, 1, -1, true},
		{OpPurchase, "purchase", true, 2, -1, false}, {OpPurchaseReturn, "purchase_return", true, 3, 1, true},
		{OpCashIn, "cash_in", false, 0, 1, false}, {OpCashOut, "cash_out", false, 1, -1, false},
	} {
		o := tt.op
		if o.String() != tt.name || o.Settlement() != tt.settlement || o.Index() != tt.index || o.Inflow() != tt.inflow || o.Return() != tt.back {
			t.Errorf("%v: settlement %t, index %d, inflow %d, return %t", o, o.Settlement(), o.Index(), o.Inflow(), o.Return())
		}
	}
	if OpNone.Inflow() != 0 || OpNone.Settlement() || opCount.String() != "unknown" {
		t.Error("no operation is one")
	}
}

// What goes to JSON by name has a name for each of its values and none beyond.
func TestNames(t *testing.T) {
	for _, tt := range []struct {
		values []fmt.Stringer
		beyond fmt.Stringer
	}{
		{stringers(PayNone, payCount), payCount},
		{stringers(DocNone, documentKindCount), documentKindCount},
		{stringers(StatusActive, StatusDeregistered+1), StatusDeregistered + 1},
		{stringers(ItemGoods, ItemMarkup+1), ItemMarkup + 1},
	} {
		names := map[string]bool{}
		for _, v := range tt.values {
			if names[v.String()] || v.String() == "unknown" || v.String() == "" {
				t.Errorf("%T %d is named %q", v, v, v)
			}
			names[v.String()] = true
			if b, err := json.Marshal(v); err != nil || string(b) != `"`+v.String()+`"` {
				t.Errorf("%T %v in JSON: %s, %v", v, v, b, err)
			}
		}
		if tt.beyond.String() != "unknown" {
			t.Errorf("%T %d is named %q, want unknown", tt.beyond, tt.beyond, tt.beyond)
		}
	}
	if ReportX.String() != "x" || ReportZ.String() != "z" {
		t.Error("reports have wrong names")
	}
}

// stringers are the values from first to before end.
func stringers[T interface {
	~uint8
	fmt.Stringer
}](first, end T) (all []fmt.Stringer) {
	for v := first; v < end; v++ {
		all = append(all, v)
	}
	return all
}

func TestTextIn(t *testing.T) {
	for _, tt := range []struct {
		text Text
		lang string
		want string
	}{
		{Text{KK: "қ", RU: "р", EN: "e"}, "kk", "қ"}, {Text{KK: "қ", RU: "р", EN: "e"}, "en", "e"}, {Text{KK: "қ", RU: "р"}, "en", "р"},
		{Text{KK: "қ"}, "ru", "қ"}, {Text{EN: "e"}, "kk", "e"}, {Text{}, "ru", ""}, {Text{RU: "р"}, "", "р"},
	} {
		if got := tt.text.In(tt.lang); got != tt.want {
			t.Errorf("%+v.In(%q) = %q, want %q", tt.text, tt.lang, got, tt.want)
		}
	}
}
