package web

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"math"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"rsc.io/qr"

	"openofd/internal/testkit/chromium"
)

// TestBrowserRussia looks at receipts of Russia of every version and trade on a
// phone, light and dark, in the languages with the longest words.
func TestBrowserRussia(t *testing.T) {
	s := door(t, Config{ChecksAtOnce: 100000}, newShop(t))
	for lang, scheme := range map[string]string{"kk": "light", "ru": "dark"} {
		t.Run(lang, func(t *testing.T) {
			b := newBrowser(t, lang)
			b.look(t, scheme, 360)
			for name := range pictures(t) {
				if !strings.HasPrefix(name, "ru-") {
					continue
				}
				b.complained()
				b.open(t, s.URL+address(t, name, lang))
				b.faultless(t, fmt.Sprintf("%s %s %s", name, lang, scheme))
			}
		})
	}
}

// TestBrowserPasted: both countries' forms are on one page, a pasted code finds
// its receipt by the keyboard alone, and the form of a country opens and can be
// walked through.
func TestBrowserPasted(t *testing.T) {
	s := door(t, Config{}, newShop(t))
	b := newBrowser(t, "ru")
	b.look(t, "light", 360)
	b.open(t, s.URL+"/?lang=ru")
	b.do(t, chromedp.Focus(chromedp.ID("field-qr")), func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		return chromedp.SetValue(chromedp.ID("field-qr"), queries(t)["ru-marked"])(ctx, target)
	})
	if _, err := chromedp.Run(b.ctx, chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.KeyEvent("\r"))); err != nil {
		t.Fatal(err)
	}
	if got := eval[string](t, b, `document.querySelector("h1").innerText + " " + new URLSearchParams(location.search).get("fn")`); got != "Чек настоящий "+drive {
		t.Errorf("a pasted code leads to %q", got)
	}

	b.open(t, s.URL+"/?lang=ru")
	if closed := eval[int](t, b, `document.querySelectorAll("details.country:not([open])").length`); closed != 2 {
		t.Errorf("%d forms wait to be opened, want 2", closed)
	}
	b.do(t, chromium.Call(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
	eval[bool](t, b, `(document.querySelectorAll("details.country summary")[1].focus(), true)`)
	b.do(t, chromedp.KeyEvent("\r"))
	var path []string
	for range 7 {
		b.do(t, chromedp.KeyEvent("\t"))
		path = append(path, eval[string](t, b, `document.activeElement.name || document.activeElement.textContent.trim()`))
	}
	if got := strings.Join(path, "|"); got != "t|n|s|fn|i|fp|Проверить" {
		t.Errorf("Tab leads through %s", got)
	}
	b.faultless(t, "the form of Russia")
}

// inPrint shows the page as printed on a width of paper in millimeters, without
// its margins, at a resolution, and gives the picture.
func (b *browser) inPrint(t *testing.T, width, dpi float64) image.Image {
	t.Helper()
	b.do(t, chromium.Call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}),
		chromedp.EmulateViewport(int64(math.Round(width/25.4*96)), 800, chromedp.EmulateScale(dpi/96)))
	shot, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// box is where an element stands, in CSS pixels of the whole page.
type box struct{ X, Y, W, H float64 }

const boxOf = `(e => { const r = e.getBoundingClientRect(); return {X: r.x + scrollX, Y: r.y + scrollY, W: r.width, H: r.height}; })`

// dark is how dark a pixel is: 0 white, 1 black.
func dark(c image.Image, x, y int) float64 {
	r, g, b, _ := c.At(x, y).RGBA()
	return 1 - (0.2126*float64(r)+0.7152*float64(g)+0.0722*float64(b))/0xffff
}

// TestPrintedMeasures measures a receipt as it is printed at 203 dpi on rolls
// of 80 and 58 mm: characters of 2 mm, 0.5 mm between lines, contrast, and a
// code of 20 mm at most whose every square can be told.
//
// Req: F-059, F-060, F-061, F-062
func TestPrintedMeasures(t *testing.T) {
	const dpi, mm = 203, 96 / 25.4
	s := door(t, Config{ChecksAtOnce: 1000}, newShop(t))
	b := newBrowser(t, "ru")
	for _, roll := range []float64{80, 58} {
		b.look(t, "dark", 360)
		b.open(t, s.URL+address(t, "ru-marked", "ru"))
		paper := b.inPrint(t, roll-10, dpi)
		scale := dpi / 96.0
		if lost := eval[[]string](t, b, overflow); len(lost) > 0 {
			t.Errorf("%g mm: %q", roll, lost)
		}

		// Capitals and the gap between lines, of every text on the receipt.
		texts := eval[[]struct {
			Text                   string
			Capital, Below, Height float64
			Box                    box
		}](t, b, `[...document.querySelectorAll(".paper.ru *")].filter(e => e.offsetHeight > 0 && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())).map(e => {
			const style = getComputedStyle(e), draw = document.createElement("canvas").getContext("2d");
			draw.font = style.fontWeight + " 1000px " + style.fontFamily; // a canvas measures in whole pixels
			const size = parseFloat(style.fontSize) / 1000;
			return {Text: e.textContent.trim().slice(0, 30), Capital: size * draw.measureText("Н").actualBoundingBoxAscent, Below: size * draw.measureText("р").actualBoundingBoxDescent,
				Height: parseFloat(style.lineHeight), Box: `+boxOf+`(e)};
		})`)
		if len(texts) < 30 {
			t.Fatalf("%d texts on the receipt, want 30 at least", len(texts))
		}
		for _, x := range texts {
			capital, gap := x.Capital/mm, (x.Height-x.Capital-x.Below)/mm
			if math.Abs(capital-2) > 0.06 || math.Abs(gap-0.5) > 0.06 {
				t.Errorf("%g mm: %q has capitals of %.2f mm and %.2f mm to the next line, want 2 and 0.5", roll, x.Text, capital, gap)
			}
			deepest := 0.0
			for py := int(x.Box.Y * scale); py < int((x.Box.Y+x.Box.H)*scale); py++ {
				for px := int(x.Box.X * scale); px < int((x.Box.X+x.Box.W)*scale); px++ {
					deepest = max(deepest, dark(paper, px, py))
				}
			}
			if deepest < 0.4 {
				t.Errorf("%g mm: %q has a contrast of %.0f %%, want 40", roll, x.Text, deepest*100)
			}
		}

		// The code: its size, and each of its squares in the picture.
		at := eval[box](t, b, boxOf+`(document.querySelector(".paper.ru svg.qr"))`)
		if at.W/mm > 20.01 || at.H/mm > 20.01 || at.W/mm < 19 {
			t.Errorf("%g mm: the code is %.2f × %.2f mm, want 20", roll, at.W/mm, at.H/mm)
		}
		code, err := qr.Encode(queries(t)["ru-marked"], qr.M)
		if err != nil {
			t.Fatal(err)
		}
		const quiet = 4
		squares := code.Size + 2*quiet
		step := at.W / float64(squares)
		wrong := 0
		for y := range squares {
			for x := range squares {
				px, py := (at.X+(float64(x)+0.5)*step)*scale, (at.Y+(float64(y)+0.5)*step)*scale
				if (dark(paper, int(px), int(py)) > 0.5) != code.Black(x-quiet, y-quiet) {
					wrong++
				}
			}
		}
		if wrong > 0 {
			t.Errorf("%g mm: %d of %d squares of the code cannot be told at %d dpi", roll, wrong, squares*squares, dpi)
		}
		t.Logf("%g mm: %d texts, code of %d squares in %.2f mm", roll, len(texts), squares, at.W/mm)
	}
}

// TestPrintedLeavesOut compares paper and screen: paper leaves out what it may
// (an agent's data, the parts of a code) and joins equal marked goods; the
// screen keeps every code and every requisite.
//
// Req: F-044, F-045, F-047
func TestPrintedLeavesOut(t *testing.T) {
	s := door(t, Config{ChecksAtOnce: 1000}, newShop(t))
	b := newBrowser(t, "ru")
	const read = `document.querySelector(".paper.ru").innerText`
	for _, tt := range []struct {
		name        string
		both        []string
		screen, ink []string // on one of them alone
	}{
		{"ru-agent", []string{"Пополнение счёта", "ПАО Связь", "7740000076"}, []string{"+74950000001", "+74950000002", "Банк Перевод", "7728168971"}, nil},
		{"ru-marked", []string{"[M+] Сигареты", "[M] Лекарство", "Молоко"},
			[]string{"Ab3mNoP", "Xy7kPqZ", "Qw1rTyU", "UUID=3fa85f64", "3. [M+] Сигареты"}, []string{"3 шт. × 200,00", "600,00"}},
	} {
		b.look(t, "light", 360)
		b.open(t, s.URL+address(t, tt.name, "ru"))
		screen := eval[string](t, b, read)
		b.inPrint(t, 70, 96)
		ink := eval[string](t, b, read)
		for _, want := range tt.both {
			if !strings.Contains(screen, want) || !strings.Contains(ink, want) {
				t.Errorf("%s: %q is not on both\nscreen %s\npaper %s", tt.name, want, screen, ink)
			}
		}
		for _, want := range tt.screen {
			if !strings.Contains(screen, want) || strings.Contains(ink, want) {
				t.Errorf("%s: %q is to be on the screen alone\nscreen %s\npaper %s", tt.name, want, screen, ink)
			}
		}
		for _, want := range tt.ink {
			if strings.Contains(screen, want) || !strings.Contains(ink, want) {
				t.Errorf("%s: %q is to be on paper alone\nscreen %s\npaper %s", tt.name, want, screen, ink)
			}
		}
	}
}

// TestPrintedRussianPages prints on A4 and on rolls; a dark screen makes no
// dark page.
func TestPrintedRussianPages(t *testing.T) {
	s := door(t, Config{}, newShop(t))
	b := newBrowser(t, "ru")
	b.look(t, "dark", 1280)
	b.open(t, s.URL+address(t, "ru-sale", "ru"))
	for name, width := range map[string]float64{"ru-a4": 210, "ru-80mm": 80, "ru-58mm": 58} {
		pdf, err := chromedp.Run(b.ctx, func(ctx context.Context, target *chromedp.Target) ([]byte, error) {
			r, err := cdp.Call(ctx, target, page.PrintToPDF, page.PrintToPDFParams{PaperWidth: width / 25.4, PaperHeight: 297 / 25.4, PreferCSSPageSize: new(true)})
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
