package kkm

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// closeShift judges COMMAND_CLOSE_SHIFT. The device's own report is compared
// and never a reason to refuse: real devices miscount, and one closes its shift
// whatever the answer. Source: KKM reference §5.4.
func (j *judgement) closeShift(c *kkmpb.CloseShiftRequest) (fiscal.Decision, error) {
	j.replay = c.GetIsOffline() || j.period.away
	t := j.times("close_time", c.CloseTime)
	state := j.s.State
	stated := c.GetFrShiftNumber()
	if !state.Shift.Open && state.LastZ != 0 && (stated == state.Shift.Number || stated == 0 && c.GetZReport().GetShiftNumber() == state.Shift.Number) {
		return j.closedAlready(t)
	}
	j.checkService(true, c.ZReport == nil || c.Operator == nil)
	j.checkShift(stated)
	if d, refused := j.settle(); refused {
		return d, nil
	}

	next := state.Clone()
	making := j.making(t, stated)
	var records []fiscal.Record
	if cash := next.Counters.Cash; c.GetWithdrawMoney() && cash > 0 {
		f := next.AddMove(fiscal.OpCashOut, cash, making) &^ fiscal.FlagClockBackwards
		records = append(records, fiscal.Record{
			Kind: fiscal.DocCashMove, Flags: f | j.flags&fiscal.FlagReplay, DeviceTime: t,
			Op: fiscal.OpCashOut, Total: cash, Cash: cash,
		})
	}
	z, flags := next.CloseShift(making)
	j.flag(flags)
	next.LastZ = state.LastNumber + fiscal.Number(len(records)) + 1
	if c.ZReport != nil && differs(c.ZReport, &z) {
		j.flag(fiscal.FlagReportDiffers)
	}
	records = append(records, fiscal.Record{Kind: fiscal.DocShiftClose, Flags: j.flags, DeviceTime: t, Total: z.Counters.Revenue})
	for i := range records {
		records[i].Shift = z.Shift.Number
	}
	msg := zResponse(NewReport(&z, j.version))
	msg.Service = j.service(serve{})
	return j.accept(next, document{time: t}, records, msg)
}

// closedAlready answers for a shift that is closed with its Z report, as an
// accepted document: a refusal would block an autonomous queue for good.
func (j *judgement) closedAlready(t fiscal.WallTime) (fiscal.Decision, error) {
	if !j.s.Found.Asked {
		return fiscal.Decision{Needs: &fiscal.Needs{Entries: []fiscal.Number{j.s.State.LastZ}}}, nil
	}
	z, err := j.lastZ()
	if err != nil {
		return fiscal.Decision{}, err
	}
	notice := noticeOf(&j.s.Found.Entries[0])
	notice.Flags |= j.flags
	msg := zResponse(NewReport(&z, j.version))
	msg.Service = j.service(serve{})
	return j.accept(j.s.State.Clone(), document{time: t}, []fiscal.Record{notice}, msg)
}

// lastZ opens the Z report of the last closed shift from the answer that
// carried it, which was found.
func (j *judgement) lastZ() (fiscal.Report, error) {
	gone := func(err error) (fiscal.Report, error) {
		return fiscal.Report{}, &fiscal.Error{Of: fiscal.Corrupt, Field: "entry", Msg: "the last Z report cannot be read", Err: err}
	}
	if len(j.s.Found.Entries) != 1 || len(j.s.Found.Entries[0].Answer) < HeaderLen {
		return gone(nil)
	}
	rec := &j.s.Found.Entries[0]
	msg, err := ParseResponse(rec.Answer[HeaderLen:])
	if err != nil || msg.GetReport().GetZxReport() == nil {
		return gone(err)
	}
	z := reportOf(kkmpb.ReportTypeEnum_REPORT_Z, msg.Report.ZxReport)
	if z.Shift.ClosedAt == 0 { // the answer went to a version below 1.2.5
		z.Shift.ClosedAt = rec.DeviceTime
	}
	if z.Shift.OpenedAt == 0 {
		z.Shift.OpenedAt = z.Shift.ClosedAt
	}
	return z, nil
}

func zResponse(zx *kkmpb.ZXReport) *kkmpb.Response {
	return &kkmpb.Response{Report: &kkmpb.ReportResponse{Report: kkmpb.ReportTypeEnum_REPORT_Z.Enum(), ZxReport: zx}}
}
