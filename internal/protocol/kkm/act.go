package kkm

import "openofd/internal/fiscal"

// act judges what a person does to the register. It is committed like any
// document, so whatever was judged before it is judged again. The answer to a
// token act is the token in digits; it leaves with the answer and is stored
// nowhere but in the state.
//
// Source: order 135 items 5.6, 13; KKM reference §3.4, §6.4.
func (j *judgement) act(a *fiscal.Act) (fiscal.Decision, error) {
	next := j.s.State.Clone()
	d := fiscal.Decision{Next: next}
	if a.Kind == fiscal.ActToken && next.Status != fiscal.StatusDeregistered {
		key, err := j.s.Keys.At(fiscal.KeyForToken, j.s.Now)
		if err != nil {
			return d, err
		}
		token, err := newToken(&key, j.card, j.s.State.Version+1, j.peer.token, j.s.Rand)
		if err != nil {
			return d, err
		}
		j.voidToken()
		j.peer.token = token
		d.Answer = appendUint(nil, uint64(token))
	} else if e := next.Do(a, j.card, j.s.Exchange.Received); e != nil {
		return fiscal.Decision{Reason: e.Reason, Field: e.Field, Detail: e.Msg}, nil
	}
	if a.Kind == fiscal.ActCard {
		d.Card = a.Card
		if a.Card.RegistrationNumber != j.card.RegistrationNumber { // O-071: it made the token
			j.voidToken()
		}
	}
	rec, err := a.Record(next, j.clock)
	if err != nil {
		return d, err
	}
	next.Protocol = j.peer.append(make([]byte, 0, peerLen))
	d.Records = []fiscal.Record{rec}
	return d, nil
}

// voidToken leaves no token and an empty slot: no REQNUM is the previous one.
// What is remembered of documents stays, so that one sent again is recognized.
func (j *judgement) voidToken() {
	j.peer.token, j.peer.slot, j.peer.cancelable = 0, slot{}, 0
}
