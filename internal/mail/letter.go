package mail

import (
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/web/ui"
)

// Letter is what a person reads.
type Letter struct {
	To      string
	Subject string
	Text    string // plain, lines end with \n
	At      time.Time
}

// write words a letter in the person's language. site is where our pages are.
func write(locales ui.Locales, operator func(*ui.Locale) string, site string, m access.Mail, now time.Time) Letter {
	l := locales[ui.Negotiate(m.Language, "", ui.Languages()[0])]
	kind := "mail." + string(m.Kind)
	lines := []string{l.T("mail.greeting"), "", l.T(kind+".text", "who", oneLine(m.Who), "name", oneLine(m.Name))}
	if m.Code != "" {
		lines = append(lines, "", l.T("mail.code", "code", m.Code), l.T("mail.valid"), l.T("mail.not_you"))
	}
	lines = append(lines, "", site, operator(l), "")
	return Letter{To: m.To, Subject: l.T(kind + ".subject"), Text: strings.Join(lines, "\n"), At: now}
}

// oneLine keeps what people call themselves from looking like lines of ours.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
