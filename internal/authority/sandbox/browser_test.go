package sandbox

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"openofd/internal/testkit/chromium"
)

// screenshots is a folder. With it the walk leaves pictures there.
var screenshots = flag.String("screenshots", "", "folder for pictures of the screens; empty: none are made")

// eyes are a browser's.
type eyes struct {
	*testing.T
	ctx context.Context
}

// newEyes starts chromium. On the build machine (CI is set) a missing one is a
// failure.
func newEyes(t *testing.T) *eyes {
	t.Helper()
	return &eyes{t, chromium.Open(t, "the screens were not looked at")}
}

func (e *eyes) do(actions ...chromedp.Action[chromedp.Void]) {
	e.Helper()
	if err := chromedp.Do(e.ctx, actions...); err != nil {
		e.Fatal(err)
	}
}

func see[T any](e *eyes, expression string) T {
	e.Helper()
	v, err := chromedp.Run(e.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		e.Fatalf("%.200s: %v", expression, err)
	}
	return v
}

// look sets the scheme and the width of the window.
func (e *eyes) look(scheme string, width int64) {
	e.Helper()
	media := func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return chromedp.Void{}, err
	}
	e.do(chromedp.EmulateViewport(width, 800), media)
}

// press clicks and waits for the next page.
func (e *eyes) press(element string) {
	e.Helper()
	see[bool](e, `(() => { window.old = true; `+element+`.click(); return true; })()`)
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		there, err := chromedp.Run(e.ctx, chromedp.Evaluate[bool](`window.old !== true && document.readyState === "complete"`))
		if err == nil && there {
			return
		}
		if time.Now().After(end) {
			e.Fatalf("nothing came after %s: %v", element, err)
		}
	}
}

// TestBrowser: a person signs in, decides and breaks things; on a phone and on a
// desk, light and dark, nothing sticks out and nobody is locked out.
func TestBrowser(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a browser is not for a short run")
	}
	e := newEyes(t)
	axe, err := os.ReadFile("../../web/testdata/vendor/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, Config{ByPerson: true})
	waiting, decided := f.fill()
	n := 0
	// Each screen in two of the three languages on a phone, light and dark, every
	// fourth on a desk too; with a folder for pictures all of them, everywhere.
	visit := func(path string) {
		t.Helper()
		langs := []string{"kk", "ru", "en"}
		type view struct {
			lang, scheme string
			width        int64
		}
		views := []view{{langs[n%3], "light", 360}, {langs[(n+1)%3], "dark", 360}}
		if n%4 == 0 {
			views = append(views, view{langs[(n+2)%3], "light", 1280})
		}
		if *screenshots != "" {
			views = nil
			for _, lang := range langs {
				views = append(views, view{lang, "light", 360}, view{lang, "dark", 360}, view{lang, "light", 1280}, view{lang, "dark", 1280})
			}
		}
		join := map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]
		for i, v := range views {
			e.look(v.scheme, v.width)
			e.do(chromedp.Navigate(f.url + path + join + "lang=" + v.lang))
			where := fmt.Sprintf("%s in %s, %s at %d px", path, v.lang, v.scheme, v.width)
			if over := see[int](e, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				t.Errorf("%s sticks out by %d px", where, over)
			}
			if i == 1 || *screenshots != "" {
				see[bool](e, string(axe)+`; true`)
				if found := see[string](e, `document.fonts.ready.then(() => axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], rules: {region: {enabled: false}}})).then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html + n.failureSummary).join(" | ")).join("\n"))`); found != "" {
					t.Errorf("%s:\n%s", where, found)
				}
			}
			if *screenshots != "" {
				picture, err := chromedp.Run(e.ctx, chromedp.FullScreenshot(90))
				if err != nil {
					t.Fatal(err)
				}
				name := fmt.Sprintf("authority-%02d-%s-%s-%d.png", n, v.lang, v.scheme, v.width)
				if err := os.WriteFile(filepath.Join(*screenshots, name), picture, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		n++
	}
	visit("/signin")
	e.do(chromedp.Navigate(f.url + "/signin?lang=ru"))
	see[bool](e, fmt.Sprintf(`(() => { document.querySelector("[name=password]").value = %q; return true; })()`, password))
	e.press(`document.querySelector("main button[type=submit]")`)
	for _, path := range []string{"/", "/applications", "/applications?status=granted", "/applications/" + waiting, "/applications/" + decided, "/documents", "/documents?q=7-2", "/summaries?day=2026-03-14", "/registers", "/faults", "/me", "/nothing"} {
		visit(path)
	}
	e.look("light", 1280)
	e.do(chromedp.Navigate(f.url + "/applications/" + waiting + "?lang=ru"))
	e.press(`document.querySelector("form button.btn-primary")`)
	if got := see[string](e, `document.querySelector("main").innerText`); !strings.Contains(got, "Решение принято.") {
		t.Errorf("after the decision: %s", got)
	}
	e.do(chromedp.Navigate(f.url + "/faults"))
	e.press(`document.querySelector("form[action='/faults/remove'] button")`)
	if len(f.Faults()) != 0 {
		t.Errorf("faults that are on: %v", f.Faults())
	}
}
