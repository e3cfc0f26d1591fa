package kgd

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"openofd/internal/authority/link"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// Client is the authority across the network: it takes documents, applications,
// summaries and reports, and tells its decisions and counts. Safe for concurrent
// use.
//
// Whatever the far end says that is none of kgd/1 is Unavailable, and comes
// again.
type Client struct {
	link.Lines
	summaries link.Lines
	papers    link.Papers
}

var (
	_ delivery.Sender        = (*Client)(nil)
	_ delivery.Registrar     = (*Client)(nil)
	_ delivery.Counts        = (*Client)(nil)
	_ delivery.SummarySender = (*Client)(nil)
	_ delivery.ReportSender  = (*Client)(nil)
)

// Open makes a client; see link.Open.
func Open(cfg link.Config, now func() time.Time) (*Client, error) {
	cfg.Name, cfg.Answer = Name, MaxAnswer
	l, err := link.Open(cfg, now)
	if err != nil {
		return nil, err
	}
	return &Client{
		Lines:     link.Lines{Link: l, Path: PathReceipts, Most: MaxLines, Bytes: MaxBatch / 2},
		summaries: link.Lines{Link: l, Path: PathSummaries, Most: MaxLines, Bytes: MaxBatch / 2},
		papers:    link.Papers{Link: l, Applications: PathApplications, Decisions: PathDecisions, Page: MaxPage},
	}, nil
}

// Name is the authority's.
func (*Client) Name() string { return Name }

// Submit implements delivery.Registrar.
func (c *Client) Submit(ctx context.Context, s delivery.Submission) (string, error) {
	a := Application{
		Format: Format, ID: s.ID, Kind: string(s.Kind), Country: s.Country, Register: s.Register, RegistrationNumber: s.RegistrationNumber, BIN: s.XIN,
		SignedAt: s.SignedAt.UTC(), Content: s.Content, Signature: s.Signature, Control: findings(s.Control),
	}
	return c.papers.Submit(ctx, s.ID, &a)
}

func findings(all []registry.FieldError) []FieldError {
	list := make([]FieldError, 0, len(all))
	for _, f := range all {
		list = append(list, FieldError{Field: f.Field, Reason: f.Reason.String()})
	}
	return list
}

// page is what a page of something is asked with.
func page(after string, limit int) url.Values { return link.PageOf(after, min(limit, MaxPage)) }

// Decisions implements delivery.Registrar.
func (c *Client) Decisions(ctx context.Context, after string, limit int) ([]delivery.Decision, string, error) {
	return c.papers.DecisionsAfter(ctx, after, limit)
}

// SendReport implements delivery.ReportSender.
func (c *Client) SendReport(ctx context.Context, day fiscal.WallTime, made time.Time, content json.RawMessage) error {
	r := Report{Format: Format, Day: dayText(day), Made: made.UTC(), Content: content}
	body, err := json.Marshal(&r)
	if err == nil {
		err = c.Post(ctx, PathReports, TypeJSON, "report-"+r.Day, body, nil)
	}
	if err != nil {
		return fmt.Errorf("send the report of %s: %w", r.Day, err)
	}
	return nil
}

func dayText(day fiscal.WallTime) string { return day.UTC().Format(time.DateOnly) }

// SendSummaries implements delivery.SummarySender.
func (c *Client) SendSummaries(ctx context.Context, all []delivery.Summary) ([]delivery.Refusal, error) {
	docs := make([]delivery.Document, 0, len(all))
	for i := range all {
		s := summaryOf(&all[i])
		body, err := json.Marshal(&s)
		if err != nil {
			return nil, err
		}
		docs = append(docs, delivery.Document{ID: s.ID, Body: append(body, '\n')})
	}
	refused, err := c.summaries.Send(ctx, docs)
	if err != nil {
		return nil, fmt.Errorf("send %d summaries: %w", len(all), err)
	}
	for i := range refused {
		refused[i].ID, _, _ = strings.Cut(refused[i].ID, "/")
	}
	return refused, nil
}

// summaryOf words a summary.
func summaryOf(s *delivery.Summary) Summary {
	out := Summary{
		Format: Format, Day: dayText(s.Day), Version: int64(s.Version), Register: s.Register, RegistrationNumber: s.RegistrationNumber, BIN: s.XIN,
		Documents: s.Documents, Offline: s.Offline, Shifts: s.Shifts, First: edgeOf(s.First), Last: edgeOf(s.Last),
		Receipts: make(map[string]Tally), Moves: make(map[string]Tally), Taxes: []TaxTally{},
		Cash: s.Cash, Cashless: s.Cashless, Mobile: s.Mobile, Other: s.Other, CashInDrawer: s.Drawer,
	}
	out.ID = fmt.Sprintf("%d/%s/%d", out.Register, out.Day, out.Version)
	if s.Last.Number != 0 {
		out.ChainHash = hex.EncodeToString(s.Hash[:])
	}
	for op := fiscal.OpSale; op <= fiscal.OpCashOut; op++ {
		if op.Settlement() {
			put(out.Receipts, op, s.Receipts[op.Index()])
		} else {
			put(out.Moves, op, s.Moves[op.Index()])
		}
	}
	for i := range s.Taxes {
		t := &s.Taxes[i]
		for op := fiscal.OpSale; op.Settlement(); op++ {
			if x := t.Ops[op.Index()]; x != (fiscal.TaxedTally{}) {
				out.Taxes = append(out.Taxes, TaxTally{Kind: t.Kind, Percent: t.Percent, Operation: op.String(), Turnover: x.Turnover, Tax: x.Tax})
			}
		}
	}
	return out
}

func put(m map[string]Tally, op fiscal.Op, t fiscal.Tally) {
	if t != (fiscal.Tally{}) {
		m[op.String()] = Tally{t.Count, t.Sum}
	}
}

func edgeOf(e fiscal.Edge) *Edge {
	if e.Number == 0 {
		return nil
	}
	return &Edge{e.Number, e.Time}
}

// Counts implements delivery.Counts.
func (c *Client) Counts(ctx context.Context, day fiscal.WallTime, after string, limit int) (all []delivery.Count, next string, err error) {
	q := page(after, limit)
	q.Set("day", dayText(day))
	var got Counts
	err = c.Get(ctx, PathCounts, q, &got)
	if err == nil && (len(got.Counts) > MaxPage || got.Next != "" && got.Next == after) {
		err = c.Rubbish("counts that lead nowhere")
	}
	for i := range got.Counts {
		if err != nil {
			break
		}
		var one delivery.Count
		if one, err = c.count(&got.Counts[i]); err == nil && i > 0 && one.Register <= all[i-1].Register {
			err = c.Rubbish("registers out of their order")
		}
		all = append(all, one)
	}
	if err != nil {
		return nil, after, fmt.Errorf("ask for the counts of %s: %w", dayText(day), err)
	}
	return all, got.Next, nil
}

// count reads one count. What it does not know is not taken for nothing.
func (c *Client) count(n *Count) (delivery.Count, error) {
	out := delivery.Count{Register: n.Register, RegistrationNumber: n.RegistrationNumber, Documents: n.Documents, Last: n.Last}
	if n.Register <= 0 || n.Documents < 0 {
		return out, c.Rubbish("a count of nothing")
	}
	if n.ChainHash != "" {
		if h, err := hex.DecodeString(n.ChainHash); err != nil || copy(out.Hash[:], h) != len(out.Hash) || len(h) != len(out.Hash) {
			return out, c.Rubbish("a hash that is none")
		}
	}
	for name, t := range n.Receipts {
		op := fiscal.OpSale
		for op.Settlement() && op.String() != name {
			op++
		}
		if !op.Settlement() {
			return out, c.Rubbish("an operation that nobody knows")
		}
		out.Receipts[op.Index()] = fiscal.Tally{Count: t.Count, Sum: t.Sum}
	}
	return out, nil
}
