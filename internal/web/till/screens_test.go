package till_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"

	"openofd/internal/fiscal"
	"openofd/internal/testkit/chromium"
	core "openofd/internal/till"
)

// screen is a page of the till, and what is done on it until it looks so.
type screen struct {
	name, path string
	do         func(*phone)
	twin       bool // of another screen but for its words: axe-core has nothing new to find
}

// small lists what a thumb would miss: what is pressed and lower or narrower than
// 48 pixels. Links within a sentence are not keys.
const small = `[...document.querySelectorAll("a[href], button, select, summary, label.check, input:not([type=hidden]):not([type=radio]):not([type=checkbox])")].filter(e => {
	const r = e.getBoundingClientRect();
	if (r.width === 0 || e.closest(".skip, .hide")) return false;
	const p = e.parentElement;
	if (e.tagName === "A" && getComputedStyle(e).display === "inline" && p.textContent.trim() !== e.textContent.trim()) return false;
	return r.height < 47.5 || r.width < 47.5;
}).map(e => { const r = e.getBoundingClientRect(); return Math.round(r.width) + "×" + Math.round(r.height) + " " + e.outerHTML.slice(0, 90); })`

// contrast is what axe-core says of colors.
const contrast = `axe.run({ runOnly: ["color-contrast"], resultTypes: ["violations"] }).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 120) + " " + n.failureSummary)))`

// screens are all of the till's on a phone of 360 pixels: nothing is cut or too
// small for a thumb in Kazakh and Russian, axe-core finds nothing by day and by
// night. With TILL_PICTURES there is a picture of each.
func screens(t *testing.T, s *shop, p *phone) {
	ids := s.furnish()
	out := []screen{
		{name: "welcome", path: "/welcome"},
		{name: "signin", path: "/signin", twin: true},
		{name: "signin-wrong", path: "/signin", do: func(p *phone) {
			p.put("field-email", "x")
			p.send(`location.pathname === "/signin" && document.querySelector(".wrong")`)
		}},
		{name: "elsewhere", path: "/signin?elsewhere=Android&at=1763800000", twin: true},
		{name: "offline", path: "/offline"},
	}
	p.forget()
	p.walk(out, "", s)
	p.open("/enter")
	p.ready()
	p.walk(s.inside(ids), "in", s)

	// The device is locked last: then who comes is asked for a code.
	if err := s.Lock(s.seat()); err != nil {
		t.Fatal(err)
	}
	p.walk([]screen{
		{name: "lock", path: "/lock", twin: true},
		{name: "lock-wrong", path: "/lock", do: func(p *phone) {
			p.put("field-pin", "0000")
			p.send(`document.querySelector(".wrong")`)
		}},
	}, "locked", s)
}

// forget has the device be nobody's.
func (p *phone) forget() {
	p.t.Helper()
	p.do(chromium.Call(network.ClearBrowserCookies, cdp.Empty{}))
}

// made are the documents of a shop that is furnished.
type made struct {
	sold, alone, x, z, moved int64
	number                   uint64 // of the receipt that was sold
}

// furnish fills a shop with what screens show: people, goods, documents.
func (s *shop) furnish() (ids made) {
	s.t.Helper()
	ctx := s.t.Context()
	must := func(err error) {
		s.t.Helper()
		if err != nil {
			s.t.Fatal(err)
		}
	}
	must(s.SetCashier(ctx, s.seat(), core.Cashier{Name: "Ерлан Нұрлыбекұлы Қожахметов", Rights: []core.Right{core.MaySell}}, "5678", "5678"))
	_, err := s.SetGood(ctx, s.seat(), core.Good{Title: fiscal.Text{RU: "Кумыс «Дала» натуральный, бутылка 0,5 л", KK: "«Дала» табиғи қымызы, бөтелке 0,5 л"}, Price: 1_250_000_50, Barcode: "4870001234567", Unit: "796"})
	must(err)
	draft := core.Draft{ID: "screens-1", Op: fiscal.OpSale, Paid: core.Paid{Chosen: true, Card: 1_000_000_00, Taken: 1_600_000_00}, Off: 1_00,
		Lines: []core.Line{{Name: "«Дала» табиғи қымызы, бөтелке 0,5 л", Quantity: 2 * fiscal.OneUnit, Price: 1_250_000_50, Mark: "010487000123456721ABCDEF"}, {Name: "Нан", Quantity: fiscal.OneUnit / 2, Price: 300_00, Unit: "166"}}}
	sold, err := s.Form(ctx, s.seat(), s.id, &draft, true)
	must(err)
	back := core.Draft{ID: "screens-2", Op: fiscal.OpSaleReturn, Parent: sold.Number, Paid: core.Paid{Chosen: true}, Lines: []core.Line{{Name: "Нан", Quantity: fiscal.OneUnit / 2, Price: 300_00, Unit: "166"}}}
	_, err = s.Form(ctx, s.seat(), s.id, &back, true)
	must(err)
	moved, err := s.Move(ctx, s.seat(), s.id, "screens-3", fiscal.OpCashIn, 10_000_00)
	must(err)
	z, err := s.Z(ctx, s.seat(), s.id, "screens-4")
	must(err)
	_, _, _, err = s.Show(ctx, s.seat(), z.ID) // what is seen later is a copy
	must(err)
	s.cut.Store(true)
	draft.ID = "screens-5"
	alone, err := s.Form(ctx, s.seat(), s.id, &draft, true)
	must(err)
	x, err := s.X(ctx, s.seat(), s.id)
	must(err)
	return made{sold.ID, alone.ID, x.ID, z.ID, moved.ID, sold.Number}
}

// inside are the screens of a device that is unlocked.
func (s *shop) inside(ids made) []screen {
	settings, document := fmt.Sprintf("/settings/%d", s.id), func(id int64, more string) string { return fmt.Sprintf("/document/%d%s", id, more) }
	keypad := func(mode string) func(*phone) {
		return func(p *phone) {
			p.ready()
			p.press(`[data-mode="` + mode + `"]`)
		}
	}
	add := func(name, price string) func(*phone) {
		return func(p *phone) {
			keypad("extended")(p)
			p.press("#add")
			p.put("item-name", name)
			p.put("item-quantity", "1")
			p.put("item-price", price)
		}
	}
	return []screen{
		{name: "sale", path: "/", do: keypad("simple")},
		{name: "sale-menu", path: "/", do: func(p *phone) { keypad("simple")(p); p.press("summary") }},
		{name: "item", path: "/", do: add("", ""), twin: true},
		{name: "item-wrong", path: "/", do: func(p *phone) { add("", "0")(p); p.press(`#item button[type="submit"]`) }},
		{name: "extended-mixed", path: "/", do: func(p *phone) {
			keypad("extended")(p)
			if !eval[bool](p, `!!document.querySelector("#lines li")`) {
				add("«Дала» табиғи қымызы, бөтелке 0,5 л", "1250000,50")(p)
				p.press(`#item button[type="submit"]`)
			}
			p.press(`input[value="mixed"]`)
			p.put("card", "1000000")
			p.put("taken", "300000")
		}},
		{name: "preview", path: "/", do: func(p *phone) {
			keypad("extended")(p)
			p.preview()
		}},
		{name: "purchase", path: "/purchase", do: keypad("simple"), twin: true},
		{name: "return", path: "/return"},
		{name: "return-none", path: "/return?number=999", twin: true},
		{name: "return-lines", path: fmt.Sprint("/return?number=", ids.number), do: keypad("extended")},
		{name: "move-in", path: "/move?op=cash_in"},
		{name: "move-out", path: "/move?op=cash_out", twin: true},
		{name: "x", path: "/x"},
		{name: "z", path: "/z"},
		{name: "history", path: "/history"},
		{name: "history-wrong", path: "/history?from=2026-02-02&to=2026-01-01&shift=x"},
		{name: "history-nothing", path: "/history?shift=9", twin: true},
		{name: "document-receipt", path: document(ids.sold, "")},
		{name: "document-alone", path: document(ids.alone, ""), twin: true},
		{name: "document-earlier", path: document(ids.sold, "?earlier=1"), twin: true},
		{name: "document-x", path: document(ids.x, ""), twin: true},
		{name: "document-z", path: document(ids.z, "")},
		{name: "document-move", path: document(ids.moved, "")},
		{name: "print-80", path: document(ids.sold, "/print?paper=80")},
		{name: "print-58", path: document(ids.sold, "/print?paper=58"), twin: true},
		{name: "print-z-80", path: document(ids.z, "/print?paper=80"), twin: true},
		{name: "print-z-58", path: document(ids.z, "/print?paper=58"), twin: true},
		{name: "registers", path: "/registers"},
		{name: "register-new", path: "/registers/new"},
		{name: "register-made", path: "/registers/new?serial=OT260000000018&year=2026"},
		{name: "connect", path: "/registers/connect", twin: true},
		{name: "connect-wrong", path: "/registers/connect", do: func(p *phone) {
			p.put("field-id", "x")
			p.send(`document.querySelector(".wrong")`)
		}},
		{name: "settings", path: settings},
		{name: "token", path: settings + "/token"},
		{name: "cashiers", path: "/cashiers"},
		{name: "cashier", path: "/cashiers/2"},
		{name: "owner", path: "/cashiers/1", twin: true},
		{name: "account", path: "/account"},
		{name: "details", path: "/details"},
		{name: "pin", path: "/pin"},
		{name: "goods", path: "/goods"},
		{name: "goods-nothing", path: "/goods?q=zzz", twin: true},
		{name: "good", path: "/goods/-1"},
		{name: "good-new", path: "/goods/new", twin: true},
		{name: "ofd", path: "/ofd"},
		{name: "ofd-link", path: "/ofd/link"},
		{name: "nothing-there", path: "/nothing-there"},
	}
}

// send sends a page's form and waits for the page behind.
func (p *phone) send(until string) {
	p.t.Helper()
	eval[bool](p, `(() => { window.before = true; document.querySelector("main form button[type=submit]").click(); return true; })()`)
	p.until("the form is answered", `!window.before && document.readyState === "complete" && (`+until+`)`)
}

// walk looks at screens. Who is "" has no account, whose language it would be.
func (p *phone) walk(all []screen, who string, s *shop) {
	p.t.Helper()
	for _, lang := range []string{"kk", "ru", "en"} {
		if err := s.SetLanguage(s.seat(), lang); err != nil {
			p.t.Fatal(err)
		}
		for _, sc := range all {
			if sc.twin && lang == "en" {
				continue
			}
			path := sc.path
			if who == "" {
				path += map[bool]string{false: "?", true: "&"}[strings.Contains(path, "?")] + "lang=" + lang
			}
			p.open(path)
			if sc.do != nil {
				sc.do(p)
			}
			where := sc.name + " " + lang
			if got := eval[string](p, `document.documentElement.lang`); got != lang {
				p.t.Errorf("%s speaks %q", where, got)
			}
			if found := eval[[]string](p, small); len(found) > 0 {
				p.t.Errorf("%s: small for a thumb: %q", where, found)
			}
			if lang != "kk" || sc.twin { // the words are others, the page is the same
				p.whole(where)
				p.quiet(where)
				p.picture(where + " light")
				p.twilight(where)
				continue
			}
			p.faultless(where + " light")
			p.night(true)
			for _, finding := range eval[[]string](p, contrast) {
				p.t.Errorf("%s at night: axe: %s", where, finding)
			}
			p.picture(where + " dark")
			p.night(false)
		}
	}
}

// twilight takes a picture at night.
func (p *phone) twilight(where string) {
	if pictures != "" {
		p.night(true)
		p.picture(where + " dark")
		p.night(false)
	}
}
