package bench

import (
	"encoding/binary"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// Credential is what a register of Kazakhstan needs to speak: the operator's
// number for it and the current token. ReqNum is the last one used.
type Credential struct {
	ID     uint32 `json:"id"`
	Token  uint32 `json:"token"` // secret
	ReqNum uint16 `json:"reqnum,omitempty"`
}

// KKM words what registers of Kazakhstan send: receipts of five lines. Safe for
// concurrent use.
type KKM struct {
	version  wire.Version
	zone     *time.Location
	template *template
}

// NewKKM prepares the receipts. v is 2.0.0 or later, 0 means 2.0.3; zone is
// that of the registers' clocks, nil means UTC.
func NewKKM(v wire.Version, zone *time.Location) (*KKM, error) {
	if v == 0 {
		v = wire.V203
	}
	if zone == nil {
		zone = time.UTC
	}
	if v < wire.V200 || !v.Known() {
		return nil, fmt.Errorf("bench: version %d: the load speaks 2.0.0 to 2.0.4", v)
	}
	t, err := newTemplate(v, 0)
	return &KKM{version: v, zone: zone, template: t}, err
}

// Register is a register with these credentials.
func (k *KKM) Register(c Credential) *KKMRegister {
	return &KKMRegister{Credential: c, load: k, number: firstNumber}
}

// KKMRegister is one register; its Credential is that of the moment.
type KKMRegister struct {
	Credential
	load   *KKM
	number uint32 // of the printed document
	closes bool   // its shift is too long: the next message closes it
}

var _ Register = (*KKMRegister)(nil)

// Append implements Register. A token that changed is used; a register that is
// told so closes its shift.
func (r *KKMRegister) Append(b []byte, now time.Time) ([]byte, bool) {
	r.ReqNum++
	if r.closes {
		h := wire.Header{Version: r.load.version, ID: r.ID, Token: r.Token, ReqNum: r.ReqNum}
		message, err := wire.AppendRequest(b, h, closing(r.load.version, fiscal.WallIn(now, r.load.zone)))
		if err != nil {
			panic("bench: the close of a shift does not encode: " + err.Error())
		}
		return message, false
	}
	if r.number++; r.number > lastNumber {
		r.number = firstNumber
	}
	start := len(b)
	b = append(b, r.load.template.frame...)
	r.load.template.patch(b[start:], r.ID, r.Token, r.ReqNum, momentOf(now.In(r.load.zone)), r.number)
	return b, true
}

// Size implements Register.
func (r *KKMRegister) Size(head []byte) int {
	if len(head) < wire.HeaderLen {
		return 0
	}
	return int(binary.LittleEndian.Uint32(head[4:]))
}

// Take implements Register.
func (r *KKMRegister) Take(message, b []byte) (Outcome, error) {
	a, err := parseKKM(message, b)
	if err != nil {
		return Outcome{}, err
	}
	refused := Outcome{Refused, fmt.Sprintf("code %d", a.code)}
	switch a.code {
	case wire.CodeOK:
		r.Token = a.token
		if !r.closes && !a.ticket {
			return Outcome{Refused, "answer"}, nil
		}
		r.closes = false
		return Outcome{}, nil
	case wire.CodeUnavailable, wire.CodeUnknownError:
		refused.Verdict = Again
	case wire.CodeUnknownID, wire.CodeInvalidToken, wire.CodeBlocked:
		refused.Verdict = Dead
	default:
		if r.closes { // a shift that does not close cannot go on
			refused.Verdict = Dead
		}
		r.closes = a.code == wire.CodeShiftTooLong
	}
	return refused, nil
}

// AppendPing implements Register: a COMMAND_SYSTEM leaves the token as it is.
func (r *KKMRegister) AppendPing(b []byte) []byte {
	message, err := wire.AppendRequest(b, wire.Header{Version: r.load.version, ID: r.ID, Token: r.Token, ReqNum: 1}, &kkmpb.Request{
		Command: kkmpb.CommandTypeEnum_COMMAND_SYSTEM.Enum(),
	})
	if err != nil {
		panic("bench: COMMAND_SYSTEM does not encode: " + err.Error())
	}
	return message
}

// TakePing implements Register.
func (r *KKMRegister) TakePing(message, b []byte) error {
	a, err := parseKKM(message, b)
	if err == nil && a.code != wire.CodeOK {
		err = fmt.Errorf("result %d", a.code)
	}
	return err
}

// kkmAnswer is what a load generator reads of an answer.
type kkmAnswer struct {
	token  uint32
	code   uint32
	ticket bool // with a number
}

// parseKKM checks header, command, result and number without decoding the
// rest.
func parseKKM(request, b []byte) (kkmAnswer, error) {
	bad := func(format string, args ...any) (kkmAnswer, error) {
		return kkmAnswer{}, &badAnswer{fmt.Sprintf(format, args...)}
	}
	h, err := wire.ParseHeader(b)
	if err != nil {
		return bad("%v", err)
	}
	asked, _ := wire.ParseHeader(request)
	if h.Version != asked.Version || h.ID != asked.ID || h.ReqNum != asked.ReqNum {
		return bad("header %d %d %d, asked with %d %d %d", h.Version, h.ID, h.ReqNum, asked.Version, asked.ID, asked.ReqNum)
	}
	a := kkmAnswer{token: h.Token}
	payload := b[wire.HeaderLen:]
	result, command := field(payload, 2), field(payload, 1)
	if result == (span{}) || command.end == command.at {
		return bad("no command or no result")
	}
	if sent := field(request[wire.HeaderLen:], 1); payload[command.at] != request[wire.HeaderLen+sent.at] {
		return bad("command %d", payload[command.at])
	}
	code := field(payload[result.at:result.end], 1).add(result.at)
	v, n := protowire.ConsumeVarint(payload[code.at:code.end])
	if n < 0 {
		return bad("no result code")
	}
	a.code = uint32(v)
	if ticket := field(payload, 3); ticket != (span{}) && payload[command.at] == byte(kkmpb.CommandTypeEnum_COMMAND_TICKET) {
		number := field(payload[ticket.at:ticket.end], 1)
		a.ticket = number.end > number.at
	}
	return a, nil
}
