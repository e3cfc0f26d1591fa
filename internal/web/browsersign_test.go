package web

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // the handshake of RFC 6455 asks for it
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"openofd/internal/signature"
	"openofd/internal/testkit/chromium"
)

// newPKI makes an authority for tests and a verifier that trusts it.
func newPKI(t *testing.T) (dir string, judge *signature.Verifier) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl here; Debian calls it openssl")
	}
	dir = t.TempDir()
	script, err := filepath.Abs("../../scripts/test-pki.sh")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(script, dir).CombinedOutput(); err != nil {
		if strings.Contains(string(out), "gost") && os.Getenv("CI") == "" {
			t.Skipf("no GOST engine here; Debian calls it libengine-gost-openssl: %s", out)
		}
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	judge, err = signature.Open(signature.Config{Roots: os.DirFS(filepath.Join(dir, "roots")), CRLs: os.DirFS(filepath.Join(dir, "crls")), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return dir, judge
}

// TestSigning signs the contract in a browser in each way there is, and has the
// server judge what came of it.
//
// Req: P-047, P-048, P-049, E-036, E-037
func TestSigning(t *testing.T) {
	dir, judge := newPKI(t)
	layer := newLayer(t, dir)
	h := newOffice(t, judge)
	h.bridge = layer.address
	h.serve()
	h.person("asel@example.kz", "Әсел")
	b := newBrowser(t, "ru")
	b.look(t, "light", 1280)
	b.open(t, h.URL+"/signin?to=/organization/link&lang=ru")
	b.fill(t, map[string]string{"email": "asel@example.kz", "password": strong})
	b.faultless(t, "signing")
	if picture := eval[bool](t, b, `!!document.querySelector("form[data-key]:not([hidden])")`); !picture {
		t.Fatal("a key file cannot be chosen")
	}
	said := func() string {
		t.Helper()
		b.until(t, `!document.querySelector("[data-said]").hidden && !document.querySelector("[data-sign] .btn-loading")`)
		return eval[string](t, b, `document.querySelector("[data-said]").innerText.trim()`)
	}
	key := func(file, password string) {
		t.Helper()
		b.do(t, chromedp.SetUploadFiles(chromedp.ID("key-file"), []string{filepath.Join(dir, "keys", file)}))
		eval[bool](t, b, fmt.Sprintf(`(() => { document.querySelector("[data-said]").hidden = true; document.getElementById("key-password").value = %q; document.querySelector("form[data-key] button").click(); return true; })()`, password))
	}
	signed := func(way string) {
		t.Helper()
		b.until(t, `document.readyState === "complete" && document.querySelector("h1")?.innerText === "Это ваша организация?"`)
		if got := eval[string](t, b, `document.querySelector("main").innerText`); !strings.Contains(got, "800101300125") || !strings.Contains(got, "Подпись верна") {
			t.Errorf("%s: the page does not name whose signature it is: %s", way, got)
		}
		for _, c := range b.complained() {
			t.Errorf("%s: console: %s", way, c)
		}
		b.open(t, h.URL+"/organization/link?lang=ru")
	}

	key("person.p12", "4321")
	if got := said(); got != "Пароль не подходит к этому ключу." {
		t.Errorf("a wrong password is answered with %q", got)
	}
	key("head.p12", "1234")
	if got := said(); !strings.Contains(got, "ГОСТ") {
		t.Errorf("a GOST key is answered with %q", got)
	}
	key("person.pem", "1234")
	if got := said(); !strings.Contains(got, "Нужен файл .p12") {
		t.Errorf("a file that is no key is answered with %q", got)
	}
	if now := eval[string](t, b, `document.activeElement.closest("form")?.action || location.href`); strings.Contains(now, "1234") {
		t.Errorf("the password is in an address: %s", now)
	}
	key("person.p12", "1234")
	signed("a file as OpenSSL packs it")
	key("person-old.p12", "1234")
	signed("a file as Kazakhstan's authority packs it")

	press := func(by string) {
		t.Helper()
		eval[bool](t, b, `(() => { document.querySelector("[data-said]").hidden = true; document.querySelector("[data-by=`+by+`]").click(); return true; })()`)
	}
	layer.mood.Store("cancel")
	press("ncalayer")
	if got := said(); got != "Подписание отменено." {
		t.Errorf("a refusal in NCALayer is answered with %q", got)
	}
	for _, mood := range []string{"commonUtils", "basics"} {
		layer.mood.Store(mood)
		press("ncalayer")
		signed("NCALayer, " + mood)
	}
	layer.Close()
	press("ncalayer")
	if got := said(); !strings.Contains(got, "NCALayer не отвечает") {
		t.Errorf("without NCALayer the page says %q", got)
	}
	b.complained() // that nothing is there the browser says itself

	press("cryptopro")
	if got := said(); !strings.Contains(got, "КриптоПро не отвечает") {
		t.Errorf("without CryptoPro the page says %q", got)
	}
	b.do(t, chromium.Call(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: cryptoProHere(t, dir)}))
	b.open(t, h.URL+"/organization/link?lang=ru")
	b.complained()
	press("cryptopro")
	b.until(t, `!document.querySelector("[data-certificates]").hidden`)
	if got := eval[string](t, b, `document.querySelector("#certificate").innerText.trim()`); got != `ООО "Тест"` {
		t.Errorf("the certificates are %q", got)
	}
	press("certificate")
	if got := said(); !strings.Contains(got, "(refused)") {
		t.Errorf("a signature that CryptoPro refuses is answered with %q", got)
	}
	press("certificate")
	b.until(t, `document.readyState === "complete" && location.pathname === "/organization/examine"`)
	// A signature over something else, as the fake's is, goes no further.
	if got := eval[string](t, b, `document.querySelector("[role=alert]:not([hidden])").innerText`); !strings.Contains(got, "документ") {
		t.Errorf("a signature over another text is answered with %q", got)
	}
}

// until waits for a condition of the page, through navigation.
func (b *browser) until(t *testing.T, condition string) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		here, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](condition))
		if err == nil && here {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s did not come true (%v): %s", condition, err, eval[string](t, b, `document.body.innerText`))
		}
	}
}

// cryptoProHere is what CryptoPro's extension puts into a page, as far as we
// use it, with the signature of a Russian organization over another text. Its
// first signature is refused.
func cryptoProHere(t *testing.T, dir string) string {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(dir, "signed", "ru-head.p7s"))
	if err != nil {
		t.Fatal(err)
	}
	return `(() => {
	let tries = 0;
	const certificate = { SubjectName: Promise.resolve('SN=Петрова, CN="ООО ""Тест""", C=RU'), HasPrivateKey: async () => true };
	const store = { Open: async () => {}, Close: async () => {}, Certificates: Promise.resolve({ Find: async () => ({ Count: Promise.resolve(1), Item: async () => certificate }) }) };
	const signer = { propset_Certificate: async (c) => { signer.c = c; }, propset_Options: async () => {} };
	const data = { propset_ContentEncoding: async (n) => { data.n = n; }, propset_Content: async (s) => { data.s = s; },
		SignCades: async (s, kind, detached) => {
			if (s.c !== certificate || data.n !== 1 || atob(data.s).length < 100 || kind !== 1 || !detached) throw new Error("asked wrongly");
			if (!tries++) throw new Error("refused");
			return ` + "`" + base64.StdEncoding.EncodeToString(file) + "`.replace(/(.{64})/g, '$1\\r\\n')" + `;
		} };
	const made = { "CAdESCOM.Store": store, "CAdESCOM.CPSigner": signer, "CAdESCOM.CadesSignedData": data };
	window.cpcsp_chrome_nmcades = { check_chrome_plugin: (yes) => yes(), CreatePluginObject: async () => ({ CreateObjectAsync: async (name) => made[name] }) };
	addEventListener("message", ({ data }) => { if (data === "cadesplugin_echo_request") postMessage("cadesplugin_loaded", "*"); });
})()`
}

// layer is what NCALayer is to a page: a WebSocket that signs with the key of
// its owner, and says first who it is.
type layer struct {
	*httptest.Server
	*testing.T
	address string
	dir     string
	mood    atomic.Value // "cancel", or which of its modules works
}

func newLayer(t *testing.T, dir string) *layer {
	t.Helper()
	l := &layer{T: t, dir: dir}
	l.Server = httptest.NewServer(http.HandlerFunc(l.shake))
	t.Cleanup(l.Close)
	l.address = "ws" + strings.TrimPrefix(l.URL, "http")
	return l
}

// shake opens the WebSocket and answers until it is closed. Source: RFC 6455.
func (l *layer) shake(w http.ResponseWriter, r *http.Request) {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // see above
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		l.Error(err)
		return
	}
	defer conn.Close()
	fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	say := func(text string) {
		head := binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(len(text)))
		if len(text) < 126 {
			head = []byte{0x81, byte(len(text))}
		}
		_, _ = rw.Write(append(head, text...))
		_ = rw.Flush()
	}
	say(`{"result":{"version":"1.4"}}`)
	say("--heartbeat--")
	for {
		asked, ok := heard(rw.Reader)
		if !ok {
			return
		}
		say(l.answer(asked))
	}
}

// heard reads one masked frame of text.
func heard(r *bufio.Reader) ([]byte, bool) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || head[0] != 0x81 {
		return nil, false
	}
	size := uint64(head[1] & 0x7f)
	if long := map[uint64]int{126: 2, 127: 8}[size]; long > 0 {
		var b [8]byte
		if _, err := io.ReadFull(r, b[8-long:]); err != nil {
			return nil, false
		}
		size = binary.BigEndian.Uint64(b[:])
	}
	if size > 1<<20 {
		return nil, false
	}
	body := make([]byte, 4+size)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, false
	}
	for i := range body[4:] {
		body[4+i] ^= body[i%4]
	}
	return body[4:], true
}

// answer signs as the module does that is asked, or says what NCALayer says.
func (l *layer) answer(asked []byte) string {
	var q struct {
		Module, Method string
		Args           json.RawMessage
	}
	if err := json.Unmarshal(asked, &q); err != nil {
		l.Errorf("NCALayer is asked %s: %v", asked, err)
	}
	mood := l.mood.Load().(string)
	switch q.Module + "." + q.Method {
	case "kz.gov.pki.knca.commonUtils.createCAdESFromBase64":
		var args []any
		if err := json.Unmarshal(q.Args, &args); err != nil || len(args) != 4 || args[1] != "SIGNATURE" || args[3] != false {
			l.Errorf("createCAdESFromBase64 is called with %s", q.Args)
		}
		switch mood {
		case "cancel":
			return `{"code":"500","message":"action.canceled"}`
		case "commonUtils":
			return fmt.Sprintf(`{"code":"200","responseObject":%q}`, "-----BEGIN CMS-----\n"+l.sign(args[2].(string))+"\n-----END CMS-----")
		}
		return `{"code":"500","message":"module not found"}`
	case "kz.gov.pki.knca.basics.sign":
		var args struct {
			Format, Data string
			Params       struct{ Encapsulate string } `json:"signingParams"`
		}
		if err := json.Unmarshal(q.Args, &args); err != nil || args.Format != "cms" || args.Params.Encapsulate != "false" {
			l.Errorf("sign is called with %s", q.Args)
		}
		return fmt.Sprintf(`{"status":true,"body":{"result":[%q]}}`, l.sign(args.Data))
	}
	return `{"status":false,"code":"500"}`
}

// sign is a detached signature of a person over what base64 holds.
func (l *layer) sign(content string) string {
	b, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		l.Errorf("what is to be signed is not base64: %v", err)
	}
	cmd := exec.Command("openssl", "cms", "-sign", "-binary", "-signer", filepath.Join(l.dir, "keys", "person.pem"),
		"-inkey", filepath.Join(l.dir, "keys", "person.key"), "-md", "sha256", "-outform", "DER")
	cmd.Stdin = strings.NewReader(string(b))
	out, err := cmd.Output()
	if err != nil {
		l.Errorf("openssl: %v", err)
	}
	return base64.StdEncoding.EncodeToString(out)
}
