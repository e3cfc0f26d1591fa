package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/textproto"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"openofd/internal/testkit/faultnet"
)

// Whole programs: `ofd serve`, `ofd till` and a browser on a phone. The till is
// killed with SIGKILL while the operator has the receipt that a thumb has asked
// for, then the operator is, then the cable is cut. Each receipt is there once,
// on the screen, in the till and at the operator.
//
// Req: E-001, E-014, E-015, E-020, E-091, E-115, P-006, P-010
func TestTillKilled(t *testing.T) {
	s := &script{t: t, dir: t.TempDir(), names: map[string]string{}, at: "till"}
	s.names["data"] = filepath.Join(s.dir, "data")
	k := &killed{script: s, cable: faultnet.New(t, "127.0.0.1:1"), door: faultnet.New(t, "127.0.0.1:1"), codes: postOffice(t)}
	k.site = "http://" + k.door.Addr()
	s.write("ofd.toml", fmt.Sprintf("[mail]\nserver = %q\nfrom = \"till@example.kz\"\nplain = true\n", k.codes.addr))
	k.serveOperator()
	k.startTill()
	t.Cleanup(func() { // after a failure; else both have been ended
		for _, p := range []*exec.Cmd{k.till, s.process()} {
			if p != nil && p.ProcessState == nil {
				_ = p.Process.Kill()
				_ = p.Wait()
			}
		}
	})
	s.run(exitOK, "register add --json --country kz --bin 190340024183 --title Дала --model 'OpenOFD Till' --serial OT260000000018 --year 2026 --address Алматы --rnm 620300471826")
	id := s.value("id")
	k.signUp(id, s.value("token"))

	k.openPhone()
	k.sell("100")
	k.press("form")
	k.formed("100,00")

	// The till dies while the operator has its receipt and no answer came.
	k.sell("20")
	k.cable.Pause()
	before := k.made()
	k.press("form")
	k.until("the receipt is durable and under way", func() bool { return k.made() > before })
	k.end(syscall.SIGKILL)
	k.until("the phone says that nobody answers", func() bool { return strings.Contains(k.page(), "второго чека не будет") })
	k.startTill()
	k.cable.Resume()
	k.press("form")
	k.formed("20,00")
	k.online()

	// The operator dies with a receipt.
	k.sell("3")
	k.cable.Delay(200 * time.Millisecond)
	before = k.made()
	k.press("form")
	k.until("the receipt is durable and under way", func() bool { return k.made() > before })
	s.server.end(syscall.SIGKILL)
	k.cable.Delay(0)
	k.serveOperator()
	k.formed("3,00")

	// The cable is cut: the receipt is an autonomous one. It goes out with the next.
	k.online()
	k.cable.Refuse()
	k.cable.Cut()
	k.sell("0,40")
	k.press("form")
	k.formed("0,40")
	if page := k.page(); !strings.Contains(page, "Автономный") {
		t.Errorf("a receipt without a cable: %s", page)
	}
	k.cable.Admit()
	k.sell("0,05")
	k.press("form")
	k.formed("0,05")
	k.online()

	status, page := k.get("/history?kind=receipt")
	if n := strings.Count(page, `class="row made"`); status != http.StatusOK || n != 5 || strings.Contains(page, "ждёт отправки") {
		t.Errorf("the till has %d receipts, want 5, none of which waits: %d %s", n, status, page)
	}
	if k.end(syscall.SIGTERM); k.till.ProcessState.ExitCode() != 0 {
		t.Errorf("asked to stop, the till ends with %v", k.till.ProcessState)
	}
	s.step("stop", "")
	s.run(exitOK, "verify")
	s.run(exitOK, "register show --json "+id)
	if got := s.stdout; !regexp.MustCompile(`"(cash|cash_balance)":\s*"?123\.45`).MatchString(got) {
		t.Errorf("the operator has another sum than 123.45 in the drawer: %s", got)
	}
}

// killed is what is killed, and who looks on.
type killed struct {
	*script
	cable  *faultnet.Proxy // between till and operator
	door   *faultnet.Proxy // between phone and till: its address stays
	site   string
	codes  *letterbox
	till   *exec.Cmd
	ops    string
	client *http.Client
	phone  context.Context
}

// process is the operator's.
func (s *script) process() *exec.Cmd {
	if s.server == nil {
		return nil
	}
	return s.server.cmd
}

func (k *killed) serveOperator() {
	k.t.Helper()
	k.serve("--site https://check.example.kz")
	k.cable.Point(k.names["kkm"])
}

func (k *killed) startTill() {
	k.t.Helper()
	k.till = exec.Command(program, "till", "--json", "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0", "--data", filepath.Join(k.dir, "till"), "--operator", k.cable.Addr(), "--operator-url", "https://check.example.kz")
	k.till.Dir, k.till.Env = k.dir, k.env()
	out, err := k.till.StdoutPipe()
	if err == nil {
		err = k.till.Start()
	}
	var open tillOpen
	if err == nil {
		err = json.NewDecoder(out).Decode(&open)
	}
	if err != nil {
		k.fatalf("start the till: %v", err)
	}
	k.ops = open.Ops
	k.door.Point(open.Address)
}

// end ends the till.
func (k *killed) end(sig syscall.Signal) {
	k.t.Helper()
	if err := k.till.Process.Signal(sig); err != nil {
		k.fatalf("end the till: %v", err)
	}
	_ = k.till.Wait() // killed
}

// made is how many documents the till has made.
func (k *killed) made() (n int) {
	k.t.Helper()
	resp, err := http.Get("http://" + k.ops + "/metrics") //nolint:noctx // a test's own server
	if err != nil {
		k.fatalf("%v", err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		_, _ = fmt.Sscanf(lines.Text(), "ofd_till_documents_total %d", &n) // another line
	}
	return n
}

func (k *killed) until(what string, so func() bool) {
	k.t.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			k.fatalf("not in a minute: %s\n%s", what, k.page())
		}
	}
}

// signUp makes a seller with a register.
func (k *killed) signUp(id, token string) {
	k.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		k.fatalf("%v", err)
	}
	k.client = &http.Client{Jar: jar}
	const email = "aigul@example.kz"
	post := func(path, to string, fields url.Values) {
		k.t.Helper()
		resp, err := k.client.PostForm(k.site+path, fields)
		if err != nil {
			k.fatalf("%v", err)
		}
		defer resp.Body.Close()
		if text, _ := io.ReadAll(resp.Body); resp.Request.URL.Path != to {
			k.fatalf("%s leads to %s: %s", path, resp.Request.URL.Path, text)
		}
	}
	post("/signin?lang=ru", "/signin", url.Values{"email": {email}})
	post("/signin/code?lang=ru", "/details", url.Values{"email": {email}, "code": {k.codes.next(k.t)}})
	post("/details", "/pin", url.Values{"name": {"Айгүл"}})
	post("/pin", "/registers", url.Values{"pin": {"1234"}, "again": {"1234"}})
	post("/registers/connect", "/", url.Values{"id": {id}, "token": {token}})
}

func (k *killed) get(path string) (status int, page string) {
	k.t.Helper()
	resp, err := k.client.Get(k.site + path)
	if err != nil {
		k.fatalf("%v", err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

// online waits until nothing waits for the operator.
func (k *killed) online() {
	k.t.Helper()
	k.until("the operator has everything", func() bool {
		_, page := k.get("/standing")
		return strings.Contains(page, `"state":"online"`)
	})
}

// openPhone opens a browser that is signed in.
func (k *killed) openPhone() {
	k.t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			k.t.Fatal("no chromium here")
		}
		k.t.Skip("no chromium here: nothing was sold (on Debian: apt-get install chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:len(chromedp.DefaultExecAllocatorOptions):len(chromedp.DefaultExecAllocatorOptions)],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(k.t.TempDir()))
	allocator, stop := chromedp.NewExecAllocator(k.t.Context(), options...)
	k.t.Cleanup(stop)
	tab, closeTab := chromedp.NewContext(allocator)
	k.t.Cleanup(closeTab)
	var cancel context.CancelFunc
	k.phone, cancel = context.WithTimeout(tab, 5*time.Minute)
	k.t.Cleanup(cancel)
	here, err := url.Parse(k.site)
	if err != nil {
		k.fatalf("%v", err)
	}
	for _, c := range k.client.Jar.Cookies(here) {
		err = chromedp.Do(k.phone, func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, target, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: k.site, HTTPOnly: new(true)})
			return chromedp.Void{}, err
		})
		if err != nil {
			k.fatalf("%v", err)
		}
	}
}

// ask evaluates a condition in the page, which may be changing.
func (k *killed) ask(condition string) bool {
	ok, err := chromedp.Run(k.phone, chromedp.Evaluate[bool](`!!(`+condition+`)`))
	return err == nil && ok
}

func (k *killed) page() string {
	if k.phone == nil {
		return ""
	}
	text, _ := chromedp.Run(k.phone, chromedp.Evaluate[string](`document.body.innerText`)) // a page that changes says nothing
	return strings.NewReplacer("\u202f", " ", "\u00a0", " ").Replace(text)
}

// press presses a key of the page as soon as it can be pressed.
func (k *killed) press(id string) {
	k.t.Helper()
	k.until(id+" can be pressed", func() bool {
		return k.ask(fmt.Sprintf(`(e => e && e.offsetHeight > 0 && !e.disabled && (e.click(), true))(document.getElementById(%q))`, id))
	})
}

// sell types a sale for cash up to the preview.
func (k *killed) sell(amount string) {
	k.t.Helper()
	if err := chromedp.Do(k.phone, chromedp.Navigate(k.site+"/")); err != nil {
		k.fatalf("%v", err)
	}
	k.until("the register is there", func() bool { return k.ask(`document.getElementById("sale").dataset.ready`) })
	keys, _ := json.Marshal(strings.Split(amount, "")) // strings alone
	if !k.ask(fmt.Sprintf(`(%s.forEach(d => document.querySelector('[data-press="' + d + '"]').click()), document.querySelector('input[value="cash"]').click(), true)`, keys)) {
		k.fatalf("nothing is typed: %s", k.page())
	}
	k.press("next")
	k.until("the preview is there", func() bool { return k.ask(`!document.getElementById("preview").hidden`) })
}

// formed waits for a receipt of a sum on the screen.
func (k *killed) formed(sum string) {
	k.t.Helper()
	k.until("the receipt is there", func() bool {
		return k.ask(`location.pathname.startsWith("/document/") && document.readyState === "complete"`)
	})
	if page := k.page(); !strings.Contains(page, "\n"+sum+" ₸") {
		k.t.Errorf("the receipt is not of %s: %s", sum, page)
	}
}

// letterbox takes letters and keeps the codes in them.
type letterbox struct {
	addr string
	got  chan string
}

func (l *letterbox) next(t *testing.T) string {
	t.Helper()
	select {
	case code := <-l.got:
		return code
	case <-time.After(time.Minute):
		t.Fatal("no letter in a minute")
		return ""
	}
}

// postOffice is a mail server.
func postOffice(t *testing.T) *letterbox {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	l := &letterbox{ln.Addr().String(), make(chan string, 8)}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			l.take(c)
		}
	}()
	return l
}

var sixDigits = regexp.MustCompile(`(?m)(?:^|[^0-9A-Za-z=])([0-9]{6})(?:[^0-9A-Za-z]|$)`)

// take takes the letters of one connection.
func (l *letterbox) take(c net.Conn) {
	defer c.Close()
	in := textproto.NewReader(bufio.NewReader(c))
	say := func(s string) { _, _ = io.WriteString(c, s+"\r\n") } // the other side is gone: it will come again
	say("220 post")
	for {
		line, err := in.ReadLine()
		switch {
		case err != nil:
			return
		case line == "DATA":
			say("354 go on")
			body, err := in.ReadDotBytes()
			if err != nil {
				return
			}
			say("250 taken")
			_, text, _ := strings.Cut(string(body), "\n\n")
			if m := sixDigits.FindStringSubmatch(text); m != nil {
				l.got <- m[1]
			}
		case line == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}
