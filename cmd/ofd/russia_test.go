package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"openofd/internal/config"
	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/registry"
	"openofd/internal/store/postgres"
	"openofd/internal/testkit"
	"openofd/internal/testkit/pgcluster"
)

const testDrive = "9999078902001234"

// russianNode is a running operator, and where another finds its installation.
type russianNode struct {
	*operator
	url, keyFile string
}

// russianOperator starts an operator for registers of Russia, with one
// register, on an engine.
func russianOperator(t *testing.T, engine string) (*russianNode, registry.Registered) {
	t.Helper()
	var s settings
	s.Data = t.TempDir()
	any := config.Addr{HostPort: "127.0.0.1:0"}
	s.KKMAddr, s.KKTAddr, s.HTTPAddr, s.OpsAddr = any, any, any, any
	s.KKTCrypto.Name = config.CryptoSIM1
	s.Operator.INN.Number = "7704211201"
	if engine == "postgres" {
		s.DB.URL = migratedDatabase(t)
		if err := migrateServer(t.Context(), coreConfig{Dir: s.Data, DB: s.DB.URL}, false, nil); err != nil {
			t.Fatal(err)
		}
	}
	o, err := startOperator(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	made, err := o.registry.AddRegister(t.Context(), registry.NewRegister{
		By: "test", Country: fiscal.Russia, XIN: "7704358518", Title: fiscal.Text{RU: "ООО Ромашка"}, OutletAddress: fiscal.Text{RU: "Москва"},
		Model: "Test RU", SerialNumber: "00106900000001", RegistrationNumber: "0000012345055778", Drive: testDrive,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &russianNode{o, s.DB.URL, filepath.Join(s.Data, "master.key")}, made
}

var moscow = time.FixedZone("MSK", 3*60*60)

// virtualRegister is a register of Russia with a simulated drive.
func virtualRegister(t *testing.T, link device.LinkConfig, drive device.DriveConfig, clock func() time.Time) *device.Register {
	t.Helper()
	number, err := kkt.ParseDriveNumber(testDrive)
	if err != nil {
		t.Fatal(err)
	}
	drive.Number = number
	d, err := device.NewDrive(drive, &device.Volatile{}, kkt.NewSIM1(kkt.SIM1TestKey()))
	if err != nil {
		t.Fatal(err)
	}
	l := device.NewLink(link)
	r := device.New(device.Config{Zone: moscow, Tries: 2, Pause: 20 * time.Millisecond}, d, l, l, clock, rand.Reader)
	t.Cleanup(func() { r.Close() })
	return r
}

// migratedDatabase is an empty installation on the shared cluster, without keys.
func migratedDatabase(t testing.TB) string {
	t.Helper()
	return pgcluster.Copy(t, "installation", func(ctx context.Context, url string) error {
		return postgres.Migrate(ctx, postgres.MigrateOptions{URL: url})
	})
}

// onBothEngines runs a test on each.
func onBothEngines(t *testing.T, test func(*testing.T, string)) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) { test(t, engine) })
	}
}

// A simulated register works a day with a real operator over real sockets: one
// message a connection and many, plain and encrypted, read at once and in
// pieces. The drive takes every acknowledgement, and the journal verifies.
//
// Req: F-005, F-043
func TestRussianDay(t *testing.T) {
	onBothEngines(t, func(t *testing.T, engine string) {
		o, made := russianOperator(t, engine)
		r := virtualRegister(t, device.LinkConfig{Addr: o.KKTAddr, OneRead: true}, device.DriveConfig{Encrypted: engine == "postgres"}, time.Now)
		shop := device.SampleShop(ffd.V120)
		if err := r.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, doc := range []device.Document{
			shop.Registration(0), shop.OpenShift(), shop.Receipt(fiscal.OpSale, 11_000, 5_500), shop.Receipt(fiscal.OpSaleReturn, 5_500),
			shop.CloseShift(), shop.State(), shop.CloseDrive(),
		} {
			if _, err := r.Make(doc); err != nil {
				t.Fatal(err)
			}
			if i == 3 { // two at once: one behind the other
				continue
			}
			done, err := r.Deliver(t.Context(), device.QueueDocuments)
			if err != nil {
				t.Fatalf("document %d: %v", i+1, err)
			}
			for _, d := range done {
				if !d.Ack.Accepted() || d.Ack.Operator != "7704211201" {
					t.Errorf("document %d: acknowledgement %+v", d.Number, d.Ack)
				}
			}
		}
		if s := r.Standing(); s.Unsent != 0 || s.Acks != 7 || s.Phase != device.PhaseClosed {
			t.Errorf("the drive says %v", s)
		}
		row, err := o.store.Row(t.Context(), made.Place)
		if err != nil {
			t.Fatal(err)
		}
		if got := row.State.Counters.GrandTotals; got != [4]fiscal.Money{16_500, 5_500} || row.State.Shift.Open {
			t.Errorf("grand totals %v, shift %+v", got, row.State.Shift)
		}
		if v, err := verifyStore(t.Context(), o.core, nil); err != nil || v.Signs != 7 || v.Entries != 8 {
			t.Errorf("verify = %+v, %v; want 8 entries, 7 of them documents", v, err)
		}
		if engine == "postgres" { // encrypted: without keys nobody can look, which is no damage
			module := o.module
			o.module = nil
			var d *journal.Damage
			if _, err := verifyStore(t.Context(), o.core, nil); !errors.Is(err, fiscal.Unavailable) || errors.As(err, &d) {
				t.Errorf("verify without keys = %v, want Unavailable", err)
			}
			o.module = module
		}
	})
}

// speak sends one message and hears what comes back: an answer, or the end.
func speak(t *testing.T, addr string, message []byte, half bool) (answer []byte, closed bool) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	c.Write(message)
	if half {
		c.(*net.TCPConn).CloseWrite()
	}
	head := make([]byte, kkt.HeaderLen)
	if _, err := io.ReadFull(c, head); err != nil {
		return nil, true
	}
	h, err := kkt.ParseHeader(head)
	if err != nil {
		t.Fatalf("answer %x: %v", head, err)
	}
	body := make([]byte, h.Size)
	if _, err := io.ReadFull(c, body); err != nil {
		t.Fatal(err)
	}
	return append(head, body...), false
}

// Many connections send the same document at once: it is stored once, and each
// that is answered hears the same.
func TestRussianDocumentSentAtOnce(t *testing.T) {
	onBothEngines(t, func(t *testing.T, engine string) {
		o, _ := russianOperator(t, engine)
		message := testkit.KKTVectorNamed(t, "receipt-1.2-measure-kg").Message
		var mu sync.Mutex
		answers := map[string]int{}
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() {
				answer, _ := speak(t, o.KKTAddr, message, false)
				mu.Lock()
				defer mu.Unlock()
				answers[string(answer)]++
			})
		}
		all.Wait()
		delete(answers, "") // too many at once: closed without a word
		if len(answers) != 1 {
			t.Errorf("%d different answers, want one", len(answers))
		}
		if v, err := verifyStore(t.Context(), o.core, nil); err != nil || v.Entries != 2 {
			t.Errorf("verify = %+v, %v; want the registration and one document", v, err)
		}
	})
}

// The two countries do not hear of each other's registers.
func TestCountriesApart(t *testing.T) {
	o, made := russianOperator(t, "sqlite")
	frame := pingFrame(t, registry.Registered{Card: made.Card}, 1)
	c, err := net.Dial("tcp", o.KKMAddr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	c.Write(frame)
	answer := make([]byte, 256)
	n, err := c.Read(answer)
	if err != nil || n < kkm.HeaderLen {
		t.Fatalf("the KKM door about a register of Russia: %x, %v", answer[:n], err)
	}
	if m, err := kkm.ParseResponse(answer[kkm.HeaderLen:n]); err != nil || m.GetResult().GetResultCode() != kkm.CodeUnknownID {
		t.Errorf("the KKM door about a register of Russia: %v, %v; want code 1", m, err)
	}
	if _, err := o.registry.Token(t.Context(), made.Card.Register, "test"); err == nil {
		t.Error("a register of Russia was given a token")
	}
	unknown := bytes.Clone(testkit.KKTVectorNamed(t, "ping-ofd").Message)
	if answer, _ := speak(t, o.KKTAddr, unknown, false); len(answer) != kkt.HeaderLen {
		t.Errorf("a ping of a drive that nobody knows: %x, want an answer", answer)
	}
}

// A door without keys or without our INN is not opened.
func TestRussianDoorNeeds(t *testing.T) {
	for _, tt := range []struct{ crypto, inn, want string }{
		{"", "7704211201", "no keys of fiscal drives"},
		{"sim1", "", "the operator's INN"},
	} {
		var s settings
		s.Data = t.TempDir()
		s.KKTAddr = config.Addr{HostPort: "127.0.0.1:0"}
		s.KKTCrypto.Name, s.Operator.INN.Number = tt.crypto, tt.inn
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		o, err := startOperator(ctx, s)
		cancel()
		if err == nil {
			o.stop()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("crypto %q, INN %q: %v, want a word about %s", tt.crypto, tt.inn, err, tt.want)
		}
	}
}
