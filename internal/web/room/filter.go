package room

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/ui"
)

// The parameters of a list's address.
const (
	paramAny      = "q"
	paramFrom     = "from"
	paramUntil    = "until" // the last day that is included
	paramOp       = "op"
	paramOutlet   = "outlet"
	paramRegister = "register"
	paramShift    = "shift"
	paramLeast    = "min"
	paramMost     = "max"
	paramCode     = "code"
	paramCashier  = "cashier"
	paramGoods    = "goods"
	paramMark     = "mark"
	paramBefore   = "before"
)

// maxAsked bounds each parameter, in bytes.
const maxAsked = 2048

// The marks of documents that a list may ask for.
var marks = []string{"offline", "canceled", "findings"}

// asked is what an address asks of a list.
type asked struct {
	form
	filter cabinet.Filter
	values url.Values // what stands in the address and is understood by lists
	before *cabinet.Place
}

// ask reads an address. What is wrong with it stands beside its field.
func ask(l *ui.Locale, values url.Values) *asked {
	a := &asked{form: form{Fields: map[string]ui.Field{}}, values: url.Values{}}
	get := func(name, kind, mode string) string {
		v := strings.TrimSpace(values.Get(name))
		if len(v) > maxAsked {
			v = ""
		}
		a.Fields[name] = ui.Field{Name: name, Key: "filter." + name, Type: kind, Mode: mode, Value: v}
		if v != "" {
			a.values.Set(name, v)
		}
		return v
	}
	wrong := func(name string) {
		f := a.Fields[name]
		f.Wrong = l.T("filter." + name + ".wrong")
		a.Fields[name] = f
	}
	f := &a.filter
	f.Any, f.Cashier, f.Goods = get(paramAny, "search", ""), get(paramCashier, "", ""), get(paramGoods, "", "")
	day := func(name string, to *fiscal.WallTime, more time.Duration) {
		if v := get(name, "date", ""); v != "" {
			t, err := time.Parse(time.DateOnly, v)
			if err != nil {
				wrong(name)
				return
			}
			*to = fiscal.WallTime(t.Unix()).Add(more)
		}
	}
	day(paramFrom, &f.From, 0)
	day(paramUntil, &f.Until, 24*time.Hour)
	sum := func(name string, to **fiscal.Money) {
		if v := get(name, "", "decimal"); v != "" {
			m, err := fiscal.ParseMoney(strings.Join(strings.Fields(v), ""))
			if err != nil {
				wrong(name)
				return
			}
			*to = &m
		}
	}
	sum(paramLeast, &f.Least)
	sum(paramMost, &f.Most)
	if v := get(paramCode, "", "numeric"); v != "" {
		if f.Code = strings.Join(strings.Fields(v), ""); strings.Trim(f.Code, "0123456789") != "" || len(f.Code) > 20 {
			wrong(paramCode)
		}
	}
	choice := func(name string, known func(string) bool) {
		if v := get(name, "", ""); v != "" && !known(v) {
			a.values.Del(name)
		}
	}
	choice(paramOp, func(v string) bool {
		for op := fiscal.OpSale; op.Settlement(); op++ {
			if op.String() == v {
				f.Op = op
			}
		}
		return f.Op != 0
	})
	choice(paramOutlet, func(v string) (ok bool) { f.Outlet, ok = number[fiscal.OutletID](v); return ok })
	choice(paramRegister, func(v string) (ok bool) { f.Register, ok = number[fiscal.RegisterID](v); return ok })
	choice(paramShift, func(v string) (ok bool) { f.Shift, ok = number[uint32](v); return ok })
	choice(paramMark, func(v string) bool {
		f.Offline, f.Canceled, f.Findings = v == marks[0], v == marks[1], v == marks[2]
		return f.Offline || f.Canceled || f.Findings
	})
	if at, ok := cabinet.ParsePlace(values.Get(paramBefore)); ok {
		a.before = &at
	}
	return a
}

// ok reports whether nothing is wrong with what is asked.
func (a *asked) ok() bool {
	for _, f := range a.Fields {
		if f.Wrong != "" {
			return false
		}
	}
	return true
}

// chip is one thing that a list is filtered by, and the address without it.
type chip struct{ Label, Text, Without string }

// chips are what the list is filtered by, as far as the list knows it.
func (a *asked) chips(l *ui.Locale, path string, known []string, outlets []registry.Outlet) (all []chip) {
	for _, name := range known {
		v := a.values.Get(name)
		if v == "" {
			continue
		}
		text := v
		switch name {
		case paramOp:
			text = l.T("did." + v)
		case paramMark:
			text = l.T("mark." + v)
		case paramFrom, paramUntil:
			if t, err := time.Parse(time.DateOnly, v); err == nil {
				text = t.Format("02.01.2006")
			}
		case paramOutlet:
			for i := range outlets {
				if strconv.FormatInt(int64(outlets[i].ID), 10) == v {
					text = outlets[i].Title.In(l.Lang)
				}
			}
		case paramRegister:
			text = "№ " + v
		}
		if r := []rune(text); len(r) > 60 {
			text = string(r[:60]) + "…"
		}
		all = append(all, chip{l.T("filter." + name), text, a.link(path, name, "")})
	}
	return all
}

// link is the address of the list with one parameter set or, with "", without
// it. A shift is of a register and goes with it.
func (a *asked) link(path, name, value string) string {
	q := url.Values{}
	for k, v := range a.values {
		q[k] = v
	}
	q.Del(name)
	if name == paramRegister {
		q.Del(paramShift)
	}
	if value != "" {
		q.Set(name, value)
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
