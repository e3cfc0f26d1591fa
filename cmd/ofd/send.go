package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"openofd/internal/device/kkm"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

type sendCmd struct {
	KKM sendKKMCmd `cmd:"" name:"kkm" help:"One request of the Kazakhstan KKM protocol."`
	KKT sendKKTCmd `cmd:"" name:"kkt" help:"One document of a simulated register of Russia."`
}

type sendKKMCmd struct {
	Addr     string        `required:"" placeholder:"HOST:PORT" help:"The operator."`
	TLS      bool          `name:"tls" help:"Connect over TLS."`
	Insecure bool          `help:"With --tls: take any certificate. For trials only."`
	Timeout  time.Duration `default:"7s" help:"Until the whole answer is there."`

	ID      uint32  `name:"id" placeholder:"N" help:"Register ID, given by the operator."`
	Token   uint32  `placeholder:"N" help:"Current token."`
	Version uint16  `placeholder:"N" help:"Protocol version: 203 is 2.0.3."`
	ReqNum  *uint16 `name:"reqnum" placeholder:"N" help:"Number of the request; one more than the last. The same again is a repetition."`
	State   string  `type:"path" placeholder:"FILE" help:"Keeps id, version, token and reqnum between calls."`

	Command string `enum:",ticket,info,system,report-x,report-z,close-shift,deposit,withdraw,cancel,auth,nomenclature" default:"" placeholder:"NAME" help:"ticket, info, system, report-x, report-z, close-shift, deposit, withdraw, cancel, auth or nomenclature."`
	Request string `placeholder:"FILE" help:"The whole request as protobuf JSON, instead of --command; - is standard input."`
	sendContent
}

// Help is shown by --help below the flags.
func (sendKKMCmd) Help() string {
	return `Sends one request as a register would and prints the answer as JSON: its header,
its result code in words, its message, what is wrong with its form, and the
token and request number to use next.

  ofd send kkm --addr localhost:7777 --id 200145 --token 2704817126 --command info
  ofd send kkm --addr localhost:7777 --state r.json --command ticket --sum 1500 --name Нан
  ofd send kkm --addr localhost:7777 --state r.json --request ticket.json

With --state the first call takes --id and --token, later ones find them in the
file. When no answer came the operator may have accepted the request: send it
again with the same --reqnum, which the operator knows for a repetition.

A request in JSON has the protocol's field names:

  {"command": "COMMAND_MONEY_PLACEMENT", "money_placement": {
    "datetime": {"date": {"year": 2026, "month": 3, "day": 14}, "time": {"hour": 9, "minute": 0}},
    "operation": "MONEY_PLACEMENT_DEPOSIT", "sum": {"bills": 20000, "coins": 0},
    "operator": {"code": 1}}}

The exit code is 0 when the request was accepted, 1 when it was refused, 2 when
there was no answer to it.`
}

// peerState is the file of --state.
type peerState struct {
	ID      uint32 `json:"id"`
	Version uint16 `json:"version"`
	Token   uint32 `json:"token"` // of the next request; secret
	ReqNum  uint16 `json:"reqnum"`
}

// sent is the result of a request that was answered.
type sent struct {
	Accepted bool              `json:"accepted"`
	Code     uint32            `json:"code"`
	Meaning  string            `json:"meaning"`
	Text     string            `json:"text"`
	Header   wire.HeaderFields `json:"header"` // of the answer
	Message  json.RawMessage   `json:"message"`
	QR       string            `json:"qr,omitempty"` // text of the QR code of a receipt
	Findings []wire.Finding    `json:"findings"`
	Next     peerState         `json:"next"` // what the next request is sent with
	Millis   int64             `json:"elapsed_ms"`
}

// exitNoAnswer is the exit code when nobody can tell what became of a request.
const exitNoAnswer = 2

func (c *sendKKMCmd) Run(con *console) error {
	peer, err := c.peer()
	if err != nil {
		return err
	}
	msg, err := c.message(con, wire.Version(peer.Version), time.Now())
	if err != nil {
		return err
	}
	h := wire.Header{Version: wire.Version(peer.Version), ID: peer.ID, Token: peer.Token, ReqNum: peer.ReqNum}
	frame, err := wire.AppendRequest(nil, h, msg)
	if err != nil {
		return withHint(err, "Every field that the protocol calls required must be in the request")
	}
	// Before the first byte leaves: after a lost answer the number is known.
	if err := c.save(peer); err != nil {
		return err
	}
	link := kkm.LinkConfig{Addr: c.Addr, Answer: c.Timeout}
	if c.TLS {
		link.TLS = &tls.Config{InsecureSkipVerify: c.Insecure}
	}
	ctx, cancel := context.WithTimeout(con.ctx, c.Timeout)
	defer cancel()
	began := time.Now()
	reply, err := kkm.NewLink(link).Exchange(ctx, frame)
	if err != nil {
		return &coded{exitNoAnswer, noAnswer(err, peer)}
	}
	answer, err := wire.ParseResponse(reply.Payload)
	if err != nil {
		return &coded{exitNoAnswer, noAnswer(err, peer)}
	}
	out := describe(reply, answer, peer)
	out.Millis = time.Since(began).Milliseconds()
	if err := c.save(peerState{out.Next.ID, out.Next.Version, out.Next.Token, peer.ReqNum}); err != nil {
		return err
	}
	enc := json.NewEncoder(con.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("print the answer: %w", err)
	}
	if !out.Accepted {
		return &found{"the request was refused"}
	}
	return nil
}

// noAnswer tells what to do after silence.
func noAnswer(err error, peer peerState) error {
	return withHint(err, fmt.Sprintf("The operator may have accepted it: send the same again with --reqnum %d", peer.ReqNum))
}

func describe(reply kkm.Reply, answer *kkmpb.Response, peer peerState) sent {
	frame, _ := reply.Header.AppendBinary(nil)
	e := wire.ExplainAs(append(frame, reply.Payload...), wire.DirectionResponse)
	out := sent{
		Code: answer.GetResult().GetResultCode(), Text: answer.GetResult().GetResultText(),
		Header: *e.Header, Message: e.Payload, Findings: e.Findings, Next: peer,
		QR: string(answer.GetTicket().GetQrCode()),
	}
	out.Accepted = out.Code == wire.CodeOK
	out.Meaning = kkm.CodeText(out.Code, reply.Header.Version)
	// The token of a refusal is not to be believed.
	if out.Accepted {
		out.Next.Token = reply.Header.Token
	}
	out.Next.ReqNum++
	return out
}

// peer is who sends: from the file, then from the flags. ReqNum is that of this
// request.
func (c *sendKKMCmd) peer() (peerState, error) {
	var p peerState
	if c.State != "" {
		b, err := os.ReadFile(c.State)
		switch {
		case err == nil:
			if err := json.Unmarshal(b, &p); err != nil {
				return p, fmt.Errorf("%s: %w", c.State, err)
			}
		case !errors.Is(err, os.ErrNotExist):
			return p, err
		}
	}
	p.ReqNum++ // behind 65535 comes 0
	if c.ID != 0 {
		p.ID = c.ID
	}
	if c.Token != 0 {
		p.Token = c.Token
	}
	if c.Version != 0 {
		p.Version = c.Version
	}
	if p.Version == 0 {
		p.Version = uint16(wire.V203)
	}
	if c.ReqNum != nil {
		p.ReqNum = *c.ReqNum
	}
	if p.ID == 0 || p.Token == 0 {
		return p, withHint(errors.New("who is sending?"), "Give --id and --token as `ofd register add` printed them, or --state")
	}
	return p, nil
}

func (c *sendKKMCmd) save(p peerState) error {
	if c.State == "" {
		return nil
	}
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.State+".new", append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(c.State+".new", c.State)
}

// message is what to send: from JSON, or made of the flags.
func (c *sendKKMCmd) message(con *console, v wire.Version, now time.Time) (*kkmpb.Request, error) {
	switch {
	case c.Request != "" && c.Command != "":
		return nil, errors.New("--request is the whole request; leave --command out")
	case c.Request == "" && c.Command == "":
		return nil, withHint(errors.New("nothing to send"), "Give --command or --request; see `ofd send kkm --help`")
	case c.Command != "":
		return c.build(c.Command, v, now)
	}
	b, err := readUpTo(con, c.Request, maxInput)
	if err != nil {
		return nil, err
	}
	msg := new(kkmpb.Request)
	if err := protojson.Unmarshal(b, msg); err != nil {
		return nil, withHint(fmt.Errorf("%s: %w", c.Request, err), "Field names are those of the protocol; `ofd decode kkm --json` shows a request in this form")
	}
	return msg, nil
}

// coded is an error with an exit code of its own.
type coded struct {
	code int
	err  error
}

func (e *coded) Error() string { return e.err.Error() }
func (e *coded) Unwrap() error { return e.err }

// exitCode is the exit code that a command ends with after an error.
func exitCode(err error) int {
	var e *coded
	if errors.As(err, &e) {
		return e.code
	}
	return exitFailed
}
