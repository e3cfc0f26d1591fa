package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

type sendKKTCmd struct {
	Addr    string        `required:"" placeholder:"HOST:PORT" help:"The operator."`
	Timeout time.Duration `default:"10s" help:"For one answer."`
	Memory  string        `required:"" type:"path" placeholder:"FILE" help:"Memory of the simulated drive: its numbers, its shift, what waits."`

	Drive     string       `name:"fn" required:"" placeholder:"NUMBER" help:"Number of the drive."`
	INN       string       `name:"inn" required:"" placeholder:"INN" help:"Owner, as registered."`
	RNM       string       `name:"rnm" required:"" placeholder:"NUMBER" help:"Registration number."`
	Serial    string       `required:"" placeholder:"NUMBER" help:"Factory number of the register."`
	Operator  string       `name:"operator-inn" required:"" placeholder:"INN" help:"Operator that the register is registered with."`
	Format    string       `name:"ffd" enum:"1.05,1.1,1.2" default:"1.2" help:"Version of the documents: 1.05, 1.1 or 1.2."`
	User      string       `placeholder:"NAME" help:"Name of the owner, as it stands on paper; an invented one if not given."`
	Address   string       `help:"Address of settlements, as it stands on paper; an invented one if not given."`
	Place     string       `help:"Place of settlements, as it stands on paper; an invented one if not given."`
	Encrypted bool         `help:"A new drive encrypts its messages."`
	Zone      string       `default:"Europe/Moscow" help:"Of the register's clock."`
	Price     []fiscalSum  `placeholder:"129.90" help:"sale, return: an item for each; VAT 10 % contained."`
	Marked    bool         `help:"registration, change: for marked goods."`
	Mark      []string     `placeholder:"CODE" sep:"none" help:"ask, sale, return: marking code of an item, in the order of the prices; <GS> stands for the separator."`
	Marking   string       `name:"marking-addr" placeholder:"HOST:PORT" help:"Where requests and notifications about marked goods go; the operator, if left out."`
	File      string       `placeholder:"FILE" help:"document: the tax service's JSON of it, - for standard input."`
	Document  sendDocument `arg:"" enum:"ping,registration,change,open,ask,sale,return,close,state,end,document,waiting" help:"ping, registration, change, open, ask, sale, return, close, state or end; document is any, from --file; waiting sends what waits and makes nothing."`
}

type sendDocument string

// fiscalSum is an amount on the command line.
type fiscalSum struct{ fiscal.Money }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *fiscalSum) UnmarshalText(b []byte) (err error) {
	s.Money, err = fiscal.ParseMoney(string(b))
	return err
}

// Help is shown by --help below the flags.
func (sendKKTCmd) Help() string {
	return `Makes one document on a simulated fiscal drive, whose keys are the public test
keys SIM1, and sends what waits in the drive, in order, until each is answered.
The drive refuses what a real one refuses: a receipt outside of a shift, a
document after the last, another answer than that to the document it sent.

  ofd send kkt registration --addr localhost:7778 --memory drive --fn 9999078902001234 \
      --inn 7704358518 --rnm 0000012345055778 --serial 00106900000001 --operator-inn 7704211201
  ofd send kkt sale --price 129.90 …

Marked goods: ask has the drive check codes, and the marking system through the
operator. A sale or return with --mark does that first, then makes the receipt
and the notification of it, and sends both. What is not answered for certain is
sold all the same, and bears [M] or [M-] instead of [M+].

  ofd send kkt sale --price 76.99 --mark '0104605035006964215OoyE8qxeIOn><GS>91EE06<GS>92…' …

Any other document, a correction or an advance, is worded as JSON in the manner
of ofd decode kkt; the drive puts in its numbers, its time and its sign:

  ofd send kkt document --file correction.json …

The exit code is 0 when everything was accepted, 1 when the operator found fault
with a document or the drive refused to make one, 2 when there was no answer: the
document waits in the drive's memory.`
}

// answeredKKT is one document that was answered.
type answeredKKT struct {
	Document string               `json:"document"`
	Number   uint32               `json:"number"`
	Made     fiscal.WallTime      `json:"made"`
	Accepted bool                 `json:"accepted"`
	Operator string               `json:"operator"`
	At       fiscal.WallTime      `json:"accepted_at"`
	Response wire.Response        `json:"response"`         // up to FFD 1.05
	Message  wire.OperatorMessage `json:"operator_message"` // from 1.1
}

// sentKKT is the result of the command.
type sentKKT struct {
	Answered []answeredKKT `json:"answered"`
	Sign     uint32        `json:"fiscal_sign,omitempty"` // of the document made, as it is printed
	QR       string        `json:"qr,omitempty"`          // of the receipt made: the text of its QR code
	Waiting  int           `json:"waiting"`
	marksKKT
}

func (c *sendKKTCmd) Run(con *console) (err error) {
	register, err := c.register()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, register.Close()) }()
	switch c.Document {
	case "ping":
		if err := register.Ping(con.ctx); err != nil {
			return &coded{exitNoAnswer, err}
		}
		return con.result(struct {
			Alive bool `json:"alive"`
		}{true}, func(w io.Writer) { fmt.Fprintln(w, "The operator is there.") })
	case "ask":
		if len(c.Mark) == 0 {
			return errors.New("--mark: which code is asked about?")
		}
	}
	var out sentKKT
	codes, err := c.scan(con, register, &out.marksKKT)
	if err != nil {
		return err
	}
	doc, err := c.document(con, codes)
	if err != nil {
		return err
	}
	if doc != nil {
		made, err := register.Make(doc)
		if err != nil {
			return err
		}
		out.Sign, out.QR = made.Sign, made.QR()
	}
	done, undelivered := register.Deliver(con.ctx, device.QueueDocuments)
	good := true
	out.Answered = []answeredKKT{}
	for _, d := range done {
		a := d.Ack
		out.Answered = append(out.Answered, answeredKKT{d.Code.String(), d.Number, d.Made, a.Accepted(), a.Operator, a.Time, a.Response, a.Message})
		good = good && a.Accepted()
	}
	if err := c.notify(con, register, &out.marksKKT); undelivered == nil {
		undelivered = err
	}
	out.Waiting = register.Standing().Unsent
	if err := con.result(out, func(w io.Writer) { out.words(w) }); err != nil {
		return err
	}
	switch {
	case undelivered != nil:
		return &coded{exitNoAnswer, withHint(undelivered, "It waits in the drive; send again with `ofd send kkt waiting`")}
	case !good:
		return &found{"the operator found fault with a document"}
	}
	return nil
}

func (s *sentKKT) words(w io.Writer) {
	for _, a := range s.Answered {
		verdict := "accepted"
		if !a.Accepted {
			verdict = fmt.Sprintf("fault found (response %d, message %d)", a.Response, a.Message)
		}
		facts(w, a.Document+" "+strconv.FormatUint(uint64(a.Number), 10), fmt.Sprintf("%s by %s at %s", verdict, a.Operator, a.At))
	}
	if s.QR != "" {
		facts(w, "QR code", s.QR)
	}
	if s.Waiting > 0 {
		fmt.Fprintf(w, "%d documents wait in the drive.\n", s.Waiting)
	}
	s.marksKKT.words(w)
}

// register is the drive with its memory, and the link.
func (c *sendKKTCmd) register() (*device.Register, error) {
	number, err := wire.ParseDriveNumber(c.Drive)
	if err != nil {
		return nil, fmt.Errorf("--fn: %w", err)
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return nil, fmt.Errorf("--zone: %w", err)
	}
	memory, err := device.OpenFile(c.Memory)
	if err != nil {
		return nil, err
	}
	drive, err := device.NewDrive(device.DriveConfig{Number: number, Encrypted: c.Encrypted}, memory, wire.NewSIM1(wire.SIM1TestKey()))
	if err != nil {
		return nil, errors.Join(err, memory.Close())
	}
	linked := func(addr string) device.Exchanger {
		return boundedLink{device.NewLink(device.LinkConfig{Addr: addr, Answer: c.Timeout}), c.Timeout}
	}
	versions := map[string]wire.PVersion{"1.05": wire.P105, "1.1": wire.P110, "1.2": wire.P120}
	return device.New(device.Config{Version: versions[c.Format], Zone: zone, Tries: 1}, drive, linked(c.Addr), linked(cmp.Or(c.Marking, c.Addr)), time.Now, rand.Reader), nil
}

// boundedLink gives each message no more than its time, connecting included.
type boundedLink struct {
	device.Exchanger
	limit time.Duration
}

func (l boundedLink) Exchange(ctx context.Context, message []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	return l.Exchanger.Exchange(ctx, message)
}

// shop is who sells.
func (c *sendKKTCmd) shop() device.Shop {
	shop := device.Shop{
		INN: c.INN, RegistrationNumber: c.RNM, Serial: c.Serial, Operator: c.Operator, Version: ffd.ParseVersion(c.Format),
		User: c.User, Address: c.Address, Place: c.Place,
	}
	if c.Marked {
		shop.Conditions = 1 << 8
	}
	return shop
}

// maxWorded bounds what is read of --file: a document has 32 KiB at most, in
// JSON several times as much.
const maxWorded = 1 << 20

// document is what is to be made, nil for nothing.
func (c *sendKKTCmd) document(con *console, codes []device.Code) (device.Document, error) {
	if c.Document == "document" {
		if c.File == "" {
			return nil, errors.New("--file: which document is to be made?")
		}
		text, err := readUpTo(con, c.File, maxWorded)
		if err != nil {
			return nil, fmt.Errorf("--file: %w", err)
		}
		return device.FromJSON(text, ffd.ParseVersion(c.Format))
	}
	return c.usual(codes), nil
}

// usual is a document that needs no words.
func (c *sendKKTCmd) usual(codes []device.Code) device.Document {
	shop := c.shop()
	prices := make([]fiscal.Money, 0, len(c.Price))
	for _, p := range c.Price {
		prices = append(prices, p.Money)
	}
	if len(prices) == 0 {
		prices = []fiscal.Money{100_00}
	}
	if op := c.operation(); op != 0 && len(codes) > 0 {
		return c.marked(shop, op, prices, codes)
	}
	switch c.Document {
	case "registration":
		return shop.Registration(0)
	case "change":
		return shop.Registration(1 << 3)
	case "open":
		return shop.OpenShift()
	case "sale":
		return shop.Receipt(fiscal.OpSale, prices...)
	case "return":
		return shop.Receipt(fiscal.OpSaleReturn, prices...)
	case "close":
		return shop.CloseShift()
	case "state":
		return shop.State()
	case "end":
		return shop.CloseDrive()
	}
	return nil
}
