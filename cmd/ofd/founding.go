package main

import (
	"context"

	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/registry"
)

// byReport is who acts when a registration report does.
const byReport = "registration report"

// founder recognizes fiscal drives that nobody has entered, by their
// registration report. It is nil where the operator has it that way, and where
// nobody checks the drives' signs, so that anybody could send one.
func (c *core) founder(cfg *coreConfig) func(context.Context, *fiscal.Exchange) (fiscal.Place, error) {
	if cfg.Crypto.Name == config.CryptoNone || cfg.KKT.UnknownDrives.Name == config.UnknownDrop {
		return nil
	}
	operator := string(cfg.Operator.INN)
	return func(ctx context.Context, x *fiscal.Exchange) (fiscal.Place, error) {
		if q, ok := x.Body.(*kkt.Request); ok {
			if f, ok := q.Founding(operator); ok {
				return c.registry.Found(ctx, registry.Report{
					By: byReport, XIN: fiscal.XIN(f.INN), RegistrationNumber: f.RegistrationNumber, SerialNumber: f.Serial, Drive: f.Drive,
					Ended: driveEnded,
				})
			}
		}
		return fiscal.Place{}, &fiscal.Error{Reason: fiscal.NothingThere, Msg: "no registration report by which it could be recognized"}
	}
}

// driveEnded reports whether the register's current drive has sent its last
// document, or none was heard.
func driveEnded(s *fiscal.State) (bool, error) {
	drives, err := kkt.ParseDrives(s.Protocol)
	if err != nil || len(drives) == 0 {
		return err == nil, err
	}
	return drives[len(drives)-1].Closed, nil
}
