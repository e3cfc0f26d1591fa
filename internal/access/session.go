package access

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"openofd/internal/fiscal"
)

// SessionID is the hash of the token that a browser holds: who reads the
// database can take nobody's place.
type SessionID [32]byte

// Session is one browser of one person.
type Session struct {
	ID      SessionID `json:"-"`
	User    UserID    `json:"-"`
	Half    bool      `json:"half,omitempty"`   // the second factor is still owed
	Strong  bool      `json:"strong,omitempty"` // proved by two factors
	Tries   int       `json:"tries,omitempty"`
	Started time.Time `json:"started"`
	Seen    time.Time `json:"-"` // about, see seenStep
	Ends    time.Time `json:"-"`
	Address string    `json:"address"`
	Agent   string    `json:"agent"`
	// Inspection is the ground on which an inspector looks, 0 none yet.
	Inspection InspectionID `json:"inspection,omitempty"`
	// Taxpayer is the organization last chosen, 0 none.
	Taxpayer fiscal.TaxpayerID `json:"taxpayer,omitempty"`
}

// How long sessions live.
const (
	sessionIdle = 12 * time.Hour
	staffIdle   = 30 * time.Minute
	sessionLife = 30 * 24 * time.Hour
	halfLife    = 10 * time.Minute
	halfTries   = 5
	seenStep    = time.Minute // a look newer than this is not written
	maxSessions = 50          // of one person; the oldest end
	maxHalves   = 5           // of them with the second factor owed
	maxAgent    = 300         // bytes
)

// TokenLen is the length of a session's token in base64url characters.
const TokenLen = 43

// newToken makes a token and its session's ID.
func newToken(rand io.Reader) (string, SessionID, error) {
	var b [32]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", SessionID{}, fmt.Errorf("randomness for a session: %w", err)
	}
	token := base64.RawURLEncoding.EncodeToString(b[:])
	return token, sha256.Sum256([]byte(token)), nil
}

// Visit is where a request comes from.
type Visit struct {
	Address string
	Agent   string
}

// proof is how well a session was proved.
type proof int

const (
	owesSecond proof = iota
	byPassword
	byTwo         // factors
	byCertificate // and the password: an inspector
)

// idle is how long a person's session lives without a request.
func idle(u *User) time.Duration {
	if u.Staff || u.Inspector != nil {
		return staffIdle
	}
	return sessionIdle
}

// begin opens a session for a person.
func (s *Service) begin(tx Tx, u *User, v Visit, by proof) (string, error) {
	token, id, err := newToken(s.rand)
	if err != nil {
		return "", err
	}
	if u.Inspector != nil && by != byCertificate { // nothing else opens what they see
		by = owesSecond
	}
	now := s.now()
	n := Session{ID: id, User: u.ID, Half: by == owesSecond, Strong: by >= byTwo, Started: now, Seen: now, Ends: now.Add(idle(u)),
		Address: v.Address, Agent: strings.ToValidUTF8(v.Agent[:min(len(v.Agent), maxAgent)], "")}
	if n.Half {
		n.Ends = now.Add(halfLife)
	}
	all, err := tx.Sessions(u.ID)
	if err != nil {
		return "", err
	}
	// Who knows only the password must not end the sessions of who knows more.
	room := map[bool]int{false: maxSessions - 1, true: maxHalves - 1}
	for _, x := range all {
		if room[x.Half]--; room[x.Half] < 0 {
			if err := tx.RemoveSession(x.ID); err != nil {
				return "", err
			}
		}
	}
	if ms, err := tx.Memberships(u.ID); err != nil {
		return "", err
	} else if len(ms) > 0 {
		n.Taxpayer = ms[0].Taxpayer
	}
	return token, tx.PutSession(n)
}

// Resume is the actor behind a token. Unauthenticated if there is none, it has
// ended, the second factor is owed, or the person was shut out.
func (s *Service) Resume(ctx context.Context, token string, v Visit) (Actor, error) {
	var a Actor
	if len(token) != TokenLen {
		return a, errNoSession
	}
	id := SessionID(sha256.Sum256([]byte(token)))
	now := s.now()
	var found Session
	err := s.store.ReadAccess(ctx, func(tx Tx) (err error) {
		if found, err = tx.Session(id); err != nil {
			return err
		}
		if found.Half || !now.Before(found.Ends) {
			return errNoSession
		}
		if a.User, err = tx.User(found.User); err != nil {
			return err
		}
		if a.User.Disabled || now.Sub(found.Seen) >= idle(&a.User)+seenStep {
			return errNoSession
		}
		if found.Inspection != 0 && a.User.Inspector != nil {
			i, err := tx.Inspection(found.Inspection)
			if err != nil {
				return err
			}
			if i.Closed.IsZero() && i.User == a.User.ID {
				a.Inspection = &i
			}
		}
		if found.Taxpayer != 0 {
			a.Member, err = tx.Member(found.User, found.Taxpayer)
			if errors.Is(err, fiscal.NotFound) { // removed since
				found.Taxpayer, err = 0, nil
			}
		}
		return err
	})
	if errors.Is(err, fiscal.NotFound) {
		return Actor{}, errNoSession
	}
	if err != nil {
		return Actor{}, err
	}
	a.Session, a.Address, a.Taxpayer, a.Strong = id, v.Address, found.Taxpayer, found.Strong
	if now.Sub(found.Seen) >= seenStep {
		err = s.store.WriteAccess(ctx, func(tx Tx) error {
			x, err := tx.Session(id) // as it is by now: ended, or in another organization
			if err != nil {
				return err
			}
			x.Seen, x.Ends = now, minTime(now.Add(idle(&a.User)), x.Started.Add(sessionLife))
			return tx.PutSession(x)
		})
		if errors.Is(err, fiscal.NotFound) {
			return Actor{}, errNoSession
		}
	}
	return a, err
}

var errNoSession = &fiscal.Error{Of: fiscal.Unauthenticated, Field: "session"}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Sessions lists the person's browsers, newest first.
func (s *Service) Sessions(ctx context.Context, a *Actor) (live []Session, err error) {
	err = s.store.ReadAccess(ctx, func(tx Tx) error {
		all, err := tx.Sessions(a.User.ID)
		for _, x := range all {
			if !x.Half && s.now().Before(x.Ends) {
				live = append(live, x)
			}
		}
		return err
	})
	return live, err
}

// EndSession ends one of the person's own sessions. NotFound if it is not
// theirs.
func (s *Service) EndSession(ctx context.Context, a *Actor, id SessionID) error {
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		x, err := tx.Session(id)
		if err == nil && x.User != a.User.ID {
			err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "session"}
		}
		if err != nil {
			return err
		}
		act := ActSessionEnded
		if id == a.Session {
			act = ActSignedOut
		}
		if err := tx.RemoveSession(id); err != nil {
			return err
		}
		return tx.Record(s.of(&a.User, a.Address, act, "", x.Agent))
	})
}

// EndOthers ends all of the person's sessions but this one.
func (s *Service) EndOthers(ctx context.Context, a *Actor) error {
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		n, err := endSessions(tx, a.User.ID, a.Session)
		if err != nil || n == 0 {
			return err
		}
		return tx.Record(s.of(&a.User, a.Address, ActSessionEnded, "", fmt.Sprintf("%d", n)))
	})
}

// endSessions ends all sessions of a person but one.
func endSessions(tx Tx, u UserID, but SessionID) (n int, err error) {
	all, err := tx.Sessions(u)
	if err != nil {
		return 0, err
	}
	for _, x := range all {
		if x.ID == but {
			continue
		}
		if err := tx.RemoveSession(x.ID); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Choose makes another organization of the person the one that the session acts
// in. NotFound if they have no place there.
func (s *Service) Choose(ctx context.Context, a *Actor, t fiscal.TaxpayerID) error {
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		if _, err := tx.Member(a.User.ID, t); err != nil {
			return err
		}
		x, err := tx.Session(a.Session)
		if err != nil {
			return err
		}
		x.Taxpayer = t
		return tx.PutSession(x)
	})
}

// sweepStep is how much one transaction of Sweep removes: others wait behind it.
const sweepStep = 1000

// Sweep removes sessions and codes that ended and answers that were kept long
// enough, and tells how many.
func (s *Service) Sweep(ctx context.Context) (n int, err error) {
	replies := func(tx Tx, t time.Time, limit int) (int, error) { return tx.RemoveReplies(t.Add(-replyLife), limit) }
	for _, remove := range []func(Tx, time.Time, int) (int, error){Tx.RemoveSessions, Tx.RemoveCodes, replies} {
		for done := sweepStep; done == sweepStep; n += done {
			err := s.store.WriteAccess(ctx, func(tx Tx) (err error) {
				done, err = remove(tx, s.now(), sweepStep)
				return err
			})
			if err != nil {
				return n, err
			}
		}
	}
	return n, nil
}
