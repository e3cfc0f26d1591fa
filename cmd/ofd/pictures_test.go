//go:build pictures

package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/config"
	"openofd/internal/follow"
	"openofd/internal/mail"
	"openofd/internal/testkit/chromium"
)

var (
	sheets  = flag.String("sheets", "", "folder for contact sheets of the pages")
	only    = flag.String("only", "", "part of the names of those pages that are wanted")
	pastFor = flag.Int("days", 40, "days of sample data behind the pages")
)

// TestPictures visits every page that a link leads to, as each kind of person in
// the demo, and makes a contact sheet of each: three languages below each other,
// light and dark, phone and desk beside each other. What a machine can see at
// once stands in findings.txt: overflow, text that is cut, keys without words.
func TestPictures(t *testing.T) {
	if err := os.MkdirAll(*sheets, 0o755); err != nil {
		t.Fatal(err)
	}
	o := demoForPictures(t)
	var found findings
	seen := map[string]bool{}
	for _, who := range []struct{ name, email string }{
		{"buyer", ""}, {"owner", "owner@dastarkhan.example"}, {"russia", "owner@lukoshko.example"},
		{"technician", "technician@dastarkhan.example"}, {"service", "service@center.example"}, {"staff", "staff@openofd.example"},
	} {
		token := ""
		if who.email != "" {
			token = signedIn(t, o, who.email)
		}
		c := &crawler{site: o.Site, token: token, seen: seen, who: who.name}
		pages := c.walk(t, entrances(who.name))
		b := openPictures(t, o.Site, token)
		for _, p := range pages {
			if strings.Contains(p.name, *only) {
				b.sheet(t, p, &found)
			}
		}
		b.close()
	}
	slices.Sort(found.lines)
	if err := os.WriteFile(filepath.Join(*sheets, "findings.txt"), []byte(strings.Join(slices.Compact(found.lines), "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// demoForPictures is an operator with the demo's past and no shop that sells.
func demoForPictures(t *testing.T) *operator {
	t.Helper()
	var s settings
	any := config.Addr{HostPort: "127.0.0.1:0"}
	s.Data, s.Operator, s.HTTPAddr, s.KKMAddr, s.KKTAddr, s.OpsAddr = t.TempDir(), demoOperator(), any, any, any, any
	s.KKTCrypto.Name, s.Marking.Name = config.CryptoSIM1, config.MarkingTable
	s.Limits.CheckPerMinute = 60_000
	s.Letters = &mail.Sink{}
	if err := s.authority(s.Data); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	p := demoPast{site: "http://localhost", days: *pastFor, until: now, seed: pastSeed}
	start := coreConfig{Dir: s.Data, Operator: s.Operator.At(config.Site{URL: p.site}), KKM: s.KKM, KKT: s.KKT, Crypto: s.KKTCrypto}
	if _, err := p.make(t.Context(), start, demoShops(standardVAT(now)), russianShops()); err != nil {
		t.Fatal(err)
	}
	o, err := startOperator(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.stop() })
	for id := cabinet.NewFollower(o.store, o.read).ID(); ; time.Sleep(100 * time.Millisecond) {
		if stands, err := follow.Stands(t.Context(), o.store, id); err != nil {
			t.Fatal(err)
		} else if stands.Entries == 0 {
			return o
		}
	}
}

// signedIn is the token of somebody's session; staff turn a second factor on.
func signedIn(t *testing.T, o *operator, email string) string {
	t.Helper()
	here := access.Visit{Address: "192.0.2.7", Agent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
	token, _, err := o.rooms.access.SignIn(t.Context(), email, demoPassword, here)
	if err != nil {
		t.Fatal(err)
	}
	a, err := o.rooms.access.Resume(t.Context(), token, here)
	if err == nil && a.User.Staff {
		var offer access.TOTPOffer
		if offer, err = o.rooms.access.OfferTOTP(&a); err == nil {
			_, err = o.rooms.access.StartTOTP(t.Context(), &a, demoPassword, offer.Secret, access.TOTPNumber(offer.Secret, time.Now()))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// entrances are where a person begins, and what no link leads to.
func entrances(who string) []string {
	switch who {
	case "buyer":
	case "staff":
		return []string{"/staff", "/me"}
	default:
		return []string{"/cabinet", "/more"}
	}
	return []string{"/", "/signin", "/signup", "/forgot", "/signup/confirm", "/reset", "/letters", "/check", "/api", "/nothing-there"}
}

// picturePage is a page to be pictured.
type picturePage struct{ name, path string }

// crawler finds pages by their links.
type crawler struct {
	site, token, who string
	seen             map[string]bool // patterns of addresses
}

var (
	hrefs   = regexp.MustCompile(`href="(/[^"#]*)"`)
	numbers = regexp.MustCompile(`[0-9]+`)
	files   = regexp.MustCompile(`\.(csv|xlsx|txt|pdf|json|xml|cms|zip)$|/(json|content|signature|contract|pdf|export|file)$|^/assets/|^/api/|/signout`)
)

func (c *crawler) walk(t *testing.T, queue []string) (pages []picturePage) {
	asked := map[string]bool{}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		u, err := url.Parse(path)
		if err != nil || files.MatchString(u.Path) {
			continue
		}
		keys := u.Query()
		keys.Del("lang")
		for _, passing := range []string{"after", "before", "to", "page", "cursor", "done", "from", "until", "day", "sort", "order", "n", "period", "i", "f", "s", "t", "fn", "fp", "register", "outlet", "kind", "q", "status", "shift", "month"} {
			keys.Del(passing)
		}
		pattern := numbers.ReplaceAllString(u.Path, "N")
		if len(keys) > 0 {
			pattern += "?" + strings.Join(slices.Sorted(mapKeys(keys)), "&")
		}
		if asked[pattern] {
			continue
		}
		asked[pattern] = true
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, c.site+path, nil)
		req.Header.Set("Accept", "text/html")
		req.AddCookie(&http.Cookie{Name: "ofd_session", Value: c.token})
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || numbers.ReplaceAllString(resp.Request.URL.Path, "N") != numbers.ReplaceAllString(u.Path, "N") {
			continue
		}
		if key := pattern; !c.seen[key] || path == "/cabinet" {
			c.seen[key] = true
			name := strings.Trim(strings.NewReplacer("/", "-", "?", "-with-", "&", "-").Replace(pattern), "-")
			pages = append(pages, picturePage{c.who + "-" + strings.TrimSuffix("front-"+name, "-")[len("front-")*min(1, len(name)):], path})
		}
		for _, m := range hrefs.FindAllSubmatch(body, -1) {
			queue = append(queue, html.UnescapeString(string(m[1])))
		}
	}
	return pages
}

func mapKeys(v url.Values) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range v {
			if !yield(k) {
				return
			}
		}
	}
}

// findings are what a machine sees.
type findings struct {
	mu    sync.Mutex
	lines []string
}

func (f *findings) add(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines = append(f.lines, fmt.Sprintf(format, args...))
}

// pictures is a tab of a chromium.
type pictures struct {
	ctx   context.Context
	site  string
	close func()
}

func openPictures(t *testing.T, site, token string) *pictures {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("hide-scrollbars", true), chromedp.UserDataDir(t.TempDir()))
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	tab, closeTab := chromedp.NewContext(allocator)
	b := &pictures{ctx: tab, site: site, close: func() { closeTab(); stop() }}
	b.do(t, chromedp.Navigate("about:blank"))
	if token != "" {
		b.do(t, chromium.Call(network.SetCookie, network.SetCookieParams{Name: "ofd_session", Value: token, URL: site}))
	}
	return b
}

func (b *pictures) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

func evaluated[T any](t *testing.T, b *pictures, expression string) T {
	t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("evaluate %.60s: %v", expression, err)
	}
	return v
}

// tallest is as much of a page as a sheet shows, in pixels of a page.
const tallest = 1300

// looks names what is wrong with a page that a machine can see.
const looks = `(() => {
	const wide = document.documentElement.clientWidth, out = [];
	if (document.documentElement.scrollWidth > wide) {
		out.push("wide: " + document.documentElement.scrollWidth + " in " + wide);
		for (const e of document.querySelectorAll("body *")) { const r = e.getBoundingClientRect(); if (r.width > 0 && r.right > wide + .5 && !e.closest(".skip,.table-responsive")) { out.push("wide: " + e.tagName + "." + e.className + " " + e.textContent.trim().slice(0, 40)); if (out.length > 4) break; } }
	}
	for (const e of document.querySelectorAll("body *")) {
		const s = getComputedStyle(e);
		if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && s.display !== "inline" && !(e instanceof SVGElement) && s.overflowX !== "auto" && s.overflowX !== "scroll" && !["INPUT","SELECT","TEXTAREA"].includes(e.tagName) && !e.closest(".skip,.visually-hidden"))
			out.push("cut: " + e.tagName + "." + e.className + " " + e.textContent.trim().slice(0, 50));
	}
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	const lang = document.documentElement.lang;
	for (let n; n = texts.nextNode();) {
		const text = n.textContent.trim();
		if (!text || n.parentElement.closest("script,style,code,[lang=en],[hreflang=en],svg,option[lang]")) continue;
		if (/^[a-z]+(\.[a-z_]+)+$/.test(text)) out.push("key: " + text);
		else if (lang !== "en" && /^[A-Z]?[a-z]{2,}( [a-z]{2,})*[.:]?$/.test(text)) out.push("english: " + text.slice(0, 60));
		else if (lang === "en" && /[а-яёәғқңөұүһі]{3}/i.test(text) && n.parentElement.closest("label,th,legend,h2,h3,button,.hint,.form-hint,dt,nav")) out.push("not english: " + text.slice(0, 60));
		if (/\{[a-z]+\}|%!|<no value>|undefined|NaN/.test(text)) out.push("raw: " + text.slice(0, 60));
	}
	return [...new Set(out)].slice(0, 14);
})()`

// sheet pictures one page twelve times.
func (b *pictures) sheet(t *testing.T, p picturePage, found *findings) {
	t.Helper()
	type look struct {
		scheme string
		width  int64
		scale  float64
	}
	var rows [][]image.Image
	for _, lang := range []string{"kk", "ru", "en"} {
		var row []image.Image
		for _, l := range []look{{"light", 360, 1}, {"light", 1280, .6}, {"dark", 360, 1}, {"dark", 1280, .6}} {
			b.do(t, chromium.Call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}}),
				chromedp.EmulateViewport(l.width, 740, chromedp.EmulateScale(l.scale)),
				chromedp.Navigate(b.site+inLanguage(p.path, lang)))
			evaluated[bool](t, b, `document.fonts.ready.then(() => true)`)
			for _, said := range evaluated[[]string](t, b, looks) {
				found.add("%s %s %d: %s", p.name, lang, l.width, said)
			}
			height := min(evaluated[int64](t, b, `document.documentElement.scrollHeight`), int64(float64(tallest)))
			b.do(t, chromedp.EmulateViewport(l.width, max(height, 600), chromedp.EmulateScale(l.scale)))
			shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
			if err != nil {
				t.Fatal(err)
			}
			picture, err := png.Decode(bytes.NewReader(shot))
			if err != nil {
				t.Fatal(err)
			}
			row = append(row, picture)
		}
		rows = append(rows, row)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, arranged(rows)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*sheets, p.name+".png"), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func inLanguage(path, lang string) string {
	u, err := url.Parse(path)
	if err != nil {
		return path
	}
	q := u.Query()
	q.Set("lang", lang)
	u.RawQuery = q.Encode()
	return u.String()
}

// arranged lays rows of pictures out on one.
func arranged(rows [][]image.Image) image.Image {
	const gap = 16
	width, height := gap, gap
	for _, row := range rows {
		w, h := gap, 0
		for _, p := range row {
			w += p.Bounds().Dx() + gap
			h = max(h, p.Bounds().Dy())
		}
		width, height = max(width, w), height+h+gap
	}
	sheet := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(sheet, sheet.Bounds(), image.NewUniform(color.RGBA{120, 120, 140, 255}), image.Point{}, draw.Src)
	y := gap
	for _, row := range rows {
		x, h := gap, 0
		for _, p := range row {
			draw.Draw(sheet, image.Rect(x, y, x+p.Bounds().Dx(), y+p.Bounds().Dy()), p, p.Bounds().Min, draw.Src)
			x += p.Bounds().Dx() + gap
			h = max(h, p.Bounds().Dy())
		}
		y += h + gap
	}
	return sheet
}
