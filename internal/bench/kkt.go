package bench

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
)

// Drive is what a register of Russia needs to speak: the number of its fiscal
// drive, and who and what it was registered as.
type Drive struct {
	Drive  wire.DriveNumber `json:"drive"`
	INN    string           `json:"inn"`              // of the owner, ten digits
	Serial string           `json:"serial"`           // of the register
	Number uint32           `json:"number,omitempty"` // of the last document; 0: the drive is new
}

// KKTConfig describes what registers of Russia send.
type KKTConfig struct {
	Items    int            // of a receipt; 0 means 5
	Zone     *time.Location // of the registers' clocks; nil means UTC
	Operator string         // INN, which registration reports name
	// AnyAnswer takes every whole message with a container for an acceptance: a
	// stub has no keys and may not even repeat the number right.
	AnyAnswer bool
}

// KKT words what registers of Russia send, with the signs of simulated drives
// (SIM1): a registration report and the opening of a shift, then receipts of
// FFD 1.2. Safe for concurrent use.
type KKT struct {
	cfg     KKTConfig
	signs   *wire.SIM1
	receipt *requisites
}

// NewKKT prepares the receipts.
//
// Errors: a receipt with so many items is none.
func NewKKT(cfg KKTConfig) (*KKT, error) {
	if cfg.Items == 0 {
		cfg.Items = 5
	}
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	receipt, err := newRequisites(cfg.Items)
	if err != nil {
		return nil, err
	}
	return &KKT{cfg: cfg, signs: wire.NewSIM1(wire.SIM1TestKey()), receipt: receipt}, nil
}

// Register is the register of a drive.
func (k *KKT) Register(d Drive) *KKTRegister {
	return &KKTRegister{Drive: d, load: k, registration: registrationNumber(d.INN, d.Serial)}
}

// KKTRegister is one register; its Drive is that of the moment.
type KKTRegister struct {
	Drive
	load         *KKT
	registration string
	room         []byte // of requisites
}

var _ Register = (*KKTRegister)(nil)

// Documents that a new drive makes before its first receipt.
const (
	theRegistration = 1
	theOpening      = 2
)

// checkSigns is how many answers of one register bring one whose signs are
// checked as well, besides the first: they would cost the client as much as the
// operator, and share its processor. Everything else is checked in each.
const checkSigns = 64

// Append implements Register.
func (r *KKTRegister) Append(b []byte, now time.Time) ([]byte, bool) {
	r.Number++
	at := fiscal.WallIn(now, r.load.cfg.Zone)
	code := wire.CodeReceipt
	switch r.Number {
	case theRegistration:
		code = wire.CodeRegistration
		r.write(r.shop().Registration(0), at)
	case theOpening:
		code = wire.CodeOpenShift
		r.write(r.shop().OpenShift(), at)
	default:
		r.room = r.load.receipt.appendFor(r.room[:0], r, at)
	}
	sealed, err := r.load.signs.SealDocument(r.Drive.Drive, code, r.Number, r.room, false)
	if err != nil {
		panic("bench: a document of the load cannot be sealed: " + err.Error())
	}
	b, err = wire.AppendMessage(b, r.header(wire.FlagsDocument), sealed.Frame)
	if err != nil {
		panic("bench: a document of the load makes no message: " + err.Error())
	}
	return b, code == wire.CodeReceipt
}

func (r *KKTRegister) header(flags wire.Flags) wire.Header {
	return wire.Header{Service: wire.ServiceDocuments, Version: wire.P120, Drive: r.Drive.Drive, Flags: flags}
}

func (r *KKTRegister) shop() device.Shop {
	return device.Shop{INN: r.INN, RegistrationNumber: r.registration, Serial: r.Serial, Operator: r.load.cfg.Operator, Version: format}
}

// write puts the requisites of a document into r.room.
func (r *KKTRegister) write(doc device.Document, at fiscal.WallTime) {
	var err error
	r.room, err = doc.AppendRequisites(r.room[:0], device.Numbers{Drive: r.Drive.Drive, Number: r.Number, Time: at, Shift: 1})
	if err != nil {
		panic("bench: a document of the load cannot be written: " + err.Error())
	}
}

// Size implements Register.
func (r *KKTRegister) Size(head []byte) int {
	if len(head) < wire.HeaderLen {
		return 0
	}
	return wire.HeaderLen + int(binary.LittleEndian.Uint16(head[24:]))
}

// Take implements Register: as a drive does, in its order. Only signs are
// looked at in one answer of many.
func (r *KKTRegister) Take(message, answer []byte) (Outcome, error) {
	f, err := r.container(message, answer)
	switch {
	case err != nil:
		return Outcome{}, &badAnswer{err.Error()}
	case r.load.cfg.AnyAnswer:
		return Outcome{}, nil
	}
	sent, err := wire.ParseFrameHeader(message[wire.HeaderLen:])
	if err != nil {
		return Outcome{}, &badAnswer{err.Error()}
	}
	var signs wire.AnswerSigns
	if r.Number%checkSigns == 1 {
		signs = r.load.signs
	}
	a, err := wire.Judge(f.Raw, sent, signs)
	switch {
	case err != nil:
		return Outcome{}, &badAnswer{err.Error()}
	case a.Ack.Accepted():
		return Outcome{}, nil
	case a.Ack.Response != wire.ResponseAccepted:
		return Outcome{Refused, fmt.Sprintf("response %d", a.Ack.Response)}, nil
	}
	return Outcome{Refused, fmt.Sprintf("message %d", a.Ack.Message)}, nil
}

// container is what an answer carries.
func (r *KKTRegister) container(message, answer []byte) (wire.Frame, error) {
	h, err := wire.ParseHeader(answer)
	if err != nil {
		return wire.Frame{}, err
	}
	if r.load.cfg.AnyAnswer {
		return wire.ParseFrame(answer[wire.HeaderLen:])
	}
	request, err := wire.ParseHeader(message)
	if err != nil {
		return wire.Frame{}, err
	}
	return wire.ParseAnswer(request, h, answer[wire.HeaderLen:])
}

// AppendPing implements Register: an empty message.
func (r *KKTRegister) AppendPing(b []byte) []byte {
	b, _ = r.header(wire.FlagReply).AppendBinary(b)
	return b
}

// TakePing implements Register.
func (r *KKTRegister) TakePing(_, answer []byte) error {
	h, err := wire.ParseHeader(answer)
	if err == nil && (h.Size != 0 || h.Drive != r.Drive.Drive) {
		err = fmt.Errorf("%d bytes for drive %v in answer to an empty message", h.Size, h.Drive)
	}
	return err
}

// registrationNumber is one that suits owner and serial number: the authority
// gives ten digits and adds a sum over all three.
func registrationNumber(inn, serial string) string {
	const given = "0000012345"
	padded := func(s string, n int) string { return strings.Repeat("0", max(n-len(s), 0)) + s }
	return fmt.Sprintf("%s%06d", given, wire.CRC16([]byte(given+padded(inn, 12)+padded(serial, 20))))
}
