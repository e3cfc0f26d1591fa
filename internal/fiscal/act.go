package fiscal

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// ActKind is what a person does to a register.
type ActKind string

// The acts.
const (
	ActRegister   ActKind = "register"   // the first entry of every register
	ActToken      ActKind = "token"      // a new token
	ActBlock      ActKind = "block"      // with a text
	ActUnblock    ActKind = "unblock"    //
	ActCard       ActKind = "card"       // the registry's data changed
	ActDeregister ActKind = "deregister" // final
)

// Act is one act. It is stored as an entry, without secrets: Rules put what
// may be kept into the record's Request. Answer.Frame is for the one who acts
// and is not stored; after ActToken, and after ActRegister and ActCard when they
// issue a token, it is the token in decimal digits.
type Act struct {
	Kind ActKind `json:"act"`
	By   string  `json:"by"`             // who: a user, or "command line"
	Text string  `json:"text,omitempty"` // reason of a block
	Card *Card   `json:"card,omitempty"` // the new card, for register and card
}

// FormatAct names the decoder of acts: the request is an Act in JSON.
const FormatAct = "act/1"

// Record is the entry of an act, made at t by a clock beside the register.
func (a *Act) Record(s *State, t WallTime) (Record, error) {
	body, err := json.Marshal(a)
	return Record{Kind: DocAct, Format: FormatAct, Shift: s.Shift.Number, DeviceTime: t, Request: body}, err
}

// ReadAct opens the entry of an act. The error is Corrupt.
func ReadAct(rec *Record) (*Act, error) {
	a := &Act{}
	if err := json.Unmarshal(rec.Request, a); err != nil {
		return nil, &Error{Of: Corrupt, Field: fmt.Sprintf("entry %d of register %d", rec.Number, rec.Register), Msg: "the act cannot be read", Err: err}
	}
	return a, nil
}

// Do applies to s, which becomes the next state, what an act does in every
// country. c is the register's card and received our clock's reading. An act
// that opens the register's history takes the card with it. What it returns is
// why the act is refused, nil if it is not.
//
// Source: order 135 items 5.6, 13; KKM reference §6.4.
func (s *State) Do(a *Act, c *Card, received time.Time) *Error {
	if s.Status == StatusDeregistered {
		return &Error{Reason: RegisterDeregistered, Msg: "a register taken off the record stays so; register it anew"}
	}
	switch a.Kind {
	case ActRegister:
		if s.LastNumber != 0 {
			return &Error{Reason: AlreadyThere, Msg: "the register has entries already"}
		}
		s.CardVersion = c.Version
		a.Card = c
	case ActBlock:
		if strings.TrimSpace(a.Text) == "" {
			return &Error{Reason: MissingParameter, Field: "text", Msg: "say why: the register shows it"}
		}
		s.Status = StatusBlocked
		s.Block = Block{Text: a.Text, Since: received, Version: s.Block.Version + 1}
	case ActUnblock:
		if s.Status != StatusBlocked {
			return &Error{Reason: NothingThere, Msg: "the register is not blocked"}
		}
		s.Status = StatusActive
		s.Block = Block{Version: s.Block.Version}
	case ActCard:
		if a.Card == nil || a.Card.Version != s.CardVersion+1 || a.Card.Register != c.Register {
			return &Error{Reason: StateMoved, Msg: "the card was changed by somebody else; look at it again"}
		}
		s.CardVersion = a.Card.Version
	case ActDeregister:
		s.Status = StatusDeregistered
		s.Block.Version++
	default:
		return &Error{Reason: UnknownCommand, Msg: "no act " + string(a.Kind)}
	}
	return nil
}
