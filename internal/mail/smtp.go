package mail

import (
	"context"
	"fmt"
	"net"
	"strconv"

	smtp "github.com/wneessen/go-mail"
)

// SMTP is a mail server that takes letters for everybody.
type SMTP struct {
	Addr     string // host:port; port 465 speaks TLS from its first byte
	From     string
	User     string // "" no login
	Password string
	Plain    bool // without TLS: for a server on this machine
}

// Deliver hands a letter over in a connection of its own.
func (s SMTP) Deliver(ctx context.Context, l Letter) error {
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("port %q: %w", port, err)
	}
	options := []smtp.Option{smtp.WithPort(number), smtp.WithTLSPolicy(smtp.TLSMandatory)}
	switch {
	case s.Plain:
		options = append(options, smtp.WithTLSPolicy(smtp.NoTLS))
	case number == 465:
		options = append(options, smtp.WithSSL())
	}
	if s.User != "" {
		options = append(options, smtp.WithSMTPAuth(smtp.SMTPAuthAutoDiscover), smtp.WithUsername(s.User), smtp.WithPassword(s.Password))
	}
	client, err := smtp.NewClient(host, options...)
	if err != nil {
		return err
	}
	m := smtp.NewMsg()
	if err := m.From(s.From); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	if err := m.To(l.To); err != nil {
		return fmt.Errorf("recipient: %w", err)
	}
	m.Subject(l.Subject)
	m.SetDateWithValue(l.At)
	m.SetMessageID()
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetBodyString(smtp.TypeTextPlain, l.Text)
	return client.DialAndSendWithContext(ctx, m)
}
