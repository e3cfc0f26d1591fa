package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/registry"
)

// The demo sells in both countries, through cut links and the ends of days. Its
// guest registers take the commands that it prints, word for word. A folder that
// is kept is gone on with, and everything in it verifies.
//
// Req: O-001
func TestDemoSells(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ofd.toml"), []byte("kkt_crypto = \"sim1\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDemo(t, dir)
	for _, line := range []string{
		"Алматы sale http", "Астана sale http", "Шымкент sale http", "Тверь sale http", "Новосибирск sale http",
		"Тверь return http", "Новосибирск taken back http", "Тверь correction", "Новосибирск on the site", "Тверь as an agent",
		"Алматы autonomous, code", "Тверь that waited are delivered, in order", "Новосибирск shift 1 closed", "Шымкент Z report 1",
	} {
		d.says(line)
	}
	if len(d.typed) != 5 {
		t.Fatalf("the demo prints the commands %q, want five", d.typed)
	}
	for _, line := range d.typed {
		cmd := exec.Command(program, strings.Fields(line)[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "accepted") {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
	d.end()

	d = startDemo(t, dir)
	d.says("Алматы sale http")
	d.says("Тверь sale http")
	d.end()

	list := exec.Command(program, "application", "list", "--data", "kept")
	list.Dir = dir
	if out, err := list.CombinedOutput(); err != nil || strings.Count(string(out), "register ") != 6 || !saysAll(string(out), "draft withdrawn") {
		t.Errorf("ofd application list: %v\n%s\nwant six of which some are drafts", err, out)
	}
	cmd := exec.Command(program, "verify", "--data", "kept", "--json")
	cmd.Dir = dir
	out, err := cmd.Output()
	var said struct {
		OK      bool `json:"ok"`
		Entries int  `json:"entries"`
	}
	if err != nil || json.Unmarshal(out, &said) != nil || !said.OK || said.Entries < 100 {
		t.Errorf("ofd verify: %v\n%s", err, out)
	}
}

// runningDemo is `ofd demo` under a test.
type runningDemo struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string
	heard []string
	typed []string // commands that it prints
}

func startDemo(t *testing.T, dir string) *runningDemo {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	any := "127.0.0.1:0"
	d := &runningDemo{t: t, lines: make(chan string, 1024), cmd: exec.CommandContext(ctx, program,
		"demo", "--pace", "100", "--days", "3", "--data", "kept", "--kkm-addr", any, "--kkt-addr", any, "--http-addr", any, "--ops-addr", any, "--authority-addr", any)}
	d.cmd.Dir = dir
	d.cmd.Env = (&script{names: map[string]string{}}).env()
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(d.lines)
		for all := bufio.NewScanner(out); all.Scan(); {
			d.lines <- all.Text()
		}
	}()
	return d
}

// says waits for a line that holds every one of the words.
func (d *runningDemo) says(words string) {
	d.t.Helper()
	for _, line := range d.heard {
		if saysAll(line, words) {
			return
		}
	}
	for line := range d.lines {
		d.heard = append(d.heard, line)
		if strings.HasPrefix(line, "  "+program+" send") {
			d.typed = append(d.typed, line)
		}
		if saysAll(line, words) {
			return
		}
	}
	d.t.Fatalf("the demo never says %q; it says\n%s", words, strings.Join(d.heard[max(0, len(d.heard)-40):], "\n"))
}

func saysAll(line, words string) bool {
	for word := range strings.FieldsSeq(words) {
		if !strings.Contains(line, word) {
			return false
		}
	}
	return true
}

func (d *runningDemo) end() {
	d.t.Helper()
	d.cmd.Process.Signal(syscall.SIGTERM)
	for range d.lines { // until it has said all
	}
	if err := d.cmd.Wait(); err != nil {
		d.t.Errorf("the demo ends with %v, want 0", err)
	}
}

// Whatever the shops in Russia make breaks no rule of its version, on any day of
// the rates that hold now and did last year.
func TestRussianShopsBreakNoRule(t *testing.T) {
	for _, now := range []string{"2025-10-14T12:30:00Z", "2026-11-21T21:10:00Z"} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		for _, shop := range russianShops() {
			t.Run(shop.city+"/"+now[:4], func(t *testing.T) { breaksNoRule(t, shop, at) })
		}
	}
}

func breaksNoRule(t *testing.T, shop russianShop, at time.Time) {
	zone, err := time.LoadLocation(shop.register.Zone)
	if err != nil {
		t.Fatal(err)
	}
	d := &russianCounter{
		shop: shop, card: fiscal.Card{Drive: shop.register.Drive, SerialNumber: shop.register.SerialNumber}, words: shop.device("9602005556"),
		link: &cuttableKKT{Exchanger: device.NewLink(device.LinkConfig{Addr: "127.0.0.1:0"})}, zone: zone, now: func() time.Time { return at }, rand: newRand(),
	}
	d.link.cut(time.Hour) // nobody listens
	if d.reg, err = d.open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	judge := func(m russianMade, in ffd.Circumstances) *ffd.Document {
		doc, err := ffd.Parse(m.made.Bytes, 0)
		if err != nil {
			t.Fatalf("%s: %v", m.what, err)
		}
		if verdict := doc.Check(in); len(verdict.Findings) > 0 {
			t.Errorf("%s: %+v, want no finding", m.what, verdict.Findings)
		}
		return doc
	}
	in := ffd.Circumstances{Now: fiscal.WallIn(at, zone)}
	report, err := d.make(t.Context(), russianDeal{what: "registration"}, d.words.Registration(0))
	if err != nil {
		t.Fatal(err)
	}
	in.Registered = judge(report, in).Registered()
	if err := d.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		deals := d.sale()
		switch {
		case i < 2*len(shop.deals):
			deals = shop.deals[i%len(shop.deals)](&d.shop, d.rand, d.day())
		case i%4 == 3:
			deals = d.givenBack()
		}
		all, err := d.trade(t.Context(), deals)
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			d.remember(&all[i])
			doc := judge(all[i], in)
			if q, err := url.ParseQuery(all[i].made.QR()); err != nil || q.Get("s") != doc.Money(ffd.TagTotal).String() || all[i].total() == 0 {
				t.Errorf("%s: QR text %q, total %v", all[i].what, all[i].made.QR(), doc.Money(ffd.TagTotal))
			}
		}
	}
	if err := d.close(); err != nil {
		t.Error(err)
	}
}

// The numbers of the shops check each other, and the guest's too.
func TestRussianShopsAreRegistered(t *testing.T) {
	all := []registry.NewRegister{guestOfRussia()}
	for _, shop := range russianShops() {
		all = append(all, shop.register)
	}
	seen := map[string]bool{}
	for _, in := range all {
		if !fiscal.ValidINN(string(in.XIN)) || !fiscal.ValidRussianNumber(in.RegistrationNumber, string(in.XIN), in.SerialNumber) {
			t.Errorf("%s: INN %s and registration number %s do not check each other", in.Title.RU, in.XIN, in.RegistrationNumber)
		}
		if seen[in.Drive] {
			t.Errorf("drive %s twice", in.Drive)
		}
		seen[in.Drive] = true
	}
	for _, inn := range []string{demoBeekeeper, demoPaymentOperator, demoOperator().INN.Number} {
		if !fiscal.ValidINN(inn) {
			t.Errorf("%s is no INN", inn)
		}
	}
}
