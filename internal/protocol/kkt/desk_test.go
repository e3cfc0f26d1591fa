package kkt_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/protocol/kkt"
)

// desk is one register with its entries, judged as intake does.
type desk struct {
	t       testing.TB
	rules   kkt.Rules
	module  kkt.CryptoModule
	card    fiscal.Card
	self    fiscal.Operator
	state   *fiscal.State
	entries []fiscal.Record
	now     time.Time

	elsewhere map[fiscal.Address]bool // numbers of other registers
	led       []fiscal.Address        // numbers that were to lead here
}

// The register of the vectors.
const (
	vectorINN    = "7704358518"
	vectorNumber = "0000012345055778"
	vectorSerial = "00106900000001"
	vectorDrive  = "9999078902001234"
)

func newDesk(t testing.TB) *desk {
	return &desk{
		t: t, module: sim1(), state: &fiscal.State{CardVersion: 1}, self: fiscal.Operator{INN: operatorINN},
		rules: kkt.Rules{Law: func(fiscal.WallTime) kkt.Law { return kkt.Law{Shift: 24 * time.Hour, Offline: 30 * 24 * time.Hour} }},
		card: fiscal.Card{Register: 200001, Version: 1, Country: fiscal.Russia, Zone: "UTC", XIN: vectorINN,
			RegistrationNumber: vectorNumber, SerialNumber: vectorSerial},
	}
}

// take judges a message and commits what comes of it.
func (d *desk) take(message []byte) (fiscal.Decision, error) {
	d.t.Helper()
	h, admission, err := (&kkt.Limits{}).Admit(message)
	if err != nil || admission != kkt.AdmitRead {
		return fiscal.Decision{}, err
	}
	message = bytes.Clone(message)
	q, err := kkt.OpenRequest(context.Background(), d.module, h, message[kkt.HeaderLen:])
	if err != nil {
		return fiscal.Decision{}, err
	}
	defer q.Release()
	return d.judge(fiscal.Exchange{Request: message, Body: q, Received: d.now})
}

func (d *desk) judge(x fiscal.Exchange) (fiscal.Decision, error) {
	d.t.Helper()
	s := fiscal.Situation{Card: &d.card, State: d.state, Exchange: &x, Now: d.now, Operator: &d.self}
	before := d.state.Append(nil)
	decision, err := d.rules.Judge(&s)
	for err == nil && decision.Needs != nil {
		d.look(decision.Needs, &s.Found)
		if s.Found.Rounds == 3 {
			d.t.Fatalf("the rules still need %+v", decision.Needs)
		}
		decision, err = d.rules.Judge(&s)
	}
	if !bytes.Equal(before, d.state.Append(nil)) {
		d.t.Fatal("the judgement changed the state that it was given")
	}
	if err != nil || decision.Next == nil {
		return decision, err
	}
	next := decision.Next
	for _, rec := range decision.Records {
		next.LastNumber++
		rec.Number, rec.Register, rec.CardVersion, rec.ReceivedAt = next.LastNumber, d.card.Register, d.card.Version, x.Received
		rec.Request, rec.Answer = bytes.Clone(rec.Request), bytes.Clone(rec.Answer)
		d.entries = append(d.entries, rec)
	}
	if decision.Card != nil {
		d.card, next.CardVersion = *decision.Card, decision.Card.Version
	}
	next.Version++
	stored, err := fiscal.ParseState(next.Append(nil)) // as a row keeps it
	if err != nil {
		d.t.Fatalf("state %+v: %v", next, err)
	}
	stored.Version = next.Version
	d.state = stored
	return decision, nil
}

// look adds what the rules need, as intake does. Numbers that lead elsewhere are
// those in d.elsewhere.
func (d *desk) look(n *fiscal.Needs, found *fiscal.Found) {
	found.Asked = true
	found.Rounds++
	for _, e := range d.entries {
		if n.DeviceNumber != 0 && e.Drive == n.Drive && e.DeviceNumber == n.DeviceNumber {
			found.ByDevice = append(found.ByDevice, e)
		}
		if q := n.Sign; q != nil && e.Drive == q.Drive && e.FiscalSign == q.Sign && e.DeviceNumber < q.Before {
			found.BySign = append(found.BySign, e)
		}
	}
	if n.Lead != nil {
		d.led = append(d.led, *n.Lead)
		found.Taken = d.elsewhere[*n.Lead]
	}
}

// act does to the register what a person does.
func (d *desk) act(a fiscal.Act) fiscal.Decision {
	d.t.Helper()
	decision, err := d.judge(fiscal.Exchange{Body: a, Received: d.now})
	if err != nil {
		d.t.Fatal(err)
	}
	return decision
}

// replayed fails the test unless the entries make the state.
func (d *desk) replayed() {
	d.t.Helper()
	fold := journal.NewReplay(nil, kkt.Reader{Module: d.module}.Read, func(context.Context, fiscal.Place) (*fiscal.State, error) { return d.state, nil })
	for i := range d.entries {
		e := journal.Entry{Record: d.entries[i]}
		if err := fold.Entry(context.Background(), &e); err != nil {
			d.t.Fatalf("replay entry %d: %v", e.Number, err)
		}
		if e.Kind != fiscal.DocAct {
			if err := (kkt.Reader{Module: d.module}).Check(&e.Record); err != nil {
				d.t.Errorf("Check(entry %d) = %v", e.Number, err)
			}
		}
	}
	if err := fold.End(context.Background(), 0); err != nil {
		d.t.Error(err)
	}
}

func (d *desk) last() fiscal.Record {
	d.t.Helper()
	if len(d.entries) == 0 {
		d.t.Fatal("no entry")
	}
	return d.entries[len(d.entries)-1]
}

func at(year, month, day, hour int) time.Time {
	return time.Date(year, time.Month(month), day, hour, 0, 0, 0, time.UTC)
}

func told(d fiscal.Decision, err error) string {
	return fmt.Sprintf("reason %v (%s %s), result %d, answer of %d bytes, close %t, replayed %t, error %v",
		d.Reason, d.Field, d.Detail, d.Result, len(d.Answer), d.Close, d.Replayed, err)
}
