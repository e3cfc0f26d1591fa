package till_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	"openofd/internal/gate"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
	"openofd/internal/registry"
	"openofd/internal/store/sqlite"
	core "openofd/internal/till"
	"openofd/internal/web/till"
)

// startOperator starts a real operator on a real socket.
func startOperator(t testing.TB) (addr string, registers *registry.Service) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := keyring.Open(t.Context(), db, filepath.Join(t.TempDir(), "master.key"), true, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	law := policy.For(fiscal.Kazakhstan)
	rules := &wire.Rules{Limits: func(day fiscal.WallTime) wire.Limits {
		terms := law.At(day)
		return wire.Limits{Shift: terms.Shift, Offline: terms.Offline}
	}}
	committer := journal.New(journal.Config{Committers: 1}, db, quiet, nil, time.Now)
	in := intake.New(intake.Config{}, db, committer, rules, keys, &fiscal.Operator{Site: "https://ofd.example"}, quiet, nil, time.Now, rand.Reader)
	door := gate.New(gate.Config{AddressFrames: -1, RegisterFrames: -1}, in, quiet, nil, time.Now)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	behind, end := context.WithCancel(context.Background())
	ended := make(chan struct{}, 3)
	for _, run := range []func(){
		func() { committer.Run(context.Background()) }, func() { in.Run(behind) }, func() { _ = door.Serve(behind, listener) },
	} {
		go func() { run(); ended <- struct{}{} }()
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = door.Drain(ctx)
		committer.Stop()
		end()
		for range cap(ended) {
			<-ended
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String(), registry.New(db, in, time.Now)
}

// cable is a link that can be cut, or answers in the operator's place.
type cable struct {
	kkm.Exchanger
	*shop
}

func (c cable) Exchange(ctx context.Context, frame []byte) (kkm.Reply, error) {
	if c.cut.Load() {
		return kkm.Reply{}, &kkm.LinkError{Stage: kkm.AtConnect, Err: errors.New("the cable is cut")}
	}
	if code := c.code.Load(); code != 0 {
		head, err := wire.ParseHeader(frame)
		if err != nil {
			return kkm.Reply{}, err
		}
		asked := wire.ParseRequest(head, frame[wire.HeaderLen:])
		if asked.Msg.GetCommand() != kkmpb.CommandTypeEnum_COMMAND_TICKET && code != wire.CodeBlocked && code < wire.CodeUnavailable {
			return c.Exchanger.Exchange(ctx, frame) // what is wrong with a receipt is not wrong with a question
		}
		answer := wire.Refuse(head, int32(asked.Msg.GetCommand()), code, operatorSays)
		return kkm.Reply{Header: head, Payload: answer[wire.HeaderLen:]}, nil
	}
	return c.Exchanger.Exchange(ctx, frame)
}

// operatorSays is the text beside the code that an answer is given instead of
// the operator's.
const operatorSays = "Позвоните нам: 8 800 080 77 77"

// shop is a till with its door, a seller who is signed in, and a register that
// works.
type shop struct {
	*core.Till
	t         testing.TB
	site      string
	path      string // of the till's file
	operator  string // its address
	mail      letters
	pages     atomic.Value  // http.Handler
	patience  time.Duration // with the operator, from the next start; 0: a test's
	secret    string
	id        fiscal.RegisterID
	registers *registry.Service
	cut       atomic.Bool
	ahead     atomic.Int64  // of the clock
	away      atomic.Bool   // the till cannot be reached
	formed    atomic.Int64  // drafts that devices asked to be formed
	mute      atomic.Bool   // what was formed is not answered
	code      atomic.Uint32 // with which receipts are answered; 0: the operator answers
}

func openShop(t testing.TB) *shop {
	t.Helper()
	s := &shop{t: t, path: filepath.Join(t.TempDir(), "till.db")}
	s.operator, s.registers = startOperator(t)
	s.open()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.SendCode(t.Context(), "aigul@example.kz", "ru"); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.secret, _, err = s.SignIn(t.Context(), "aigul@example.kz", s.mail.code("aigul@example.kz"), "Phone", "ru"); err != nil {
		t.Fatal(err)
	}
	if err := s.SetDetails(s.seat(), "Айгүл Серікқызы", "", "ru"); err != nil {
		t.Fatal(err)
	}
	if err := s.SetPIN(t.Context(), s.seat(), "", "1234", "1234"); err != nil {
		t.Fatal(err)
	}
	made, err := s.registers.AddRegister(t.Context(), registry.NewRegister{
		By: "test", Country: fiscal.Kazakhstan, XIN: "190340024183", Title: fiscal.Text{RU: "ТОО «Дала»", KK: "«Дала» ЖШС"},
		OutletTitle: fiscal.Text{RU: "Магазин «Дала»"}, OutletAddress: fiscal.Text{RU: "г. Алматы, ул. Толе би, 59"}, Zone: "Asia/Almaty", Model: core.Model, SerialNumber: "OT260000000018", TaxSystem: 101,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.id = made.Card.Register
	if err := s.Connect(t.Context(), s.seat(), s.id, made.Token); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form := r.URL.Path == "/draft/form"
		if form {
			s.formed.Add(1)
		}
		if r.URL.Path == "/enter" { // a device that is signed in
			http.SetCookie(w, &http.Cookie{Name: "till_session", Value: s.secret, Path: "/", HttpOnly: true})
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		if s.away.Load() {
			panic(http.ErrAbortHandler) // the connection closes without a word
		}
		s.pages.Load().(http.Handler).ServeHTTP(w, r)
		if form && s.mute.Load() {
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(server.Close)
	s.site = server.URL
	return s
}

// open opens the till and its pages.
func (s *shop) open() {
	s.t.Helper()
	var err error
	s.Till, err = core.Open(context.Background(), core.Config{
		Path: s.path, Mailer: &s.mail, Check: "https://ofd.example", Rand: rand.Reader, Log: quiet,
		Now:     func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) },
		Link:    func() kkm.Exchanger { return cable{kkm.NewLink(kkm.LinkConfig{Addr: s.operator}), s} },
		Options: core.Options{Transaction: cmp.Or(s.patience, 4*time.Second), Pause: 20 * time.Millisecond, Reconnect: 50 * time.Millisecond},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	h, err := till.New(till.Config{Operator: fiscal.Operator{Title: fiscal.Text{RU: "ТОО «Открытый ОФД»"}}, Site: "https://ofd.example", Zone: time.UTC}, s.Till, quiet)
	if err != nil {
		s.t.Fatal(err)
	}
	s.pages.Store(h)
}

// restart closes the till and opens it on the same file.
func (s *shop) restart() {
	s.t.Helper()
	if err := s.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.open()
}

func (s *shop) seat() *core.Seat {
	s.t.Helper()
	seat, err := s.Seat(s.t.Context(), s.secret)
	if err != nil {
		s.t.Fatal(err)
	}
	return seat
}

// latest is what the register made last.
func (s *shop) latest() (d core.Document, n int) {
	s.t.Helper()
	all, _, err := s.History(s.t.Context(), s.seat(), s.id, core.HistoryQuery{Limit: 100})
	if err != nil {
		s.t.Fatal(err)
	}
	if len(all) > 0 {
		d = all[0]
	}
	return d, len(all)
}
