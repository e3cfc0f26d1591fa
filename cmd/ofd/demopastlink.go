package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	devicekkm "openofd/internal/device/kkm"
	devicekkt "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/gate"
	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkt"
)

// pastLink leads a device of the demo's past to the intake without a door: what
// arrives has the time of the device's clock, not of this machine.
type pastLink struct {
	ctx     context.Context // of the whole past: a device's patience is that of its own clock
	core    *core
	marking gate.MarkingSystem
	now     func() time.Time
	cut     bool
}

// pastPeer is where the registers of the past are.
const pastPeer = "192.0.2.10"

func (l *pastLink) accept(kind fiscal.AddressKind, name string, request []byte, body any) (fiscal.Answer, error) {
	answer, err := l.core.intake.Accept(l.ctx, fiscal.Exchange{
		Address: fiscal.Address{Kind: kind, Name: name}, Request: request, Body: body, Received: l.now(), Peer: pastPeer,
	})
	if err == nil && answer.Frame == nil && !answer.PassOn {
		err = errors.New("closed without an answer")
	}
	return answer, err
}

// pastKKM is the link of a register of Kazakhstan.
type pastKKM struct{ *pastLink }

var _ devicekkm.Exchanger = pastKKM{}

// Exchange implements kkm.Exchanger.
func (l pastKKM) Exchange(_ context.Context, frame []byte) (reply devicekkm.Reply, err error) {
	if l.cut {
		return reply, &devicekkm.LinkError{Stage: devicekkm.AtConnect, Err: errCut}
	}
	h, err := kkm.ParseHeader(frame)
	if err != nil {
		return reply, err
	}
	req := kkm.ParseRequest(h, frame[kkm.HeaderLen:])
	answer, err := l.accept(fiscal.ByID, strconv.FormatUint(uint64(h.ID), 10), frame, req)
	req.Release()
	if err == nil {
		reply.Header, err = kkm.ParseHeader(answer.Frame)
	}
	if err != nil {
		return reply, &devicekkm.LinkError{Stage: devicekkm.AtReceive, Err: err}
	}
	reply.Payload = answer.Frame[kkm.HeaderLen:]
	return reply, nil
}

// Close implements kkm.Exchanger.
func (pastKKM) Close() error { return nil }

// pastKKT is the link of a register of Russia, for both of its channels.
type pastKKT struct{ *pastLink }

var _ devicekkt.Exchanger = pastKKT{}

// Exchange implements kkt.Exchanger.
func (l pastKKT) Exchange(_ context.Context, message []byte) ([]byte, error) {
	if l.cut {
		return nil, &devicekkt.LinkError{Stage: devicekkt.AtConnect, Err: errCut}
	}
	container, err := l.exchange(message)
	if err != nil {
		return nil, &devicekkt.LinkError{Stage: devicekkt.AtReceive, Err: err}
	}
	return container, nil
}

func (l pastKKT) exchange(message []byte) ([]byte, error) {
	h, err := kkt.ParseHeader(message)
	if err != nil {
		return nil, err
	}
	judged := l.documents
	if h.Service == kkt.ServiceMarking {
		judged = l.marked
	}
	answer, err := judged(h, message)
	if err != nil {
		return nil, err
	}
	back, err := kkt.ParseHeader(answer.Frame)
	if err != nil {
		return nil, err
	}
	f, err := kkt.ParseAnswer(h, back, answer.Frame[kkt.HeaderLen:])
	return f.Raw, err
}

func (l pastKKT) documents(h kkt.Header, message []byte) (fiscal.Answer, error) {
	req, err := kkt.OpenRequest(l.ctx, l.core.module, h, message[kkt.HeaderLen:])
	if err != nil {
		return fiscal.Answer{}, err
	}
	defer req.Release()
	return l.accept(fiscal.ByDrive, h.Drive.String(), message, req)
}

// marked has a message judged, passed on and judged again, as the gate does.
func (l pastKKT) marked(h kkt.Header, message []byte) (fiscal.Answer, error) {
	req, err := kkt.OpenMarking(l.ctx, l.core.module, h, message[kkt.HeaderLen:])
	if err != nil {
		return fiscal.Answer{}, err
	}
	answer, err := l.accept(fiscal.ByDrive, h.Drive.String(), message, req)
	if err != nil || !answer.PassOn {
		return answer, err
	}
	container, err := l.marking.Ask(l.ctx, message)
	if err == nil {
		err = req.Answered(container)
	}
	if err != nil {
		return answer, err
	}
	return l.accept(fiscal.ByDrive, h.Drive.String(), message, req)
}

// Close implements kkt.Exchanger.
func (pastKKT) Close() error { return nil }
