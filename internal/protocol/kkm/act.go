package kkm

import (
	"encoding/json"

	"openofd/internal/fiscal"
)

// FormatAct names the decoder of acts: the request is a JSON fiscal.Act.
const FormatAct = "act/1"

// act judges what a person does to the register. It is committed like any
// document, so whatever was judged before it is judged again. The answer to a
// token act is the token in digits; it leaves with the answer and is stored
// nowhere but in the state.
//
// Source: order 135 items 5.6, 13; KKM reference §3.4, §6.4.
func (j *judgement) act(a *fiscal.Act) (fiscal.Decision, error) {
	next := j.s.State.Clone()
	d := fiscal.Decision{Next: next}
	denied := func(r fiscal.Reason, why string) (fiscal.Decision, error) {
		return fiscal.Decision{Reason: r, Detail: why}, nil
	}
	if next.Status == fiscal.StatusDeregistered {
		return denied(fiscal.RegisterDeregistered, "a register taken off the record stays so; register it anew")
	}
	switch a.Kind {
	case fiscal.ActRegister:
		if j.s.State.LastNumber != 0 {
			return denied(fiscal.AlreadyThere, "the register has entries already")
		}
		next.CardVersion = j.card.Version
		a.Card = j.card
	case fiscal.ActToken:
		key, err := j.s.Keys.At(fiscal.KeyForToken, j.s.Now)
		if err != nil {
			return d, err
		}
		token, err := newToken(&key, j.card, j.s.State.Version+1, j.peer.token, j.s.Rand)
		if err != nil {
			return d, err
		}
		// An empty slot: no REQNUM is the previous one. What is remembered of
		// documents stays, so that one sent again is recognized.
		j.peer.token, j.peer.slot, j.peer.cancelable = token, slot{}, 0
		d.Answer = appendUint(nil, uint64(token))
	case fiscal.ActBlock:
		if blank(a.Text) {
			return fiscal.Decision{Reason: fiscal.MissingParameter, Field: "text", Detail: "say why: the register shows it"}, nil
		}
		next.Status = fiscal.StatusBlocked
		next.Block = fiscal.Block{Text: a.Text, Since: j.s.Exchange.Received, Version: next.Block.Version + 1}
	case fiscal.ActUnblock:
		if next.Status != fiscal.StatusBlocked {
			return denied(fiscal.NothingThere, "the register is not blocked")
		}
		next.Status = fiscal.StatusActive
		next.Block = fiscal.Block{Version: next.Block.Version}
	case fiscal.ActCard:
		if a.Card == nil || a.Card.Version != next.CardVersion+1 || a.Card.Register != j.card.Register {
			return denied(fiscal.StateMoved, "the card was changed by somebody else; look at it again")
		}
		next.CardVersion = a.Card.Version
		d.Card = a.Card
		if a.Card.RegistrationNumber != j.card.RegistrationNumber { // O-071: it made the token
			j.peer.token, j.peer.slot, j.peer.cancelable = 0, slot{}, 0
		}
	case fiscal.ActDeregister:
		next.Status = fiscal.StatusDeregistered
		next.Block.Version++
	default:
		return denied(fiscal.UnknownCommand, "no act "+string(a.Kind))
	}
	body, err := json.Marshal(a)
	if err != nil {
		return d, err
	}
	next.Protocol = j.peer.append(make([]byte, 0, peerLen))
	d.Records = []fiscal.Record{{Kind: fiscal.DocAct, Format: FormatAct, Shift: next.Shift.Number, DeviceTime: j.clock, Request: body}}
	return d, nil
}
