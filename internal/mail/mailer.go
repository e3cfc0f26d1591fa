package mail

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// Sender hands a letter over. An error means that it was not taken.
type Sender interface {
	Deliver(ctx context.Context, l Letter) error
}

// Mailer words letters and sends them. A letter somebody waits for is sent at
// once, and its failure is theirs to know; a notice is sent behind, and tried
// again. Safe for concurrent use.
type Mailer struct {
	sender   Sender
	locales  ui.Locales
	operator fiscal.Operator
	site     string
	log      *slog.Logger
	now      func() time.Time
	notices  chan Letter
	end      context.CancelFunc
	running  sync.WaitGroup
}

const (
	patience    = 15 * time.Second // for one letter
	maxNotices  = 1000
	noticeTries = 5
)

var _ access.Mailer = (*Mailer)(nil)

// New makes a mailer and starts sending; Close ends it.
func New(sender Sender, operator fiscal.Operator, site string, log *slog.Logger, now func() time.Time) (*Mailer, error) {
	locales, err := ui.LoadLocales()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &Mailer{sender: sender, locales: locales, operator: operator, site: site, log: log, now: now, notices: make(chan Letter, maxNotices), end: cancel}
	m.running.Go(func() { m.run(ctx) })
	return m, nil
}

// Send sends a letter. Errors: Unavailable with the Field "mail" if the mail
// server does not take it, or too many notices wait.
func (m *Mailer) Send(ctx context.Context, what access.Mail) error {
	l := write(m.locales, m.name, m.site, what, m.now())
	if what.Code == "" && what.Kind != access.MailInvited {
		select {
		case m.notices <- l:
			return nil
		default:
			return &fiscal.Error{Of: fiscal.Unavailable, Field: "mail", Msg: "too many letters wait"}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := m.sender.Deliver(ctx, l); err != nil {
		m.log.Error("letter not sent", "kind", string(what.Kind), "err", err)
		return &fiscal.Error{Of: fiscal.Unavailable, Field: "mail", Msg: "the mail server did not take the letter", Err: err}
	}
	return nil
}

func (m *Mailer) name(l *ui.Locale) string {
	if name := m.operator.Title.In(l.Lang); name != "" {
		return name
	}
	return l.T("operator.unnamed")
}

func (m *Mailer) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			if n := len(m.notices); n > 0 {
				m.log.Warn("notices were not sent", "count", n)
			}
			return
		case l := <-m.notices:
			m.notify(ctx, l)
		}
	}
}

func (m *Mailer) notify(ctx context.Context, l Letter) {
	for try, pause := 1, time.Second; ; try, pause = try+1, 4*pause {
		once, cancel := context.WithTimeout(ctx, patience)
		err := m.sender.Deliver(once, l)
		cancel()
		if err == nil || ctx.Err() != nil {
			return
		}
		m.log.Warn("notice not sent", "try", try, "err", err)
		if try == noticeTries {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// Close stops sending. Notices that still wait are counted in the log.
func (m *Mailer) Close() {
	m.end()
	m.running.Wait()
}
