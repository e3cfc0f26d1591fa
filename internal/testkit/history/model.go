package history

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
)

// state is what the operator knows of a register. It is comparable.
type state struct {
	token     uint32
	guessed   bool // a document was accepted whose answer nobody saw: token is not known
	blocked   bool
	slot      slot
	documents int
}

// slot is the last accepted document, whose repetition is recognized.
type slot struct {
	used    bool
	tokenIn uint32
	reqnum  uint16
	command int32
	key     string
	seen    bool // the answer is known
	token   uint32
	hash    [sha256.Size]byte
}

// step lets one event happen. The empty why means that it could.
func (s state) step(e *event) (next state, why string) {
	if e.request == nil {
		return s.do(e), ""
	}
	if e.answer == nil {
		return s.unseen(e.request), ""
	}
	if e.answer.Code != wire.CodeOK {
		return s, s.refused(e.request, e.answer)
	}
	if !e.request.Changing {
		return s.asked(e.request, e.answer)
	}
	if s.repeats(e.request) {
		return s.repeated(e.request, e.answer)
	}
	return s.accepted(e.request, e.answer)
}

// do lets an act happen. One whose end is not known may not have happened, but
// then it can as well stand at the very end of the history.
func (s state) do(e *event) state {
	if e.failed {
		return s
	}
	switch e.act.Kind {
	case fiscal.ActToken:
		s.token, s.guessed, s.slot = e.act.Token, e.ended == 0, slot{}
	case fiscal.ActBlock:
		s.blocked = true
	case fiscal.ActUnblock:
		s.blocked = false
	}
	return s
}

// unseen lets a request happen whose answer nobody saw: it is accepted when it
// can be. That it never happened is the same as that it came last.
func (s state) unseen(q *Request) state {
	if !q.Changing || s.repeats(q) || s.reuses(q) || s.blocked || s.guessed || q.Token != s.token {
		return s
	}
	s.slot = slot{used: true, tokenIn: q.Token, reqnum: q.ReqNum, command: q.Command, key: q.Key}
	s.token, s.guessed = 0, true
	s.documents++
	return s
}

// repeats: TOKEN, REQNUM and document are those of the slot.
func (s *state) repeats(q *Request) bool {
	return s.slot.used && q.Changing && q.ReqNum == s.slot.reqnum && q.Token == s.slot.tokenIn &&
		q.Command == s.slot.command && q.Key == s.slot.key
}

// reuses: the slot's REQNUM under the token that came after.
func (s *state) reuses(q *Request) bool {
	return s.slot.used && q.Changing && q.ReqNum == s.slot.reqnum && (q.Token == s.token && !s.guessed)
}

// could: the request may carry the register's token. While that is not known
// it can be any but the one of the document that nobody saw answered.
func (s *state) could(token uint32) bool {
	if s.guessed {
		return !s.slot.used || token != s.slot.tokenIn
	}
	return token == s.token
}

// repeated: the answer must be the first one, byte for byte.
func (s state) repeated(q *Request, a *Answer) (state, string) {
	switch {
	case !s.slot.seen:
		if a.Token == 0 {
			return s, "the token is 0"
		}
		s.slot.seen, s.slot.hash, s.slot.token = true, a.Hash, a.Token
		s.token, s.guessed = a.Token, false
	case a.Hash != s.slot.hash || a.Token != s.slot.token:
		return s, fmt.Sprintf("the repetition of %q got answer %x and token %08x, the first one %x and %08x",
			q.Key, a.Hash[:4], a.Token, s.slot.hash[:4], s.slot.token)
	}
	return s, ""
}

// accepted: a fresh document needs the current token, and moves it.
func (s state) accepted(q *Request, a *Answer) (state, string) {
	switch {
	case s.slot.used && q.ReqNum == s.slot.reqnum && q.Token == s.slot.tokenIn:
		return s, fmt.Sprintf("%q was accepted under TOKEN and REQNUM of %q", q.Key, s.slot.key)
	case s.reuses(q):
		return s, fmt.Sprintf("%q was accepted under the REQNUM of %q", q.Key, s.slot.key)
	case !s.could(q.Token):
		return s, fmt.Sprintf("%q was accepted with token %08x, the register has %s", q.Key, q.Token, s.tokenText())
	case s.blocked:
		return s, fmt.Sprintf("%q was accepted from a blocked register", q.Key)
	case a.Token == 0:
		return s, "the token is 0"
	}
	s.slot = slot{used: true, tokenIn: q.Token, reqnum: q.ReqNum, command: q.Command, key: q.Key, seen: true, token: a.Token, hash: a.Hash}
	s.token, s.guessed = a.Token, false
	s.documents++
	return s, ""
}

// asked: a question needs the current token, or the one before while the
// register may not have learned the current one; it moves nothing.
func (s state) asked(q *Request, a *Answer) (state, string) {
	switch {
	case !s.could(q.Token) && (!s.slot.used || q.Token != s.slot.tokenIn):
		return s, fmt.Sprintf("a question was answered with token %08x, the register has %s", q.Token, s.tokenText())
	case s.blocked:
		return s, "a question of a blocked register was answered"
	case a.Token != q.Token:
		return s, fmt.Sprintf("the answer to a question changed the token to %08x", a.Token)
	}
	if s.guessed && (!s.slot.used || q.Token != s.slot.tokenIn) {
		s.token, s.guessed = q.Token, false
	}
	return s, ""
}

// refused: was this refusal earned? It moves nothing, and gives back the token
// that came.
func (s *state) refused(q *Request, a *Answer) (why string) {
	if a.Token != q.Token {
		return fmt.Sprintf("refusal %d changed the token to %08x", a.Code, a.Token)
	}
	if a.Code == wire.CodeUnavailable || slices.Contains(q.MayRefuse, a.Code) && s.could(q.Token) && !s.repeats(q) {
		return ""
	}
	sameNumber := s.slot.used && q.Changing && q.ReqNum == s.slot.reqnum
	switch a.Code {
	case wire.CodeInvalidToken:
		if s.repeats(q) {
			return fmt.Sprintf("code 2 to a repetition of %q", q.Key)
		}
		if !s.guessed && q.Token == s.token {
			return "code 2 to the current token"
		}
		return ""
	case wire.CodeInvalidReqNum:
		if sameNumber && s.could(q.Token) && q.Token != s.slot.tokenIn {
			return ""
		}
	case wire.CodeInvalidRetry:
		if sameNumber && q.Token == s.slot.tokenIn && !s.repeats(q) {
			return ""
		}
	case wire.CodeBlocked:
		if s.blocked && !s.repeats(q) {
			return ""
		}
	}
	return fmt.Sprintf("code %d was not earned", a.Code)
}

func (s *state) tokenText() string {
	if s.guessed {
		return "one that nobody has seen"
	}
	return fmt.Sprintf("%08x", s.token)
}

func (s state) String() string {
	text := fmt.Sprintf("%d documents, token %s", s.documents, s.tokenText())
	if s.slot.used {
		text += fmt.Sprintf(", last %q (reqnum %d, token %08x)", s.slot.key, s.slot.reqnum, s.slot.tokenIn)
	}
	if s.blocked {
		text += ", blocked"
	}
	return text
}
