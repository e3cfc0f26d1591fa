package till_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"openofd/internal/testkit/chromium"
)

// phone is one tab of a chromium, as wide as a phone, and what it complained
// about.
type phone struct {
	t    *testing.T
	ctx  context.Context
	site string
	taps int // on anything but digits

	mu         sync.Mutex
	complaints []string // guarded by mu
}

// newPhone starts chromium. On the build machine (CI is set) a missing one is a
// failure.
func newPhone(t *testing.T, site string) *phone {
	t.Helper()
	p := &phone{t: t, ctx: chromium.Open(t, "nothing was sold"), site: site}
	p.do(chromedp.Navigate("about:blank"))
	if err := chromedp.Listen(p.ctx, p.listen); err != nil {
		t.Fatal(err)
	}
	p.do(chromium.Call(log.Enable, cdp.Empty{}), chromium.Call(runtime.Enable, cdp.Empty{}))
	p.look("light", 360)
	return p
}

// listen notes what the console says, refusals of the content security policy
// among it.
func (p *phone) listen(ev any) {
	var complaint string
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		complaint = ev.ExceptionDetails.Text
		if ev.ExceptionDetails.Exception != nil {
			complaint += " " + ev.ExceptionDetails.Exception.Description
		}
	case *log.EventEntryAdded:
		complaint = fmt.Sprint(ev.Entry.Level, ": ", ev.Entry.Text, " ", ev.Entry.URL)
	}
	if complaint != "" {
		p.mu.Lock()
		p.complaints = append(p.complaints, complaint)
		p.mu.Unlock()
	}
}

func (p *phone) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

func (p *phone) look(scheme string, width int64) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, 640),
		colors(scheme))
}

// night has the page looked at by night, or by day.
func (p *phone) night(on bool) {
	p.t.Helper()
	p.do(colors(map[bool]string{true: "dark", false: "light"}[on]))
}

// colors are what the device prefers: light or dark.
func colors(scheme string) chromedp.Action[chromedp.Void] {
	return chromium.Call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

func (p *phone) open(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.site + path))
}

func eval[T any](p *phone, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("evaluate %.120s: %v", expression, err)
	}
	return v
}

// until waits for a page to be so; pages may change meanwhile.
func (p *phone) until(what, condition string) {
	p.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(15 * time.Millisecond) {
		ok, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`!!(`+condition+`)`))
		if err == nil && ok {
			return
		}
		if time.Now().After(end) {
			p.mu.Lock()
			said := p.complaints
			p.mu.Unlock()
			p.t.Fatalf("not in a minute: %s (%s, %v)\n%q\n%s", what, condition, err, said, eval[string](p, `location.pathname + "\n" + document.body.innerText`))
		}
	}
}

// tap presses what a selector finds, where a finger would: it must be seen, not
// be covered, and be large enough.
func (p *phone) tap(selector string) {
	p.t.Helper()
	p.taps++
	p.press(selector)
}

func (p *phone) press(selector string) {
	p.t.Helper()
	why := eval[string](p, fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		if (!e) return "is not there";
		let seen = e.type === "radio" ? e.parentNode : e;
		let r = seen.getBoundingClientRect();
		if (r.width === 0) return "is not seen";
		if (r.top < 0 || r.bottom > innerHeight - (e.closest(".tabs") ? 0 : 60)) { seen.scrollIntoView({ block: "center" }); r = seen.getBoundingClientRect(); }
		const at = document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2);
		if (!at || !seen.contains(at) && !at.contains(seen)) return "is covered by " + (at && at.outerHTML.slice(0, 80));
		if (r.height < 47.5) return "is " + r.height + " high";
		if (e.disabled) return "is disabled";
		e.click();
		return "";
	})()`, selector))
	if why != "" {
		p.t.Fatalf("%s %s\n%s", selector, why, eval[string](p, `location.pathname + "\n" + document.body.innerText`))
	}
}

// digits types an amount on the keypad.
func (p *phone) digits(amount string) {
	p.t.Helper()
	for _, k := range amount {
		p.press(fmt.Sprintf(`[data-press="%c"]`, k))
	}
}

// put types a text into a field.
func (p *phone) put(id, text string) {
	p.t.Helper()
	eval[bool](p, fmt.Sprintf(`(() => { const e = document.getElementById(%q); e.focus(); e.value = %q; e.dispatchEvent(new Event("input", { bubbles: true })); e.dispatchEvent(new Event("change", { bubbles: true })); return true; })()`, id, text))
}

func (p *phone) text(selector string) string {
	p.t.Helper()
	return eval[string](p, fmt.Sprintf(`(document.querySelector(%q) || { innerText: "nothing is there" }).innerText`, selector))
}

// see wants words on the page; spaces are alike.
func (p *phone) see(where string, words ...string) {
	p.t.Helper()
	page := spaces.Replace(eval[string](p, `document.body.innerText`))
	for _, w := range words {
		if !strings.Contains(strings.ToLower(page), strings.ToLower(w)) {
			p.t.Errorf("%s: no %q in\n%s", where, w, page)
		}
	}
}

var spaces = strings.NewReplacer("\u202f", " ", "\u00a0", " ")

// ready waits for the page of the keypad.
func (p *phone) ready() {
	p.t.Helper()
	p.until("the keypad is there", `document.readyState === "complete" && document.getElementById("sale") && document.getElementById("sale").dataset.ready`)
}

const (
	overflow = `(() => { const wide = document.documentElement.clientWidth; if (document.documentElement.scrollWidth <= wide) return []; return [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > wide + 0.5 && !e.closest(".skip")).slice(0, 5).map(e => e.tagName + "." + e.className + ": " + e.textContent.slice(0, 40)); })()`
	cut      = `[...document.querySelectorAll("body *")].filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1 && getComputedStyle(e).display !== "inline" && !(e instanceof SVGElement) && !e.closest(".hide") && !["INPUT", "SELECT", "DETAILS"].includes(e.tagName)).map(e => e.tagName + "." + e.className + ": " + e.textContent.slice(0, 60))`
)

// faultless looks at a page with axe-core, for what is cut or too wide, and at
// what the console said.
func (p *phone) faultless(where string) {
	p.t.Helper()
	p.whole(where)
	p.axe()
	for _, finding := range eval[[]string](p, `axe.run({ resultTypes: ["violations"] }).then(r => r.violations.filter(v => v.impact === "serious" || v.impact === "critical").flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 120) + " " + n.failureSummary)))`) {
		p.t.Errorf("%s: axe: %s", where, finding)
	}
	p.quiet(where)
	p.picture(where)
}

// whole looks for what is cut or too wide.
func (p *phone) whole(where string) {
	p.t.Helper()
	for what, found := range map[string][]string{"scrolls sideways": eval[[]string](p, overflow), "cut": eval[[]string](p, cut)} {
		if len(found) > 0 {
			p.t.Errorf("%s: %s: %q", where, what, found)
		}
	}
}

// axe brings axe-core into the page.
func (p *phone) axe() {
	p.t.Helper()
	if eval[bool](p, `typeof axe === "object"`) {
		return
	}
	axe, err := os.ReadFile(filepath.Join("..", "testdata", "vendor", "axe.min.js"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, runtime.Evaluate, runtime.EvaluateParams{Expression: string(axe)})
		return chromedp.Void{}, err
	})
}

// quiet looks at what the console said.
func (p *phone) quiet(where string) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, said := range p.complaints {
		if !strings.Contains(said, "status of 4") && !strings.Contains(said, "net::ERR_") { // what is refused, and the network we cut
			p.t.Errorf("%s: console: %s", where, said)
		}
	}
	p.complaints = nil
}

// picture keeps a picture of the page, if somebody wants pictures.
func (p *phone) picture(where string) {
	p.t.Helper()
	if pictures == "" {
		return
	}
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(pictures, strings.ReplaceAll(where, " ", "-")+".png"), picture, 0o600); err != nil {
		p.t.Fatal(err)
	}
}
