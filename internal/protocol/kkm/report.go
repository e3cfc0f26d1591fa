package kkm

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// report judges COMMAND_REPORT. It changes no counter and no token; the answer
// is kept, for the owner looks at X reports too. Source: KKM reference §5.5.
func (j *judgement) report(q *kkmpb.ReportRequest) (fiscal.Decision, error) {
	j.replay = q.GetIsOffline() || j.period.away
	t := j.times("date_time", q.DateTime)
	x := q.GetReport() == kkmpb.ReportTypeEnum_REPORT_X
	if !x && q.GetReport() != kkmpb.ReportTypeEnum_REPORT_Z {
		j.cannotStore(at("report"))
	}
	j.checkService(true, q.ZxReport == nil)
	if d, refused := j.settle(); refused {
		return d, nil
	}
	if !x && j.s.State.LastZ != 0 && !j.s.Found.Asked {
		return fiscal.Decision{Needs: &fiscal.Needs{Entries: []fiscal.Number{j.s.State.LastZ}}}, nil
	}
	var rep fiscal.Report
	switch {
	case x:
		rep = j.s.State.X(t)
	case j.s.State.LastZ == 0:
		rep = emptyZ(t, t)
	default:
		var err error
		if rep, err = j.lastZ(); err != nil {
			return fiscal.Decision{}, err
		}
	}
	if x && q.ZxReport != nil && differs(q.ZxReport, &rep) {
		j.flag(fiscal.FlagReportDiffers)
	}
	msg := &kkmpb.Response{Report: &kkmpb.ReportResponse{Report: q.Report, ZxReport: NewReport(&rep, j.version)}}
	msg.Service = j.service(serve{})
	answer, err := j.frame(j.req.Header.Token, CodeOK, textOK, msg)
	if err != nil {
		return fiscal.Decision{}, err
	}
	j.peer.cancelable = 0
	rec := fiscal.Record{Kind: fiscal.DocReport, Flags: j.flags, DeviceTime: t, Shift: rep.Shift.Number, Total: rep.Counters.Revenue}
	return j.commit(j.s.State.Clone(), []fiscal.Record{rec}, answer)
}

// emptyZ is the Z report of a register that has closed no shift.
func emptyZ(t, edge fiscal.WallTime) fiscal.Report {
	return fiscal.Report{Kind: fiscal.ReportZ, Time: t, Shift: fiscal.Shift{OpenedAt: edge, ClosedAt: edge}}
}

// infoReport is the report in the answer to INFO: the running X, or the last Z.
// A register without a closed shift gets an empty Z whose edges are the time of
// its registration: a client in use rejects anything later than its own clock.
// Source: KKM reference §5.2.
func (j *judgement) infoReport() (*fiscal.Needs, *kkmpb.ReportResponse, error) {
	state := j.s.State
	kind := kkmpb.ReportTypeEnum_REPORT_Z
	var rep fiscal.Report
	switch {
	case state.Shift.Open:
		kind, rep = kkmpb.ReportTypeEnum_REPORT_X, state.X(j.clock)
	case state.LastZ == 0:
		rep = emptyZ(j.clock, fiscal.WallIn(j.card.RegisteredAt, j.card.Location()))
	case !j.s.Found.Asked:
		return &fiscal.Needs{Entries: []fiscal.Number{state.LastZ}}, nil, nil
	default:
		var err error
		if rep, err = j.lastZ(); err != nil {
			return nil, nil, err
		}
	}
	return nil, &kkmpb.ReportResponse{Report: &kind, ZxReport: NewReport(&rep, j.version)}, nil
}
