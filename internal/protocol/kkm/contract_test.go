package kkm_test

import (
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm"
)

// A register whose contract is over works through its days of grace, then it is
// told why it is refused, with the operator's words; what it made in time without
// a link is taken. An operator who only warns takes everything, with a finding.
//
// Req: P-015
func TestContractOver(t *testing.T) {
	const grace, offline = 10 * 24 * time.Hour, 72 * time.Hour
	l := newTill(t, kkm.V203)
	limits := func(fiscal.WallTime) kkm.Limits {
		return kkm.Limits{Shift: 1000 * time.Hour, Offline: offline, Grace: grace}
	}
	l.rules.Limits, l.rules.Service = limits, fiscal.ServiceRule{Refuse: true, Text: fiscal.Text{RU: "Звоните 1414"}}
	l.card.Service = fiscal.Service{Contract: 3, Ended: l.now}
	l.now = l.now.Add(grace - time.Second)
	l.ask(l.sale(100_00), kkm.CodeOK)

	late := l.sale(200_00) // made without a link a second before the end
	late.Ticket.OfflineTicketNumber = new(uint32)
	*late.Ticket.OfflineTicketNumber = 7

	l.now = l.now.Add(time.Second)
	answer := l.ask(l.sale(100_00), kkm.CodeBlocked)
	if text := answer.GetResult().GetResultText(); l.last.Reason != fiscal.NoService || !strings.Contains(text, "Договор прекращён") || !strings.HasSuffix(text, "Звоните 1414") {
		t.Errorf("refused for %v with %q", l.last.Reason, text)
	}
	l.now = l.now.Add(offline - time.Second)
	l.ask(late, kkm.CodeOK)
	if f := l.newest().Flags; !f.Has(fiscal.FlagReplay) || f.Has(fiscal.FlagNoService) {
		t.Errorf("what was made in time has the findings %v", f)
	}

	l.rules.Service.Refuse = false
	l.ask(l.sale(100_00), kkm.CodeOK)
	if f := l.newest().Flags; !f.Has(fiscal.FlagNoService) {
		t.Errorf("with a warning alone the findings are %v", f)
	}
	l.rules.Service.Refuse = true
	l.card.Service = fiscal.Service{Contract: 4}
	l.ask(l.sale(100_00), kkm.CodeOK)
}
