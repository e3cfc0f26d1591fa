package kkm

import (
	"fmt"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// Rules are Kazakhstan's judgement of an exchange. They are pure; a value may
// be used by any number of exchanges at once.
//
// The order of checks is: version, command, repetition, request number, token,
// state of the register, body, length of the shift, mandatory requisites,
// values, cash. Source: KKM reference §4.
type Rules struct {
	// Limits are the legal limits that hold on a day.
	Limits func(day fiscal.WallTime) Limits
	// SwitchOff is the instant from which a version is refused; a version that
	// is not named is never refused (N-008).
	SwitchOff map[Version]time.Time
	// MissingIsBadValue answers 13 instead of 15 when a receipt lacks a
	// mandatory requisite, for every register.
	MissingIsBadValue bool
	// CheckPassword compares a cashier's password with its hash. It may take
	// tens of milliseconds and bounds how many run at once.
	CheckPassword func(hash, password string) bool
	// Service is what becomes of registers without a contract.
	Service fiscal.ServiceRule
}

// Limits are legal limits. Source: order 135 item 16, order 636 item 31.
type Limits struct {
	Shift   time.Duration // an open shift takes online documents for so long
	Offline time.Duration // autonomous work
	Grace   time.Duration // of service behind the end of a contract
}

// judgement is one exchange being judged.
type judgement struct {
	rules   *Rules
	s       *fiscal.Situation
	card    *fiscal.Card
	req     *Request
	version Version
	peer    peer
	clock   fiscal.WallTime // what a right clock shows at the outlet
	limits  Limits
	period  period // of autonomous work, as the request tells it
	replay  bool   // made in autonomous mode
	findings
}

// Judge decides one exchange.
func (r *Rules) Judge(s *fiscal.Situation) (fiscal.Decision, error) {
	p, err := parsePeer(s.State.Protocol)
	if err != nil {
		return fiscal.Decision{}, err
	}
	j := judgement{rules: r, s: s, card: s.Card, peer: p, clock: fiscal.WallIn(s.Now, s.Card.Location())}
	j.limits = r.Limits(j.clock)
	switch body := s.Exchange.Body.(type) {
	case Request:
		j.req = &body
	case fiscal.Act:
		return j.act(&body)
	default:
		return fiscal.Decision{}, fmt.Errorf("kkm: cannot judge a %T", body)
	}
	j.version = j.req.Header.Version
	j.period = offlinePeriod(j.req.Msg.GetService())
	d, err := j.judge()
	if err != nil || d.Needs != nil {
		return d, err
	}
	d.Confirms = p.token != 0 && j.req.Header.Token == p.token
	if j.req.Msg != nil {
		d.Contact = j.contact()
	}
	return d, nil
}

// Unknown words the refusal for a register that is not there.
func (r *Rules) Unknown(x *fiscal.Exchange) fiscal.Decision {
	req, ok := x.Body.(Request)
	if !ok {
		return fiscal.Decision{Reason: fiscal.UnknownRegister}
	}
	j := judgement{rules: r, req: &req, version: req.Header.Version}
	if !req.Header.Version.Known() {
		return j.refuseAndClose(fiscal.UnsupportedVersion, "VERSION", "")
	}
	return j.refuse(fiscal.UnknownRegister, "", "")
}

// tokenChanging reports whether a command belongs to those whose answer may
// change the token and whose repetition is recognized.
func tokenChanging(command int32) bool {
	switch kkmpb.CommandTypeEnum(command) {
	case kkmpb.CommandTypeEnum_COMMAND_TICKET, kkmpb.CommandTypeEnum_COMMAND_CLOSE_SHIFT,
		kkmpb.CommandTypeEnum_COMMAND_MONEY_PLACEMENT, kkmpb.CommandTypeEnum_COMMAND_CANCEL_TICKET:
		return true
	}
	return false
}

// offered reports whether a version may use a command.
func offered(command int32, v Version) bool {
	switch kkmpb.CommandTypeEnum(command) {
	case kkmpb.CommandTypeEnum_COMMAND_CANCEL_TICKET:
		return v < V203
	case kkmpb.CommandTypeEnum_COMMAND_OPEN_SHIFT, kkmpb.CommandTypeEnum_COMMAND_QR_GENERATE,
		kkmpb.CommandTypeEnum_COMMAND_QR_GET_STATUS, kkmpb.CommandTypeEnum_COMMAND_RESERVED:
		return false
	}
	return true
}

func (j *judgement) judge() (fiscal.Decision, error) {
	h := &j.req.Header
	if !j.version.Known() {
		return j.refuseAndClose(fiscal.UnsupportedVersion, "VERSION", j.version.String()), nil
	}
	if off, ok := j.rules.SwitchOff[j.version]; ok && !j.s.Now.Before(off) {
		return j.refuseAndClose(fiscal.VersionSwitchedOff, "VERSION", j.version.String()), nil
	}
	switch {
	case j.req.Fault == FaultPayload:
		return j.refuseAndClose(fiscal.BadForm, j.req.Err.Field, j.req.Err.Error()), nil
	case j.req.Fault == FaultCommand:
		return j.refuse(fiscal.UnknownCommand, "command", ""), nil
	case !offered(j.req.Command, j.version):
		return j.refuse(fiscal.UnsupportedCommand, "command", ""), nil
	}

	slot, changing := &j.peer.slot, tokenChanging(j.req.Command)
	if changing && slot.entry != 0 && h.ReqNum == slot.reqnum {
		switch {
		case h.Token == slot.tokenIn && j.sameDocument(true):
			return j.repeat()
		case h.Token == slot.tokenIn:
			return j.refuse(fiscal.RetryDiffers, "", "same TOKEN and REQNUM as the last document, other contents"), nil
		case h.Token == j.peer.token:
			return j.refuse(fiscal.RequestNumberReused, "REQNUM", ""), nil
		}
	}
	current := j.peer.token != 0 && h.Token == j.peer.token
	previous := slot.entry != 0 && h.Token == slot.tokenIn && !j.s.Confirmed
	switch {
	case current, !changing && previous:
	case changing && previous && j.card.Options.TolerateRenumberedRetry && j.sameDocument(false):
		return j.repeat()
	default:
		return j.refuse(fiscal.StaleToken, "TOKEN", ""), nil
	}

	switch j.s.State.Status {
	case fiscal.StatusDeregistered:
		return j.refuseBlocked(fiscal.RegisterDeregistered)
	case fiscal.StatusBlocked:
		return j.refuseBlocked(fiscal.RegisterBlocked)
	}
	if j.unserved() {
		if j.rules.Service.Refuse {
			return j.refuseBlocked(fiscal.NoService)
		}
		if changing {
			j.flag(fiscal.FlagNoService)
		}
	}
	if j.req.Fault == FaultBody {
		return j.refuseAndClose(fiscal.BodyMissing, "", "the message of the command is absent"), nil
	}
	return j.command()
}

func (j *judgement) command() (fiscal.Decision, error) {
	m := j.req.Msg
	switch m.GetCommand() {
	case kkmpb.CommandTypeEnum_COMMAND_TICKET:
		return j.ticket(m.Ticket)
	case kkmpb.CommandTypeEnum_COMMAND_MONEY_PLACEMENT:
		return j.cashMove(m.MoneyPlacement)
	case kkmpb.CommandTypeEnum_COMMAND_CLOSE_SHIFT:
		return j.closeShift(m.CloseShift)
	case kkmpb.CommandTypeEnum_COMMAND_CANCEL_TICKET:
		return j.cancel()
	case kkmpb.CommandTypeEnum_COMMAND_REPORT:
		return j.report(m.Report)
	case kkmpb.CommandTypeEnum_COMMAND_INFO:
		return j.info()
	case kkmpb.CommandTypeEnum_COMMAND_NOMENCLATURE:
		return j.nomenclature(m.Nomenclature)
	case kkmpb.CommandTypeEnum_COMMAND_AUTH:
		return j.auth(m.Auth)
	}
	return j.system()
}

// format names the decoder of this exchange's bytes.
func (j *judgement) format() string { return formats[j.version] }

var formats = map[Version]string{
	V124: "kkm/124", V125: "kkm/125", V200: "kkm/200", V201: "kkm/201", V202: "kkm/202", V203: "kkm/203", V204: "kkm/204",
}
