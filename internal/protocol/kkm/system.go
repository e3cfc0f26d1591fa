package kkm

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// system judges COMMAND_SYSTEM: ping, statistics, the poll of a device that
// was blocked. Source: KKM reference §5.1.
func (j *judgement) system() (fiscal.Decision, error) {
	s := j.req.Msg.GetService()
	return j.noted(&kkmpb.Response{Service: j.service(serve{data: s.GetGetRegInfo(), taxes: s.GetGetBindedTaxation()})})
}

// info judges COMMAND_INFO, with which a device begins its work: counters,
// registration data, texts. Source: KKM reference §5.2.
func (j *judgement) info() (fiscal.Decision, error) {
	needs, report, err := j.infoReport()
	if needs != nil || err != nil {
		return fiscal.Decision{Needs: needs}, err
	}
	s := j.req.Msg.GetService()
	want := serve{data: true, taxes: s.GetGetBindedTaxation(), allAds: len(s.GetTicketAdInfos()) == 0}
	return j.noted(&kkmpb.Response{Report: report, Service: j.service(want)})
}

// noted answers 0. An autonomous period or software data that were not told
// before are kept as a notice; else nothing is written.
func (j *judgement) noted(msg *kkmpb.Response) (fiscal.Decision, error) {
	s := j.req.Msg.GetService()
	news := j.period.away && j.period.begin != j.peer.offline
	if i := s.GetSoftwareInformation(); i != nil {
		if h := softwareHash(i); h != j.peer.software {
			j.peer.software, news = h, true
		}
	}
	if !news {
		return j.reply(msg)
	}
	rec := fiscal.Record{Kind: fiscal.DocNotice, Shift: j.s.State.Shift.Number, DeviceTime: j.clock}
	if j.period.away {
		j.peer.offline = j.period.begin
		rec.DeviceTime = j.period.end
	}
	answer, err := j.frame(j.req.Header.Token, CodeOK, textOK, msg)
	if err != nil {
		return fiscal.Decision{}, err
	}
	return j.commit(j.s.State.Clone(), []fiscal.Record{rec}, answer)
}
