package web

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"openofd/internal/testkit/chromium"
)

// screenshots is a folder. With it TestScreenshots writes pictures there.
var screenshots = flag.String("screenshots", "", "folder for pictures of the pages; empty: none are made")

//go:embed testdata/vendor/axe.min.js
var axe string

// browser is one tab of a chromium, and what it complained about.
type browser struct {
	ctx context.Context

	mu         sync.Mutex
	complaints []string // guarded by mu
}

// newBrowser starts chromium with its own words in lang. On the build machine
// (CI is set) a missing chromium is a failure.
func newBrowser(t *testing.T, lang string) *browser {
	t.Helper()
	b := &browser{ctx: chromium.Open(t, "the pages were not looked at", chromedp.Flag("lang", lang), chromedp.Env("LANGUAGE="+lang))}
	b.do(t, chromedp.Navigate("about:blank"))
	if err := chromedp.Listen(b.ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	b.do(t, chromium.Call(log.Enable, cdp.Empty{}), chromium.Call(runtime.Enable, cdp.Empty{}))
	return b
}

// listen notes errors and warnings of the console, refusals of the content
// security policy among them.
func (b *browser) listen(ev any) {
	var complaint string
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		complaint = ev.ExceptionDetails.Text
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeWarning {
			complaint = fmt.Sprint(ev.Type, " ", len(ev.Args), " values")
		}
	case *log.EventEntryAdded:
		complaint = fmt.Sprint(ev.Entry.Level, ": ", ev.Entry.Text, " ", ev.Entry.URL)
	}
	if complaint != "" {
		b.mu.Lock()
		b.complaints = append(b.complaints, complaint)
		b.mu.Unlock()
	}
}

// complained gives what the console said since the last call.
func (b *browser) complained() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	said := b.complaints
	b.complaints = nil
	return said
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// look sets the scheme and the width of the window.
func (b *browser) look(t *testing.T, scheme string, width int) {
	t.Helper()
	height := int64(800)
	b.do(t, chromedp.EmulateViewport(int64(width), height),
		chromium.Call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}))
}

// open goes to an address and waits until the fonts are there.
func (b *browser) open(t *testing.T, url string) {
	t.Helper()
	b.do(t, chromedp.Navigate(url))
	if !eval[bool](t, b, `document.fonts.ready.then(() => true)`) {
		t.Fatal("the fonts are not ready")
	}
}

func eval[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("evaluate %.80s: %v", expression, err)
	}
	return v
}

// findings runs axe-core over the page and gives what is serious or worse.
func (b *browser) findings(t *testing.T) []string {
	t.Helper()
	if !eval[bool](t, b, `typeof axe === "object"`) {
		b.do(t, func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, target, runtime.Evaluate, runtime.EvaluateParams{Expression: axe})
			return chromedp.Void{}, err
		})
	}
	return eval[[]string](t, b, `axe.run().then(r => r.violations
		.filter(v => v.impact === "serious" || v.impact === "critical")
		.flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 120) + " " + n.failureSummary)))`)
}

// overflow names what is wider than the window.
const overflow = `(() => {
	const wide = document.documentElement.clientWidth;
	const out = [...document.querySelectorAll("body *")].filter(e => { const r = e.getBoundingClientRect(); return r.width > 0 && (r.right > wide + 0.5 || r.left < -0.5) && !e.closest(".skip"); });
	if (document.documentElement.scrollWidth <= wide) return [];
	return ["the page is " + document.documentElement.scrollWidth + " wide in " + wide, ...out.slice(0, 5).map(e => e.tagName + "." + e.className + ": " + e.textContent.slice(0, 40))];
})()`

// cut names texts that do not fit their box. A line that a finger scrolls may be
// longer than it shows.
const cut = `[...document.querySelectorAll("body *")].filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).display !== "inline" && !["auto", "scroll"].includes(getComputedStyle(e).overflowX) && !(e instanceof SVGElement)).map(e => e.tagName + "." + e.className + ": " + e.textContent.slice(0, 60))`

// Req: O-030, O-119
func TestBrowser(t *testing.T) {
	s := door(t, Config{ChecksAtOnce: 100000}, newShop(t))
	headings := map[string]map[string]string{
		"front": {"kk": "«Ашық ФДО» ЖШС", "ru": "ТОО «Открытый ОФД»", "en": "Open OFD LLP"},
		"sale":  {"kk": "Чек шынайы", "ru": "Чек настоящий", "en": "This receipt is genuine"},
		"none":  {"kk": "Мұндай чек жоқ", "ru": "Такого чека нет", "en": "No such receipt"},

		"ru-marked": {"kk": "Чек шынайы", "ru": "Чек настоящий", "en": "This receipt is genuine"},
	}
	for _, lang := range []string{"kk", "ru", "en"} {
		t.Run(lang, func(t *testing.T) {
			b := newBrowser(t, lang)
			for _, scheme := range []string{"light", "dark"} {
				for _, width := range []int{360, 1280} {
					b.look(t, scheme, width)
					for name, want := range headings {
						b.complained()
						b.open(t, s.URL+address(t, name, lang))
						where := fmt.Sprintf("%s %s %s %d px", name, lang, scheme, width)
						if got := eval[string](t, b, `document.querySelector("h1").innerText`); got != want[lang] {
							t.Errorf("%s: heading %q, want %q", where, got, want[lang])
						}
						if got := eval[string](t, b, `document.documentElement.lang`); got != lang {
							t.Errorf("%s: lang is %q", where, got)
						}
						b.faultless(t, where)
					}
				}
			}
		})
	}
}

// TestBrowserOtherPages looks at every other page where it is tightest: on a
// phone, in Kazakh, whose words are longest.
func TestBrowserOtherPages(t *testing.T) {
	s := door(t, Config{ChecksAtOnce: 100000}, newShop(t))
	b := newBrowser(t, "kk")
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int{320, 360} {
			b.look(t, scheme, width)
			for name := range pictures(t) {
				if strings.HasPrefix(name, "ru-") {
					continue // looked at below
				}
				b.complained()
				b.open(t, s.URL+address(t, name, "kk"))
				b.faultless(t, fmt.Sprintf("%s %s %d px", name, scheme, width))
			}
		}
	}
}

func (b *browser) faultless(t *testing.T, where string) {
	t.Helper()
	if wide := eval[[]string](t, b, overflow); len(wide) > 0 {
		t.Errorf("%s: scrolls sideways: %q", where, wide)
	}
	if lost := eval[[]string](t, b, cut); len(lost) > 0 {
		t.Errorf("%s: cut: %q", where, lost)
	}
	for _, finding := range b.findings(t) {
		t.Errorf("%s: axe: %s", where, finding)
	}
	for _, said := range b.complained() {
		if !strings.Contains(said, "status of 40") { // the page of an error is answered with its status
			t.Errorf("%s: console: %s", where, said)
		}
	}
}

// TestBrowserKeyboard walks through a page by Tab alone.
func TestBrowserKeyboard(t *testing.T) {
	s := doorOf(t, Config{}, newShop(t), operator)
	b := newBrowser(t, "ru")
	b.look(t, "light", 1280)
	b.open(t, s.URL+"/?lang=ru")
	var path []string
	for range 14 {
		b.do(t, chromedp.KeyEvent("\t"))
		path = append(path, eval[string](t, b, `(() => { const e = document.activeElement; const o = getComputedStyle(e).outlineStyle; return (e.name || e.textContent.trim()) + (o === "none" ? " (focus not seen)" : ""); })()`))
		if path[len(path)-1] == "Проверить" {
			break
		}
	}
	const want = "Перейти к содержанию|ТОО «Открытый ОФД»|Қазақша|Русский|English|qr|Найти чек|i|f|t|s|Проверить"
	// A field for date and time is several stops: day, month, year and so on.
	if got := strings.Join(slices.Compact(path), "|"); got != want {
		// Some stops of the field go beyond the loop; walk on to the button.
		for range 8 {
			b.do(t, chromedp.KeyEvent("\t"))
			path = append(path, eval[string](t, b, `document.activeElement.name || document.activeElement.textContent.trim()`))
		}
		if got := strings.Join(slices.Compact(path), "|"); !strings.HasPrefix(got, want) {
			t.Errorf("Tab leads through %s, want %s", got, want)
		}
	}

	// Filled in and sent by the keyboard.
	b.open(t, s.URL+"/check?lang=ru&i=362397639340&f=010101907421&s=1&t=20260314T091241")
	if got := eval[string](t, b, `[...document.querySelectorAll("[aria-invalid]")].map(e => e.name).join()`); got != "s" {
		t.Errorf("the fields that differ are %q, want s", got)
	}
	b.do(t, chromedp.Focus(chromedp.ID("field-s")), func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		return chromedp.SetValue(chromedp.ID("field-s"), "23456,10")(ctx, target)
	})
	if _, err := chromedp.Run(b.ctx, chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.KeyEvent("\r"))); err != nil {
		t.Fatal(err)
	}
	if got := eval[string](t, b, `document.querySelector("h1").innerText`); got != "Чек настоящий" {
		t.Errorf("after the sum was corrected the page says %q", got)
	}
	if buttons := eval[int](t, b, `[...document.querySelectorAll("button[data-action]")].filter(e => !e.hidden).length`); buttons != 2 {
		t.Errorf("%d buttons are there with JavaScript, want 2", buttons)
	}
}

// TestBrowserWithoutScript shows that the page is whole without JavaScript.
func TestBrowserWithoutScript(t *testing.T) {
	s := door(t, Config{}, newShop(t))
	b := newBrowser(t, "ru")
	b.do(t, chromium.Call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	b.look(t, "light", 360)
	b.do(t, chromedp.Navigate(s.URL+address(t, "sale", "ru")))
	text, err := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS("main")))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Чек настоящий", "23\u202f456,10\u00a0₸", "SWK00032944", "Это не моя покупка"} {
		if !strings.Contains(text, want) {
			t.Errorf("without JavaScript the page lacks %q", want)
		}
	}
	if strings.Contains(text, "Поделиться") {
		t.Error("a button that needs JavaScript is shown without it")
	}
}

// TestBrowserPrint prints a receipt on A4 and on a roll of 80 mm.
func TestBrowserPrint(t *testing.T) {
	s := door(t, Config{}, newShop(t))
	b := newBrowser(t, "ru")
	b.look(t, "dark", 1280) // a dark screen must not make a dark page
	b.open(t, s.URL+address(t, "taxi", "ru"))
	for name, paper := range map[string]page.PrintToPDFParams{
		"a4":   {PaperWidth: 8.27, PaperHeight: 11.69, PreferCSSPageSize: new(true)},
		"80mm": {PaperWidth: 80 / 25.4, PaperHeight: 297 / 25.4, PreferCSSPageSize: new(true)},
	} {
		pdf, err := chromedp.Run(b.ctx, func(ctx context.Context, target *chromedp.Target) ([]byte, error) {
			r, err := cdp.Call(ctx, target, page.PrintToPDF, paper)
			return r.Data, err
		})
		if err != nil {
			t.Fatal(err)
		}
		if pages := len(pdfPage.FindAll(pdf, -1)); pages != 1 {
			t.Errorf("a receipt takes %d pages on %s, want 1", pages, name)
		}
		keep(t, "print-"+name+".pdf", pdf)
	}
}

// keep writes a file among the pictures, if they are wanted.
func keep(t *testing.T, name string, content []byte) {
	t.Helper()
	if *screenshots != "" {
		if err := os.WriteFile(filepath.Join(*screenshots, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var pdfPage = regexp.MustCompile(`/Type\s*/Page\b`)

// pictures are the pages by name: what is asked of the door.
func pictures(t testing.TB) map[string]string {
	all := map[string]string{"front": "/", "wrong": "/check?i=12x&f=010101907421&s=17,5,0&t=yesterday", "error": "/nowhere",
		"pasted": "/check?qr=hello", "ru-wrong": "/check?t=yesterday&n=1&s=17,5,0&fn=12&i=x&fp="}
	for name, q := range queries(t) {
		all[name] = "/check?" + q
	}
	return all
}

func address(t testing.TB, name, lang string) string {
	path := pictures(t)[name]
	if strings.Contains(path, "?") {
		return path + "&lang=" + lang
	}
	return path + "?lang=" + lang
}

// TestScreenshots makes the pictures of the docs, and below all/ those of every
// page in every language, scheme and width, for a person to look at.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("makes pictures on demand: scripts/screenshots.sh")
	}
	all := filepath.Join(*screenshots, "all")
	if err := os.MkdirAll(all, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(folder, name string, picture []byte) {
		if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := door(t, Config{ChecksAtOnce: 100000}, newShop(t))
	for _, lang := range []string{"kk", "ru", "en"} {
		b := newBrowser(t, lang)
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int{360, 1280} {
				b.look(t, scheme, width)
				for name := range pictures(t) {
					b.open(t, s.URL+address(t, name, lang))
					picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
					if err != nil {
						t.Fatal(err)
					}
					write(all, fmt.Sprintf("%s-%s-%s-%d", name, lang, scheme, width), picture)
				}
			}
		}
		// For the docs: the top of the page as it meets the eye.
		for _, chosen := range []struct {
			file, page, scheme string
			width, height      int64
		}{
			{"check-kk", "sale", "light", 1280, 900},
			{"check-ru", "sale", "light", 1280, 900},
			{"check-en", "sale", "light", 1280, 900},
			{"check-ru-dark", "sale", "dark", 1280, 900},
			{"check-kk-phone", "taxi", "light", 360, 740},
			{"front-ru", "front", "light", 1280, 900},
		} {
			if !strings.Contains(chosen.file+"-", "-"+lang+"-") {
				continue
			}
			b.look(t, chosen.scheme, int(chosen.width))
			scale := 1.0
			if chosen.width < 600 {
				scale = 2
			}
			b.do(t, chromedp.EmulateViewport(chosen.width, chosen.height, chromedp.EmulateScale(scale)))
			b.open(t, s.URL+address(t, chosen.page, lang))
			picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
			if err != nil {
				t.Fatal(err)
			}
			write(*screenshots, chosen.file, picture)
		}
	}
}
