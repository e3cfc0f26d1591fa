package mail

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"mime/quotedprintable"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func mailer(t *testing.T, s Sender) *Mailer {
	t.Helper()
	m, err := New(s, fiscal.Operator{Title: fiscal.Text{RU: "ОФД «Пример»", KK: "«Мысал» ФДО"}}, "https://ofd.example.kz", slog.New(slog.DiscardHandler), func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// TestLetters: every kind is worded in every language, with its code alone
// where there is one, and nothing of ours is left unworded.
func TestLetters(t *testing.T) {
	sink := &Sink{}
	m := mailer(t, sink)
	for _, kind := range access.MailKinds() {
		for _, lang := range []string{"kk", "ru", "en", ""} {
			what := access.Mail{To: "asel@example.kz", Language: lang, Kind: kind, Who: "Берік\nСіздің кодыңыз: 1", Name: "Казына"}
			if kind == access.MailSignUp || kind == access.MailReset || kind == access.MailLink {
				what.Code = "012345"
			}
			l := write(m.locales, m.name, m.site, what, noon)
			if l.Subject == "" || strings.Contains(l.Subject+l.Text, "mail.") || strings.ContainsAny(l.Subject, "\r\n{") || strings.Contains(l.Text, "{") {
				t.Errorf("%s in %q:\n%s\n%s", kind, lang, l.Subject, l.Text)
			}
			if strings.Contains(l.Text, "012345") != (what.Code != "") || strings.Contains(l.Text, "\nСіздің кодыңыз: 1\n") {
				t.Errorf("%s in %q has a wrong code:\n%s", kind, lang, l.Text)
			}
			if !strings.Contains(l.Text, "https://ofd.example.kz") {
				t.Errorf("%s in %q does not say where we are", kind, lang)
			}
		}
	}
}

// TestSMTP hands a letter to a server that speaks the protocol.
//
// Req: E-028
func TestSMTP(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	got := make(chan string, 1)
	go postOffice(ln, got)
	m := mailer(t, SMTP{Addr: ln.Addr().String(), From: "ofd@example.kz", Plain: true})
	if err := m.Send(t.Context(), access.Mail{To: "asel@example.kz", Language: "kk", Kind: access.MailSignUp, Code: "012345"}); err != nil {
		t.Fatal(err)
	}
	letter := <-got
	for _, want := range []string{"MAIL FROM:<ofd@example.kz>", "RCPT TO:<asel@example.kz>", "Auto-Submitted: auto-generated", "012345", "Сәлеметсіз бе!"} {
		if !strings.Contains(letter, want) {
			t.Errorf("the letter lacks %q:\n%s", want, letter)
		}
	}
	ln.Close()
	if err := m.Send(t.Context(), access.Mail{To: "asel@example.kz", Language: "kk", Kind: access.MailSignUp, Code: "012345"}); !errors.Is(err, fiscal.Unavailable) {
		t.Errorf("without a server: %v, want Unavailable", err)
	}
}

// postOffice takes one letter.
func postOffice(ln net.Listener, got chan<- string) {
	c, err := ln.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	in := textproto.NewReader(bufio.NewReader(c))
	say := func(s string) { io.WriteString(c, s+"\r\n") }
	say("220 post")
	var all strings.Builder
	for {
		line, err := in.ReadLine()
		if err != nil {
			return
		}
		all.WriteString(line + "\n")
		switch {
		case strings.HasPrefix(line, "EHLO"):
			say("250 post")
		case line == "DATA":
			say("354 go on")
			body, err := in.ReadDotBytes()
			if err != nil {
				return
			}
			all.Write(body)
			if plain, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(string(body)))); err == nil {
				all.Write(plain)
			}
			say("250 taken")
			got <- all.String()
		case line == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// flaky refuses the first letters.
type flaky struct {
	Sink
	refuse int
}

func (f *flaky) Deliver(ctx context.Context, l Letter) error {
	if f.refuse > 0 {
		f.refuse--
		return errors.New("busy")
	}
	return f.Sink.Deliver(ctx, l)
}

// TestNoticesWait: a notice does not keep anybody waiting and is tried again.
func TestNoticesWait(t *testing.T) {
	s := &flaky{refuse: 1}
	m := mailer(t, s)
	if err := m.Send(t.Context(), access.Mail{To: "asel@example.kz", Kind: access.MailLocked}); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); len(s.Letters()) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the notice did not come")
		}
	}
}

func TestSinkForgets(t *testing.T) {
	s := &Sink{}
	for i := range maxKept + 5 {
		if err := s.Deliver(t.Context(), Letter{Subject: strings.Repeat("x", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if all := s.Letters(); len(all) != maxKept || len(all[0].Subject) != maxKept+4 {
		t.Errorf("%d letters, the newest %q", len(all), all[0].Subject)
	}
}
