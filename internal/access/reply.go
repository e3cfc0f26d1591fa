package access

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"openofd/internal/fiscal"
)

// Reply is what became of a request that a program named, so that the same
// request under the same name is done once. What was answered is sealed: an
// answer may hold a register's token.
type Reply struct {
	Key    APIKeyID     `json:"-"`
	Name   string       `json:"-"` // that the program chose
	Began  time.Time    `json:"-"`
	Asked  [32]byte     `json:"asked"`            // hash of the request
	SealBy fiscal.KeyID `json:"seal_by,omitzero"` // 0: there is no answer yet
	Sealed []byte       `json:"sealed,omitempty"`
}

// Bounds of what is kept of answers.
const (
	replyLife     = 24 * time.Hour
	replyPatience = 2 * time.Minute // a request under way for longer was lost with its node
	maxReplies    = 10_000          // of one key
	maxReply      = 64 << 10        // of one answer, in bytes
	maxReplyName  = 128             // bytes
)

// Once begins a request that a program named. If the same was answered before,
// that answer is given instead, with again. Otherwise the request may go on, and
// Replied or Forgo ends it.
//
// Errors: BadValue for what is no name; RetryDiffers if another request has the
// name; Conflict while the same is under way; RateLimited if the key has named
// very many. The Field is "Idempotency-Key".
func (s *Service) Once(ctx context.Context, a *Actor, name string, request []byte) (answer []byte, again bool, err error) {
	const field = "Idempotency-Key"
	if name == "" || len(name) > maxReplyName || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, false, bad(field, "1 to 128 visible characters of ASCII")
	}
	now, asked := s.now(), sha256.Sum256(request)
	var had Reply
	err = s.store.WriteAccess(ctx, func(tx Tx) error {
		had, err = tx.Reply(a.Key, name)
		switch {
		case errors.Is(err, fiscal.NotFound):
			n, err := tx.Replies(a.Key)
			if err != nil {
				return err
			}
			if n >= maxReplies {
				return &fiscal.Error{Reason: fiscal.RateLimited, Field: field}
			}
		case err != nil:
			return err
		case now.Sub(had.Began) >= replyLife: // not yet swept away
		case had.Asked != asked:
			return &fiscal.Error{Reason: fiscal.RetryDiffers, Field: field}
		case had.SealBy != 0:
			again = true
			return nil
		case now.Sub(had.Began) < replyPatience:
			return &fiscal.Error{Of: fiscal.Conflict, Field: field, Msg: "the same request is under way"}
		}
		return tx.PutReply(Reply{Key: a.Key, Name: name, Began: now, Asked: asked})
	})
	if err != nil || !again {
		return nil, false, err
	}
	k, err := s.keys.ByID(had.SealBy)
	if err != nil {
		return nil, false, err
	}
	if answer, err = openFor(&k, replyOwner(&had), had.Sealed); err != nil {
		return nil, false, &fiscal.Error{Of: fiscal.Corrupt, Field: "reply", Msg: fmt.Sprintf("the answer of key %d does not open", a.Key), Err: err}
	}
	return answer, true, nil
}

// replyOwner binds an answer to its request.
func replyOwner(r *Reply) []byte {
	b := binary.BigEndian.AppendUint64([]byte("reply\x00"), uint64(r.Key))
	return slices.Concat(b, r.Asked[:], []byte(r.Name))
}

// Replied keeps the answer to a request that Once let go on, for a day.
func (s *Service) Replied(ctx context.Context, a *Actor, name string, request, answer []byte) error {
	if len(answer) > maxReply {
		return &fiscal.Error{Of: fiscal.Internal, Field: "reply", Msg: fmt.Sprintf("an answer of %d bytes is not kept", len(answer))}
	}
	k, err := s.keys.At(fiscal.KeyForAccess, s.now())
	if err != nil {
		return err
	}
	r := Reply{Key: a.Key, Name: name, Asked: sha256.Sum256(request), SealBy: k.ID}
	if r.Sealed, err = sealFor(&k, s.rand, replyOwner(&r), answer); err != nil {
		return err
	}
	r.Began = s.now()
	return s.store.WriteAccess(ctx, func(tx Tx) error { return tx.PutReply(r) })
}

// Forgo ends a request that was refused: it changed nothing, and may be made
// again under the same name.
func (s *Service) Forgo(ctx context.Context, a *Actor, name string) error {
	return s.store.WriteAccess(ctx, func(tx Tx) error { return tx.RemoveReply(a.Key, name) })
}
