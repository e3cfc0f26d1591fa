package delivery

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// SentSummary is a summary that was handed over, and what the authority said of
// it. It names the summary and does not hold it: whoever counts the register's
// entries up to Version anew gets the same.
type SentSummary struct {
	Register fiscal.RegisterID
	Day      fiscal.WallTime
	Version  fiscal.Number // 0 is a day without documents
	At       time.Time     // when it was taken, or refused last
	Refused  string        // why; "" it was taken
}

// SentStore keeps what was handed over.
type SentStore interface {
	// KeepSentSummaries notes what was handed over. One that is there keeps its
	// time, unless what was said of it is something else now or a refusal.
	KeepSentSummaries(ctx context.Context, authority string, all []SentSummary) error
	// SentSummaries reads those of a register from one day on until another, both
	// included: the newest day first, of a day the highest version.
	SentSummaries(ctx context.Context, authority string, r fiscal.RegisterID, from, until fiscal.WallTime) ([]SentSummary, error)
	// RefusedSummaries lists refusals that stand, which is of the highest version
	// that was handed over of a register's day: the newest day first, before one; a
	// Day of 0 is from the newest on.
	RefusedSummaries(ctx context.Context, authority string, before fiscal.DayOf, limit int) ([]SentSummary, error)
	// CountRefusedSummaries counts them.
	CountRefusedSummaries(ctx context.Context, authority string) (int64, error)
}

// send hands summaries over and keeps what the authority said of each.
func (s *Summaries) send(ctx context.Context, all []Summary) ([]SentSummary, error) {
	if len(all) == 0 {
		return nil, nil
	}
	refused, err := s.sender.SendSummaries(ctx, all)
	if err != nil {
		return nil, fmt.Errorf("send %d summaries of %s: %w", len(all), dayText(all[0].Day), err)
	}
	why := make(map[string]string, len(refused))
	for _, r := range refused { // it will not be taken the next time either
		why[r.ID] = brief(r.Why)
		if r.Why == "" {
			why[r.ID] = "no reason given"
		}
		s.log.Warn("summary refused", "register", r.ID, "day", dayText(all[0].Day), "why", brief(r.Why))
	}
	now := s.now().UTC().Truncate(time.Microsecond)
	sent := make([]SentSummary, len(all))
	for i := range all {
		sent[i] = SentSummary{Register: all[i].Register, Day: all[i].Day, Version: all[i].Version, At: now, Refused: why[registerText(all[i].Register)]}
	}
	return sent, s.store.KeepSentSummaries(ctx, s.cfg.Authority, sent)
}

// Again hands the summary of a register's day over once more, as it is now, and
// tells what became of it: for one that was refused, once what was wrong is put
// right.
//
// Errors: NotFound for a day of which nothing was handed over; Unavailable when
// the authority does not answer.
func (s *Summaries) Again(ctx context.Context, of fiscal.DayOf) (SentSummary, error) {
	had, err := s.store.SentSummaries(ctx, s.cfg.Authority, of.Register, of.Day, of.Day)
	if err == nil && len(had) == 0 {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "summary", Msg: registerText(of.Register) + "/" + dayText(of.Day)}
	}
	var page []registry.Listed
	if err == nil {
		page, err = s.store.Registers(ctx, 0, of.Register-1, 1)
	}
	if err != nil {
		return SentSummary{}, err
	}
	all, err := s.ofRegisters(ctx, of.Day, page)
	if err != nil {
		return SentSummary{}, err
	}
	if len(all) != 1 || all[0].Register != of.Register { // it left meanwhile, with nothing on that day
		return SentSummary{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "register", Msg: registerText(of.Register)}
	}
	sent, err := s.send(ctx, all)
	if err != nil {
		return SentSummary{}, err
	}
	return sent[0], nil
}

// dayText is a day as files and messages write it: 2026-03-14.
func dayText(day fiscal.WallTime) string { return day.UTC().Format(time.DateOnly) }

// registerText names a register in messages.
func registerText(r fiscal.RegisterID) string { return strconv.FormatInt(int64(r), 10) }
