package fns

import (
	"context"
	"time"

	"openofd/internal/authority/link"
	"openofd/internal/delivery"
)

// Client is the service across the network: it takes documents and applications,
// and tells its decisions. Safe for concurrent use.
type Client struct {
	link.Lines
	papers link.Papers
}

var (
	_ delivery.Sender    = (*Client)(nil)
	_ delivery.Registrar = (*Client)(nil)
)

// Open is the way to the service across the network; see link.Open.
func Open(cfg link.Config, now func() time.Time) (*Client, error) {
	cfg.Name, cfg.Answer = Name, MaxAnswer
	l, err := link.Open(cfg, now)
	if err != nil {
		return nil, err
	}
	return &Client{
		Lines:  link.Lines{Link: l, Path: PathDocuments, Most: MaxLines, Bytes: MaxBatch / 2},
		papers: link.Papers{Link: l, Applications: PathApplications, Decisions: PathDecisions, Page: MaxPage},
	}, nil
}

// Name is the authority's.
func (*Client) Name() string { return Name }

// Submit implements delivery.Registrar.
func (c *Client) Submit(ctx context.Context, s delivery.Submission) (string, error) {
	a := Application{
		Format: Format, ID: s.ID, Form: FormOf(string(s.Kind)), Kind: string(s.Kind), Register: s.Register, RegistrationNumber: s.RegistrationNumber, INN: s.XIN,
		Drive: s.Drive, SignedAt: s.SignedAt.UTC(), Content: s.Content, Signature: s.Signature, Control: make([]FieldError, 0, len(s.Control)),
	}
	for _, f := range s.Control {
		a.Control = append(a.Control, FieldError{Field: f.Field, Reason: f.Reason.String()})
	}
	return c.papers.Submit(ctx, s.ID, &a)
}

// Decisions implements delivery.Registrar.
func (c *Client) Decisions(ctx context.Context, after string, limit int) ([]delivery.Decision, string, error) {
	return c.papers.DecisionsAfter(ctx, after, limit)
}
