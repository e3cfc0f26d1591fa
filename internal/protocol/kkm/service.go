package kkm

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// What a reply's service part has to carry.
type serve struct {
	data   bool // registration data were asked for
	taxes  bool // bound taxation was asked for
	allAds bool // texts are wanted by a device that told no versions
	info   bool // the register is blocked: the text that says why
}

// service builds the service part of an answer, nil when there is nothing to
// say. It is filled completely or left out: newer clients reject a whole
// answer, even to an accepted document, for one blank field in it.
//
// Source: KKM reference §5.1, §7.6.
func (j *judgement) service(want serve) *kkmpb.ServiceResponse {
	ads := j.ads(want)
	if !want.data && !want.taxes && len(ads) == 0 {
		return nil
	}
	s := &kkmpb.ServiceResponse{TicketAds: ads}
	if s.RegInfo = j.registration(); s.RegInfo == nil {
		return nil
	}
	if want.taxes && j.card.TaxSystem != 0 {
		s.BindedTaxation = &kkmpb.ServiceResponse_BindedTaxation{TaxationType: &j.card.TaxSystem}
		if j.card.VATPercent != 0 {
			s.BindedTaxation.Taxes = []*kkmpb.ServiceResponse_BindedTaxation_BindedTax{{
				TaxType: proto.Uint32(fiscal.KindVAT), Percent: &j.card.VATPercent,
			}}
		}
	}
	if want.data && j.version >= V200 && j.s.State.Shift.Number != 0 {
		s.LastDocumentInfo = &kkmpb.ServiceResponse_LastDocumentInfo{
			FrShiftNumber:         proto.Uint32(j.s.State.Shift.Number),
			PrintedDocumentNumber: proto.Uint64(uint64(j.s.State.Shift.Documents)),
		}
	}
	return s
}

// ads are the texts that the device lacks.
func (j *judgement) ads(want serve) (ads []*kkmpb.TicketAd) {
	has := j.req.Msg.GetService().GetTicketAdInfos()
	send := func(ad fiscal.Ad) {
		if strings.TrimSpace(ad.Text) == "" {
			return
		}
		kind := kkmpb.TicketAdTypeEnum(ad.Kind)
		ads = append(ads, &kkmpb.TicketAd{Info: &kkmpb.TicketAdInfo{Type: &kind, Version: proto.Uint64(ad.Version)}, Text: proto.String(ad.Text)})
	}
	outdated := func(ad fiscal.Ad) bool {
		known := false
		for _, h := range has {
			if fiscal.AdKind(h.GetType()) == ad.Kind {
				known = true
				if h.GetVersion() >= ad.Version {
					return false
				}
			}
		}
		return known || want.allAds
	}
	if want.info {
		send(fiscal.Ad{Kind: fiscal.AdInfo, Version: max(j.s.State.Block.Version, 1), Text: j.blockText()})
		return ads
	}
	if len(has) == 0 && !want.allAds { // nobody asked: most receipts
		return nil
	}
	for _, ad := range append([]fiscal.Ad{j.s.Operator.Ad}, j.card.Ads...) {
		if outdated(ad) {
			send(ad)
		}
	}
	return ads
}

func (j *judgement) blockText() string {
	st := j.s.State
	if st.Status == fiscal.StatusDeregistered {
		return TextOf(fiscal.RegisterDeregistered, "")
	}
	if st.Status == fiscal.StatusActive { // it is not blocked: its contract is over
		if t := strings.TrimSpace(j.rules.Service.Text.In("ru")); t != "" {
			return t
		}
		return TextOf(fiscal.NoService, "")
	}
	if t := strings.TrimSpace(st.Block.Text); t != "" {
		return t
	}
	return TextOf(fiscal.RegisterBlocked, "")
}

// registration is the registry's data for the device, nil when something that
// clients insist on is blank.
func (j *judgement) registration() *kkmpb.ServiceResponse_RegInfo {
	c := j.card
	title, address, addressKZ := c.Title.In("ru"), c.LegalAddress.In("ru"), c.LegalAddress.In("kk")
	if c.RegistrationNumber == "" || c.SerialNumber == "" || blank(title) || blank(address) || c.XIN == "" {
		return nil
	}
	opt := func(s string) *string {
		if blank(s) {
			return nil
		}
		return &s
	}
	info := &kkmpb.ServiceResponse_RegInfo{
		Kkm: &kkmpb.KkmRegInfo{
			PointOfPaymentNumber: opt(c.PaymentPoint), TerminalNumber: opt(c.Terminal),
			FnsKkmId: &c.RegistrationNumber, SerialNumber: &c.SerialNumber,
			KkmId: proto.String(strconv.FormatInt(int64(c.Register), 10)),
		},
		Org: &kkmpb.OrgRegInfo{Title: &title, Address: &address, Inn: proto.String(string(c.XIN)), Okved: opt(c.OKED)},
	}
	if place, placeKZ := c.OutletAddress.In("ru"), c.OutletAddress.In("kk"); !blank(c.OutletTitle.In("ru")) && !blank(place) {
		info.Pos = &kkmpb.PosRegInfo{Title: proto.String(c.OutletTitle.In("ru")), Address: &place}
		if j.version >= V203 {
			info.Pos.AddressKz = &placeKZ
			info.Pos.Latitude = proto.Uint32(uint32(max(c.Latitude, 0)))
			info.Pos.Longitude = proto.Uint32(uint32(max(c.Longitude, 0)))
		}
	}
	if j.version >= V203 {
		info.Org.AddressKz = &addressKZ
	}
	return info
}

// minOfflinePeriod is the shortest autonomous period that is meant: online
// devices send the field with both ends at now, a second apart, zero, or at
// 1970. Source: KKM reference §9.1.
const minOfflinePeriod = 90 * time.Second

// period is a time of autonomous work; away says that there was one.
type period struct {
	begin, end fiscal.WallTime
	away       bool
}

// offlinePeriod is the autonomous period that the service part tells, if it
// means one. Some devices take its ends from clocks of two zones, so they may
// stand in either order.
func offlinePeriod(s *kkmpb.ServiceRequest) period {
	p := s.GetOfflinePeriod()
	if p == nil {
		return period{}
	}
	begin, okBegin := TimeOf(p.BeginTime)
	end, okEnd := TimeOf(p.EndTime)
	if !okBegin || !okEnd || p.GetBeginTime().GetDate().GetYear() < 2000 {
		return period{}
	}
	if d := end.Sub(begin); d < minOfflinePeriod && d > -minOfflinePeriod {
		return period{}
	}
	return period{min(begin, end), max(begin, end), true}
}

// contact is what the service part tells of the link and the device.
func (j *judgement) contact() fiscal.Contact {
	c := fiscal.Contact{Version: uint16(j.version)}
	s := j.req.Msg.GetService()
	if s == nil {
		return c
	}
	if q := s.CommQuality; q != nil {
		c.Quality = &fiscal.LinkQuality{ConnectMillis: q.GetAvgConnectTime(), PingMillis: q.GetAvgPing(), LossPercent: q.GetLossRatio()}
	}
	if g := s.GetSecurityStats().GetGeoPosition(); g != nil {
		c.Position = &fiscal.Position{Latitude: g.GetLatitude(), Longitude: g.GetLongitude(), Source: g.GetSource()}
	}
	if i := s.SoftwareInformation; i != nil {
		c.Software = softwareLine(i)
	}
	for _, ad := range s.TicketAdInfos {
		c.AdsKnown = append(c.AdsKnown, fiscal.Ad{Kind: fiscal.AdKind(ad.GetType()), Version: ad.GetVersion()})
	}
	if j.period.away {
		c.Offline = j.period.end.Sub(j.period.begin)
	}
	return c
}

func softwareLine(i *kkmpb.ServiceRequest_SoftwareInformation) string {
	var parts []string
	for _, m := range i.ModuleInfos {
		parts = append(parts, m.GetName()+" "+m.GetVersion())
	}
	for _, s := range []string{i.GetOsFamily() + " " + i.GetOsVersion(), i.GetHardwareArch()} {
		if s = strings.TrimSpace(s); s != "" {
			parts = append(parts, s)
		}
	}
	line := strings.Join(parts, ", ")
	if len(line) > 200 {
		line = strings.ToValidUTF8(line[:200], "")
	}
	return line
}

// softwareHash tells one set of software data from another.
func softwareHash(i *kkmpb.ServiceRequest_SoftwareInformation) (h [8]byte) {
	b, err := proto.MarshalOptions{Deterministic: true, AllowPartial: true}.Marshal(i)
	if err != nil {
		return h
	}
	sum := sha256.Sum256(b)
	copy(h[:], sum[:])
	return h
}

// fingerprint is 64 bits of what names a document beyond TOKEN and REQNUM: it
// recognizes one that is sent again after a token reset.
func fingerprint(op fiscal.Op, total fiscal.Money, t fiscal.WallTime, number uint64) uint64 {
	var b [25]byte
	b[0] = byte(op)
	binary.BigEndian.PutUint64(b[1:], uint64(total))
	binary.BigEndian.PutUint64(b[9:], uint64(t))
	binary.BigEndian.PutUint64(b[17:], number)
	sum := sha256.Sum256(b[:])
	return max(binary.BigEndian.Uint64(sum[:]), 1)
}
