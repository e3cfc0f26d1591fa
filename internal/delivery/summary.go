package delivery

import (
	"context"
	"encoding/json"
	"time"

	"openofd/internal/fiscal"
)

// Summary is what a register came to on a day, with what an authority knows the
// register by. One of version 0 is a day without documents.
type Summary struct {
	fiscal.DaySummary
	RegistrationNumber string
	XIN                fiscal.XIN
}

// SummarySender is the way of daily summaries to an authority.
type SummarySender interface {
	// SendSummaries hands over summaries, MaxSummaries at most. Once it returns nil
	// each of them is safe at the other end, or refused. The same one may come
	// again and takes effect once, by register, day and version; one of a lower
	// version than the other end has changes nothing there. A refusal's ID is the
	// register's, in decimal digits.
	SendSummaries(ctx context.Context, all []Summary) ([]Refusal, error)
}

// MaxSummaries is how many summaries are handed over at once.
const MaxSummaries = 500

// Count is what an authority itself makes of the documents of a register and a
// day, by what it was forwarded.
type Count struct {
	Register           fiscal.RegisterID
	RegistrationNumber string
	Documents          int64                              // as fiscal.DaySummary counts them
	Receipts           [fiscal.OpSettlements]fiscal.Tally // likewise, without what was canceled
	Last               fiscal.Number                      // the highest entry
	Hash               [32]byte                           // of that entry
}

// Counts are asked of an authority.
type Counts interface {
	// Counts reads its counts of a day, limit at most, by register, ascending,
	// behind what an earlier page called next; next is "" when there are no more.
	// What cannot be understood is Unavailable, and never taken for nothing.
	Counts(ctx context.Context, day fiscal.WallTime, after string, limit int) (all []Count, next string, err error)
}

// ReportSender is the way of the operator's daily report on how data were
// transmitted.
type ReportSender interface {
	// SendReport hands a report over. The same day may come again and takes effect
	// once. Source: order 626 of 24.10.2025.
	SendReport(ctx context.Context, day fiscal.WallTime, made time.Time, content json.RawMessage) error
}
