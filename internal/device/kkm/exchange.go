package kkm

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// answer is an accepted or refused request; silence is an error instead.
type answer struct {
	token uint32 // of the header
	msg   *kkmpb.Response
}

func (a *answer) code() uint32 { return a.msg.GetResult().GetResultCode() }

// refusal is the error of an answer with another code than 0.
func (a *answer) refusal(v wire.Version) error {
	if a.code() == wire.CodeOK {
		return nil
	}
	e := &Refusal{
		Command: int32(a.msg.GetCommand()), Version: v, Code: a.code(), Text: a.msg.GetResult().GetResultText(),
	}
	for _, ad := range a.msg.GetService().GetTicketAds() {
		if ad.GetInfo().GetType() == kkmpb.TicketAdTypeEnum_TICKET_AD_INFO {
			e.Notice = ad.GetText()
		}
	}
	return e
}

// transact sends a request until it is answered or the transaction time is
// over: the same bytes each time, so that the operator knows a repetition. The
// caller holds line and not mu.
//
// The error is silence, a *LinkError or the last *Refusal with 254 or 255.
// Source: KKM 2.0.2 §2.1, §5.1.
func (r *Register) transact(ctx context.Context, under UnderWay, command int32, payload []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Transaction)
	defer cancel()
	head := wire.Header{
		Version: r.cfg.Version, Size: uint32(wire.HeaderLen + len(payload)),
		ID: uint32(r.cfg.Card.Register), Token: under.Token, ReqNum: under.ReqNum,
	}
	frame, _ := head.AppendBinary(make([]byte, 0, head.Size))
	frame = append(frame, payload...)
	for {
		a, err := r.once(ctx, command, frame)
		if err == nil && !silence(a.code()) {
			return a, nil
		}
		if err == nil {
			err = a.refusal(r.cfg.Version)
			_ = r.link.Close() // after 254 and 255 the register connects anew
		}
		pause := time.NewTimer(r.cfg.Pause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return answer{}, err
		}
	}
}

// once sends the frame one time and reads the answer as far as a register must
// understand it.
func (r *Register) once(ctx context.Context, command int32, frame []byte) (answer, error) {
	reply, err := r.link.Exchange(ctx, frame)
	if err != nil {
		return answer{}, err
	}
	msg, err := wire.ParseResponse(reply.Payload)
	if err == nil {
		err = adequate(command, msg)
	}
	if err != nil {
		return answer{}, &LinkError{Stage: AtCheck, Err: err}
	}
	return answer{token: reply.Header.Token, msg: msg}, nil
}

// adequate reports what an answer lacks to settle the request.
func adequate(command int32, msg *kkmpb.Response) error {
	if int32(msg.GetCommand()) != command {
		return &MismatchError{"command", uint32(command), uint32(msg.GetCommand())}
	}
	if msg.GetResult().GetResultCode() == wire.CodeOK && msg.GetCommand() == kkmpb.CommandTypeEnum_COMMAND_TICKET &&
		msg.GetTicket().GetTicketNumber() == "" {
		return &wire.SyntaxError{Off: wire.HeaderLen, Field: "ticket.ticket_number", Why: "absent from an accepted receipt"}
	}
	return nil
}

// encode gives the payload of a request. The same message gives the same bytes.
func encode(msg *kkmpb.Request) ([]byte, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(msg)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	return b, nil
}

// decode reads back what encode gave.
func decode(payload []byte) (*kkmpb.Request, error) {
	msg := new(kkmpb.Request)
	if err := proto.Unmarshal(payload, msg); err != nil {
		return nil, &fiscal.Error{Of: fiscal.Corrupt, Field: "queue", Msg: "a stored document does not decode", Err: err}
	}
	return msg, nil
}

// withPeriod is the payload with the autonomous period in its service part,
// the one thing that a repetition from the queue adds.
// Source: KKM 2.0.2 §3.3.6.
func withPeriod(payload []byte, begin, end fiscal.WallTime) ([]byte, error) {
	if begin == 0 {
		return payload, nil
	}
	msg, err := decode(payload)
	if err != nil {
		return nil, err
	}
	if msg.Service == nil {
		msg.Service = new(kkmpb.ServiceRequest)
	}
	msg.Service.OfflinePeriod = &kkmpb.ServiceRequest_OfflinePeriod{BeginTime: wire.NewTime(begin), EndTime: wire.NewTime(max(begin, end))}
	return encode(msg)
}

// service is the part that accompanies every request: who the register is,
// where it stands, and which texts it has. The caller holds mu.
func (r *Register) service(asks bool) *kkmpb.ServiceRequest {
	v, c := r.cfg.Version, &r.cfg.Card
	s := &kkmpb.ServiceRequest{RegInfo_: &kkmpb.ServiceRequest_RegInfo{
		Kkm: &kkmpb.KkmRegInfo{
			PointOfPaymentNumber: text(c.PaymentPoint), TerminalNumber: text(c.Terminal),
			FnsKkmId: text(c.RegistrationNumber), SerialNumber: text(c.SerialNumber),
		},
		Org: &kkmpb.OrgRegInfo{
			Title: text(c.Title.In("ru")), Address: text(c.LegalAddress.In("ru")), Inn: text(string(c.XIN)), Okved: text(c.OKED),
		},
	}}
	if v >= wire.V125 {
		s.RegInfo_.Kkm.KkmId = text(fmt.Sprint(c.Register))
	}
	if v < wire.V201 && c.TaxSystem != 0 {
		s.RegInfo_.Org.TaxationType = &c.TaxSystem
	}
	if v >= wire.V203 {
		s.RegInfo_.Org.AddressKz = text(c.LegalAddress.In("kk"))
		if c.Latitude != 0 || c.Longitude != 0 {
			s.SecurityStats = &kkmpb.ServiceRequest_SecurityStats{GeoPosition: &kkmpb.ServiceRequest_GeoPosition{
				Latitude: &c.Latitude, Longitude: &c.Longitude, Source: text(r.cfg.Position)}}
		}
	}
	for i := range r.state.Ads {
		kind := kkmpb.TicketAdTypeEnum(r.state.Ads[i].Kind)
		version := r.state.Ads[i].Version
		s.TicketAdInfos = append(s.TicketAdInfos, &kkmpb.TicketAdInfo{Type: &kind, Version: &version})
	}
	if asks {
		s.GetRegInfo = new(true)
	}
	return s
}

// heed takes over what an answer tells beside its result: the token of an
// accepted request, texts to print, and the mode that a code leads to.
//
// waiting says that the refused document stays in the queue: then every
// refusal stops the register until a person decides.
// Source: KKM 2.0.2, table of result codes; KKM reference §5.10.
func (s *State) heed(a answer, waiting bool) {
	for _, ad := range a.msg.GetService().GetTicketAds() {
		s.keepAd(fiscal.Ad{Kind: fiscal.AdKind(ad.GetInfo().GetType()), Version: ad.GetInfo().GetVersion(), Text: ad.GetText()})
	}
	switch a.code() {
	case wire.CodeOK:
		if a.token != 0 {
			s.Token = a.token
		}
		return
	case wire.CodeInvalidToken:
		s.Mode = ModeNeedsToken
	case wire.CodeBlocked:
		s.Mode = ModeServerBlocked
	case wire.CodeUnknownID:
		s.Mode = ModeStopped
	default:
		if !waiting {
			return
		}
		s.Mode = ModeStopped
	}
	s.Notice = a.msg.GetResult().GetResultText()
	for _, ad := range s.Ads {
		if s.Mode == ModeServerBlocked && ad.Kind == fiscal.AdInfo {
			s.Notice = ad.Text
		}
	}
}

func (s *State) keepAd(ad fiscal.Ad) {
	for i := range s.Ads {
		if s.Ads[i].Kind == ad.Kind {
			s.Ads[i] = ad
			return
		}
	}
	s.Ads = append(s.Ads, ad)
}
