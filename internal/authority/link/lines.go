package link

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"

	"openofd/internal/delivery"
)

// Lines sends documents as lines of JSON, each ending in a line feed, and tells
// which of them were refused.
type Lines struct {
	*Link
	Path  string
	Most  int // lines of one request; 0 means 1024
	Bytes int // of one request, unpacked, unless one line is longer; 0 means 4 MiB
}

var _ delivery.Sender = Lines{}

// taken is the answer to a batch.
type taken struct {
	Batch   string `json:"batch"` // Idempotency-Key of the batch; "" it does not say
	Taken   *int   `json:"taken"`
	Again   *int   `json:"again"`
	Refused []struct {
		ID  string `json:"id"`
		Why string `json:"why"`
	} `json:"refused"`
}

// Send implements delivery.Sender. Requests go one behind the other, so that
// documents take effect in their order.
//
// Errors: Unavailable; documents of earlier requests may then have been taken,
// and are known again.
func (l Lines) Send(ctx context.Context, docs []delivery.Document) (refused []delivery.Refusal, err error) {
	for len(docs) > 0 {
		n, size := 0, 0
		for n < len(docs) && n < l.most() && (n == 0 || size+len(docs[n].Body) <= l.bytes()) {
			size += len(docs[n].Body)
			n++
		}
		more, err := l.send(ctx, docs[:n], size)
		if err != nil {
			return nil, l.worded(err)
		}
		refused, docs = append(refused, more...), docs[n:]
	}
	return refused, nil
}

func (l Lines) most() int {
	if l.Most > 0 {
		return l.Most
	}
	return 1024
}

func (l Lines) bytes() int {
	if l.Bytes > 0 {
		return l.Bytes
	}
	return 4 << 20
}

// send makes one request of documents whose bodies have size bytes.
func (l Lines) send(ctx context.Context, docs []delivery.Document, size int) ([]delivery.Refusal, error) {
	body := make([]byte, 0, size)
	for i := range docs {
		body = append(body, docs[i].Body...)
	}
	key := sha256.Sum256(body) // the same lines have the same key
	var a taken
	name := hex.EncodeToString(key[:16])
	err := l.do(ctx, http.MethodPost, l.Path, "application/x-ndjson", name, body, &a)
	var s *status
	if errors.As(err, &s) && s.final() && !l.doubted(s) {
		return l.divide(ctx, docs, s)
	}
	if err != nil {
		return nil, err
	}
	if a.Batch != "" && a.Batch != name {
		return nil, trouble(delivery.ForeignAnswer, fmt.Sprintf("to batch %q", brief(a.Batch)))
	}
	return a.judge(docs)
}

// divide finds out which of the documents is to blame for a refusal of all.
func (l Lines) divide(ctx context.Context, docs []delivery.Document, why *status) ([]delivery.Refusal, error) {
	if len(docs) == 1 {
		return []delivery.Refusal{{ID: docs[0].ID, Why: why.Error()}}, nil
	}
	var refused []delivery.Refusal
	half := len(docs) / 2
	for _, part := range [][]delivery.Document{docs[:half], docs[half:]} {
		size := 0
		for i := range part {
			size += len(part[i].Body)
		}
		some, err := l.send(ctx, part, size)
		if err != nil {
			return nil, err
		}
		refused = append(refused, some...)
	}
	return refused, nil
}

// judge holds an answer against what was sent. One that does not account for
// every document, each once, is rubbish: nothing is known of any.
func (a *taken) judge(docs []delivery.Document) ([]delivery.Refusal, error) {
	if a.Taken == nil || a.Again == nil || *a.Taken < 0 || *a.Again < 0 || *a.Taken > len(docs) || *a.Again > len(docs) ||
		*a.Taken+*a.Again+len(a.Refused) != len(docs) {
		return nil, trouble(delivery.Rubbish, fmt.Sprintf("it does not account for %d documents", len(docs)))
	}
	if len(a.Refused) == 0 {
		return nil, nil
	}
	sent := make(map[string]bool, len(docs))
	for i := range docs {
		sent[docs[i].ID] = true
	}
	refused := make([]delivery.Refusal, 0, len(a.Refused))
	for _, r := range a.Refused {
		if !sent[r.ID] {
			return nil, trouble(delivery.ForeignAnswer, fmt.Sprintf("it refuses %q, which was not sent or is refused twice", brief(r.ID)))
		}
		delete(sent, r.ID)
		refused = append(refused, delivery.Refusal{ID: r.ID, Why: brief(r.Why)})
	}
	return refused, nil
}
