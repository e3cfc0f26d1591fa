//go:build linux && (faults || long)

package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/authority/fns"
	"openofd/internal/authority/kgd"
	"openofd/internal/authority/link"
	"openofd/internal/authority/sandbox"
	"openofd/internal/config"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/registry"
	"openofd/internal/signature"
	"openofd/internal/testkit/pgcluster"
)

// awayAuthority runs `ofd serve` and `ofd authority`, two processes over TLS that
// show certificates to each other, under load of registers of both countries. The authority is down, slow,
// breaks, loses answers, talks rubbish, has a wrong clock and is killed; the
// operator is killed in the middle of batches. In the end the authority has the
// accepted documents, each once and in the order of its register, and every
// application was decided and written on its register once. While it is away the
// operator's metrics say so.
//
// Req: O-005, O-060, O-063, O-110, P-008, P-011
func awayAuthority(engine string) func(*testing.T, *mathrand.Rand) tally {
	return func(t *testing.T, dice *mathrand.Rand) tally {
		e := newEndToEnd(t, engine)
		applications := append(e.sign(3), e.signRussian())
		tills := e.russianTills()
		e.serve()
		var shops []*loadShop
		for i := range 4 {
			shops = append(shops, newLoadShop(t, e.script, i, e.kkm))
		}
		load, stop := context.WithCancel(t.Context())
		var selling sync.WaitGroup
		for i, shop := range shops {
			own := mathrand.New(mathrand.NewPCG(dice.Uint64(), uint64(i)))
			selling.Go(func() { shop.sell(load, own) })
		}
		for _, till := range tills {
			selling.Go(func() { till.sell(load) })
		}
		defer selling.Wait()
		defer stop()
		until(t, "the metrics say that both authorities are away", func() bool {
			return e.metric(kgd.Name, `ofd_follower_stuck_partitions`) > 0 && e.metric(fns.Name, `ofd_follower_stuck_partitions`) > 0 && e.metric(fns.Name, `ofd_follower_lag_entries`) > 0
		})
		kills := 0
		for range size.rounds + 1 {
			e.authority()
			e.faults(sandbox.Fault{Kind: sandbox.Lost, Percent: 30}, sandbox.Fault{Kind: sandbox.Broken, Percent: 15}, sandbox.Fault{Kind: sandbox.Rubbish, Percent: 15},
				sandbox.Fault{Kind: sandbox.Empty, Percent: 5}, sandbox.Fault{Kind: sandbox.Half, Percent: 5}, sandbox.Fault{Kind: sandbox.Foreign, Percent: 10}, sandbox.Fault{Kind: sandbox.Elsewhere, Percent: 5},
				sandbox.Fault{Kind: sandbox.Slow, Percent: 20, Millis: 50}, sandbox.Fault{Kind: sandbox.WrongClock, Seconds: (1 - 2*dice.IntN(2)) * 3 * 24 * 60 * 60})
			for range size.kills {
				time.Sleep(time.Duration(200+dice.IntN(600)) * time.Millisecond)
				e.script.server.end(syscall.SIGKILL)
				e.serve()
				kills++
			}
			e.killAuthority()
			kills++
		}
		e.authority()
		stop()
		selling.Wait()
		documents := 0
		for _, shop := range shops {
			if shop.err != nil {
				t.Errorf("register %d: %v", shop.id, shop.err)
			}
			documents += len(shop.slips)
		}
		for _, till := range tills {
			documents += till.empty()
		}
		e.decided(applications)
		e.restart()
		e.applied(applications)
		until(t, "all is forwarded", func() bool {
			return e.metric(kgd.Name, `ofd_follower_lag_entries`) == 0 && e.metric(fns.Name, `ofd_follower_lag_entries`) == 0
		})
		e.script.step("stop", "")
		e.killAuthority()
		held := e.holdsAll()
		if held < documents {
			t.Errorf("the authority has %d documents, %d receipts were answered", held, documents)
		}
		n := tally{faults: kills}
		n.Answered, n.Stored = documents, documents
		t.Logf("%s: %d receipts, %d documents at the authority, %d applications, killed %d times", engine, documents, held, len(applications), kills)
		return n
	}
}

// endToEnd is an operator and an authority, each a process of its own.
type endToEnd struct {
	*testing.T
	script        *script
	kkm, kkt, far string // addresses, the same after each restart
	dir           string // of the authority and the certificates
	db            string
	process       *exec.Cmd // the authority; nil: it is down
	client        *http.Client
}

const e2ePassword = "rehearsal-only"

func newEndToEnd(t *testing.T, engine string) *endToEnd {
	t.Helper()
	s := &script{t: t, dir: t.TempDir(), names: map[string]string{"engine": engine}}
	s.names["dir"], s.names["data"] = s.dir, filepath.Join(s.dir, "data")
	e := &endToEnd{T: t, script: s, kkm: freeAddr(t), kkt: freeAddr(t), far: freeAddr(t), dir: t.TempDir()}
	if engine == "postgres" {
		e.db = pgcluster.Database(t)
		s.names["db"] = e.db
		s.run(exitOK, "migrate up")
	}
	e.certificates()
	settings := fmt.Sprintf("kkt_crypto = \"sim1\"\n[operator]\ninn = %q\n", demoOperator().INN.Number)
	if err := os.WriteFile(filepath.Join(s.dir, "ofd.toml"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(e.path("password"), []byte(e2ePassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e.killAuthority()
		if s.server != nil {
			s.server.end(syscall.SIGKILL)
		}
	})
	return e
}

func (e *endToEnd) path(name string) string { return filepath.Join(e.dir, name) }

// certificates makes an issuer, and what both ends show.
func (e *endToEnd) certificates() {
	e.Helper()
	var ca *x509.Certificate
	var caKey *ecdsa.PrivateKey
	for i, name := range []string{"ca", "authority", "operator"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			e.Fatal(err)
		}
		c := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: ca == nil, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		}
		if ca == nil {
			ca, caKey = c, key
		}
		der, err := x509.CreateCertificate(rand.Reader, c, ca, &key.PublicKey, caKey)
		if err != nil {
			e.Fatal(err)
		}
		secret, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			e.Fatal(err)
		}
		for ending, block := range map[string]*pem.Block{".crt": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: secret}} {
			if err := os.WriteFile(e.path(name+ending), pem.EncodeToMemory(block), 0o600); err != nil {
				e.Fatal(err)
			}
		}
		if i == 0 {
			if ca, err = x509.ParseCertificate(der); err != nil {
				e.Fatal(err)
			}
		}
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	e.client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
}

// serve starts the operator.
func (e *endToEnd) serve() {
	e.Helper()
	ways := ""
	for _, way := range []string{"kgd-url", "fns-url", "marking"} {
		name := strings.TrimSuffix(way, "-url")
		ways += fmt.Sprintf(" --%[1]s https://%[2]s --%[3]s-cert %[4]s --%[3]s-key %[5]s --%[3]s-ca %[6]s", way, e.far, name, e.path("operator.crt"), e.path("operator.key"), e.path("ca.crt"))
	}
	e.script.serve(fmt.Sprintf("--kkm-addr %s --kkt-addr %s", e.kkm, e.kkt) + ways)
}

// restart ends the operator in good order and starts it: what it waits for after
// failures begins anew.
func (e *endToEnd) restart() {
	e.Helper()
	e.script.step("stop", "")
	e.serve()
}

// authority starts the authority.
func (e *endToEnd) authority() {
	e.Helper()
	cmd := exec.Command(program, "authority", "--data", e.path("authority"), "--addr", e.far, "--tls-cert", e.path("authority.crt"), "--tls-key", e.path("authority.key"),
		"--client-ca", e.path("ca.crt"), "--password-file", e.path("password"), "--decide-after", "300ms", "--log-level", "error")
	cmd.Env, cmd.Stderr = e.script.env(), os.Stderr
	if err := cmd.Start(); err != nil {
		e.Fatal(err)
	}
	e.process = cmd
	until(e.T, "the authority answers", func() bool {
		res, err := e.client.Get("https://" + e.far + "/signin")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// killAuthority kills it, whatever it is at.
func (e *endToEnd) killAuthority() {
	if e.process == nil {
		return
	}
	_ = e.process.Process.Kill()
	_ = e.process.Wait()
	e.process = nil
	e.client.CloseIdleConnections()
}

// faults has the authority break down, as a program asks it to.
func (e *endToEnd) faults(all ...sandbox.Fault) {
	e.Helper()
	for _, f := range all {
		body, err := json.Marshal(f)
		if err != nil {
			e.Fatal(err)
		}
		req, err := http.NewRequestWithContext(e.Context(), http.MethodPost, "https://"+e.far+"/faults", bytes.NewReader(body))
		if err != nil {
			e.Fatal(err)
		}
		req.SetBasicAuth("test", e2ePassword)
		req.Header.Set("Content-Type", "application/json")
		res, err := e.client.Do(req)
		if err != nil {
			e.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			e.Fatalf("fault %+v: %s %s", f, res.Status, text)
		}
	}
}

// metric is what the operator's ops door says of delivery to an authority, -1
// nothing.
func (e *endToEnd) metric(authority, name string) float64 {
	res, err := http.Get("http://" + e.script.names["ops"] + "/metrics")
	if err != nil {
		return -1
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return -1
	}
	found := regexp.MustCompile(`(?m)^` + name + `\{follower="` + delivery.IDOf(authority).Name + `"\} (\S+)$`).FindSubmatch(text)
	if found == nil {
		return -1
	}
	v, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		e.Errorf("%s: %v", name, err)
	}
	return v
}

// beside works on the operator's data as a command beside the server does.
func (e *endToEnd) beside(do func(*core)) {
	e.Helper()
	c, err := startCore(e.Context(), coreConfig{Dir: e.script.names["data"], DB: e.db, Crypto: config.Crypto{Name: config.CryptoSIM1}})
	if err != nil {
		e.Fatal(err)
	}
	do(c)
	if err := c.stop(); err != nil {
		e.Fatal(err)
	}
}

// sign founds a trader with some registers and signs an application for each.
func (e *endToEnd) sign(n int) (ids []registry.ApplicationID) {
	e.Helper()
	must := func(err error) {
		e.Helper()
		if err != nil {
			e.Fatal(err)
		}
	}
	issuer, err := newDemoAuthority(time.Now, rand.Reader)
	must(err)
	must(issuer.keep(e.path("roots")))
	judge, err := signature.Open(signature.Config{Roots: os.DirFS(e.path("roots")), Now: time.Now})
	must(err)
	e.beside(func(c *core) {
		people, err := c.people()
		must(err)
		office := registry.NewOffice(c.registry, c.store, people.Service, judge, fiscal.Operator{}, c.now)
		const model = "ПОРТ DPG-25 ФKZ"
		for i := range n {
			made, err := c.registry.AddRegister(e.Context(), registry.NewRegister{
				By: "test", Country: fiscal.Kazakhstan, XIN: "850615400561", Title: fiscal.Text{RU: "ИП «Көктем»"}, LegalAddress: fiscal.Text{RU: "Астана"}, OutletTitle: fiscal.Text{RU: "Кофейня"},
				OutletAddress: fiscal.Text{RU: "Астана, Мангилик Ел, 17"}, OutletWhere: registry.Address{Region: "71", Locality: "Астана", Street: "Мангилик Ел", House: "17"},
				Name: "Касса", Model: model, SerialNumber: fmt.Sprintf("A%06d", i), Year: 2026,
			})
			must(err)
			owner := access.Actor{Taxpayer: made.Card.Taxpayer, Strong: true}
			if i == 0 {
				owner.User, err = people.AddUser(e.Context(), access.NewUser{Email: "owner@koktem.example", Name: "Гүлнұр", Password: demoPassword, Language: "kk"}, false)
				must(err)
				must(people.Place(e.Context(), owner.User.Email, made.Card.Taxpayer, access.Owner))
				_, err = office.RecordPaper(e.Context(), made.Card.Taxpayer, "test", "1")
				must(err)
			} else {
				all, err := people.People(e.Context(), 0, 1)
				must(err)
				owner.User = all[0].User
			}
			owner.Member = access.Member{User: owner.User.ID, Taxpayer: owner.Taxpayer, Role: access.Owner}
			a, err := office.DraftApplication(e.Context(), &owner, made.Card.Register, registry.Enrol)
			must(err)
			a.Form.Connection = office.Model(fiscal.Kazakhstan, model).Connections[0]
			if a.Form.Connection == fiscal.ConnectionWireless {
				a.Form.SIM = "77010000000"
			}
			_, _, err = office.SetApplication(e.Context(), &owner, a.ID, a.Form)
			must(err)
			content, err := office.ApplicationContent(e.Context(), &owner, a.ID)
			must(err)
			file, err := issuer.sign(content, "Гүлнұр", a.Form.XIN)
			must(err)
			_, err = office.SignApplication(e.Context(), &owner, a.ID, file)
			must(err)
			ids = append(ids, a.ID)
		}
	})
	return ids
}

// decided has what waits after failures tried at once, as staff may, until the
// authority has decided on all applications, on each once.
func (e *endToEnd) decided(ids []registry.ApplicationID) {
	e.Helper()
	way := link.Config{URL: "https://" + e.far, Cert: e.path("operator.crt"), Key: e.path("operator.key"), CA: e.path("ca.crt")}
	registrars := []delivery.Registrar{must(kgd.Open(way, time.Now)), must(fns.Open(way, time.Now))}
	var all []delivery.Decision
	e.beside(func(c *core) {
		people, err := c.people()
		if err != nil {
			e.Fatal(err)
		}
		office := registry.NewOffice(c.registry, c.store, people.Service, nil, fiscal.Operator{}, c.now)
		until(e.T, "the authority has decided", func() bool {
			for _, id := range ids {
				if a, _, err := c.store.ApplicationOf(e.Context(), 0, id); err != nil || a.Status != registry.Sent || a.NextTry.Before(time.Now()) {
					continue
				}
				if _, err := office.HurryApplication(e.Context(), id, "test"); err != nil && !errors.Is(err, fiscal.Conflict) {
					e.Fatal(err)
				}
			}
			all = nil
			for _, far := range registrars {
				some, _, err := far.Decisions(e.Context(), "", 100)
				if err != nil {
					e.Fatal(err)
				}
				all = append(all, some...)
			}
			return len(all) >= len(ids)
		})
	})
	seen := map[string]bool{}
	for _, d := range all {
		if seen[d.ID] || !d.Granted {
			e.Errorf("decision %+v, want one grant for each application", d)
		}
		seen[d.ID] = true
	}
	if len(all) != len(ids) {
		e.Errorf("%d decisions on %d applications", len(all), len(ids))
	}
}

// applied waits until every grant is on its register, and wants it there once.
func (e *endToEnd) applied(ids []registry.ApplicationID) {
	e.Helper()
	e.beside(func(c *core) {
		for _, id := range ids {
			var a registry.Application
			var events []registry.ApplicationEvent
			until(e.T, "a grant is on its register", func() (ok bool) {
				var err error
				if a, events, err = c.store.ApplicationOf(e.Context(), 0, id); err != nil {
					e.Fatal(err)
				}
				return !a.AppliedAt.IsZero()
			})
			n := map[registry.Happening]int{}
			for _, ev := range events {
				n[ev.What]++
			}
			shown, err := c.registry.Show(e.Context(), a.Register)
			if err != nil {
				e.Fatal(err)
			}
			written, before := 0, "" // on how many versions of the card the number changed
			for v := uint32(1); v <= shown.Card.Version; v++ {
				card := must(c.store.Card(e.Context(), a.Register, v))
				if v > 1 && card.RegistrationNumber != before {
					written++
				}
				before = card.RegistrationNumber
			}
			if n[registry.WasSigned] != 1 || n[registry.WasGranted] != 1 || n[registry.WasApplied] != 1 || written != 1 || before != a.RegistrationNumber || shown.Card.Provisional {
				e.Errorf("application %d: %v, number %s written %d times; want it signed, granted, applied once and the number %s written once",
					id, n, before, written, a.RegistrationNumber)
			}
		}
	})
}

// holdsAll compares what the authority has with the journal: the same documents,
// each once, those of a register in their order.
func (e *endToEnd) holdsAll() (held int) {
	e.Helper()
	for country, words := range map[fiscal.Country]func(*core) delivery.Authority{
		fiscal.Kazakhstan: func(c *core) delivery.Authority { return kgd.NewWording(c.openKazakh, c.store) },
		fiscal.Russia:     func(c *core) delivery.Authority { return fns.Wording{Documents: c.drives(), NoKey: noKey} },
	} {
		held += e.holdsAllOf(country, words)
	}
	return held
}

func (e *endToEnd) holdsAllOf(country fiscal.Country, authority func(*core) delivery.Authority) (held int) {
	e.Helper()
	type place struct {
		register fiscal.RegisterID
		entry    fiscal.Number
	}
	want := map[place][32]byte{}
	e.beside(func(c *core) {
		words := authority(c)
		for p, h := range must(c.store.Heads(e.Context())) {
			for from := journal.Seq(1); from <= h.Seq; from += 512 {
				for _, one := range must(c.store.Page(e.Context(), p, from, 512, 1<<30)) {
					if _, _, ok, err := words.Word(e.Context(), nil, delivery.Entry{Record: &one.Record, Hash: one.Hash}); err == nil && ok {
						want[place{one.Register, one.Number}] = one.Hash
					} else if err != nil {
						e.Errorf("entry %d of register %d: %v", one.Number, one.Register, err)
					}
				}
			}
		}
	})
	far, err := sandbox.Open(e.Context(), sandbox.Config{Dir: e.path("authority"), Certificates: true})
	if err != nil {
		e.Fatal(err)
	}
	defer far.Close()
	last := map[fiscal.RegisterID]fiscal.Number{}
	missing := len(want)
	if err := far.Each(e.Context(), country, func(h sandbox.Held) {
		held++
		hash, accepted := want[place{h.Register, h.Entry}]
		switch {
		case !accepted || hash != h.Hash && country == fiscal.Kazakhstan:
			e.Errorf("the authority has entry %d of register %d, accepted %v, with hash %x; want %x", h.Entry, h.Register, accepted, h.Hash, hash)
		case h.Entry <= last[h.Register]:
			e.Errorf("register %d: entry %d came behind %d", h.Register, h.Entry, last[h.Register])
		default:
			missing--
		}
		last[h.Register] = h.Entry
	}); err != nil {
		e.Fatal(err)
	}
	if missing != 0 || held != len(want) {
		e.Errorf("%s: the authority has %d documents, %d were accepted, %d are missing", country, held, len(want), missing)
	}
	return held
}
