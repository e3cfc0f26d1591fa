package kkm

import (
	"google.golang.org/protobuf/proto"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// Contents is what a document says, in fiscal's words.
type Contents = wire.Contents

// Contents opens what a job holds, for whoever keeps payloads as a history.
//
// Errors: Corrupt.
func (j *Job) Contents() (Contents, error) {
	msg, err := decode(j.Payload)
	if err != nil {
		return Contents{}, err
	}
	return wire.ContentsOf(msg), nil
}

// AppendReport writes a report as the wire has it, and ReadReport reads it.
func AppendReport(b []byte, r *fiscal.Report) ([]byte, error) {
	kind := kkmpb.ReportTypeEnum_REPORT_Z
	if r.Kind == fiscal.ReportX {
		kind = kkmpb.ReportTypeEnum_REPORT_X
	}
	return proto.MarshalOptions{}.MarshalAppend(b, &kkmpb.ReportResponse{Report: &kind, ZxReport: wire.NewReport(r, wire.V203)})
}

// ReadReport reads what AppendReport wrote.
//
// Errors: Corrupt.
func ReadReport(b []byte) (fiscal.Report, error) {
	msg := new(kkmpb.ReportResponse)
	if err := proto.Unmarshal(b, msg); err != nil {
		return fiscal.Report{}, &fiscal.Error{Of: fiscal.Corrupt, Field: "report", Err: err}
	}
	return wire.ReportOf(msg), nil
}
