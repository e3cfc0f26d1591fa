package sandbox

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/time/rate"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
	"openofd/internal/web/ui"
)

// staff are the people at the screens: all of them have one password, and none
// is told from another.
type staff struct {
	hash    []byte // of the password, behind its salt
	hashing sync.Mutex
	guesses *rate.Limiter

	mu       sync.Mutex
	sessions map[[sha256.Size]byte]time.Time // guarded by mu; when each ends
}

const (
	cookieName  = "ofd-authority"
	langCookie  = "ofd-authority-lang"
	sessionFor  = 12 * time.Hour
	maxSessions = 1000
	saltBytes   = 16
	maxPassword = 128 // bytes
	minPassword = 8   // characters
)

// Wrong passwords: twenty at once, then one in six seconds, whoever guesses.
const (
	guessEvery = 6 * time.Second
	guessBurst = 20
)

// hashPassword is Argon2id with 19 MiB and two passes, about 20 ms of one core.
// Source: OWASP password storage.
func hashPassword(salt []byte, password string) []byte {
	return argon2.IDKey([]byte(password), salt, 2, 19*1024, 1, 32)
}

// setPassword reads the staff's password, sets it, or makes the first one.
func (s *Server) setPassword(ctx context.Context) error {
	p := &s.staff
	p.guesses, p.sessions = rate.NewLimiter(rate.Every(guessEvery), guessBurst), map[[sha256.Size]byte]time.Time{}
	password := s.cfg.Password
	if password != "" && (len([]rune(password)) < minPassword || len(password) > maxPassword) {
		return &fiscal.Error{Reason: fiscal.BadValue, Field: "password", Msg: fmt.Sprintf("the staff's password has %d characters at least", minPassword)}
	}
	return s.file.Write(ctx, func(tx *sqlitefile.Tx) error {
		text, err := setting(tx, "password")
		if err != nil {
			return err
		}
		if text != "" && password == "" {
			p.hash, err = hex.DecodeString(text)
			return err
		}
		if password == "" {
			var secret [10]byte
			if _, err := io.ReadFull(s.cfg.Rand, secret[:]); err != nil {
				return err
			}
			password = strings.ToLower(base32.StdEncoding.EncodeToString(secret[:]))
			s.madeOnce = password
		}
		salt := make([]byte, saltBytes)
		if _, err := io.ReadFull(s.cfg.Rand, salt); err != nil {
			return err
		}
		p.hash = append(salt, hashPassword(salt, password)...)
		return set(tx, "password", hex.EncodeToString(p.hash))
	})
}

// right reports whether a password is the staff's. Overloaded when too many were
// not.
func (s *Server) right(password string) (bool, error) {
	p := &s.staff
	p.hashing.Lock()
	defer p.hashing.Unlock()
	now := s.cfg.Now()
	if p.guesses.TokensAt(now) < 1 {
		return false, &fiscal.Error{Reason: fiscal.RateLimited, Field: "password"}
	}
	if len(password) <= maxPassword && subtle.ConstantTimeCompare(hashPassword(p.hash[:saltBytes], password), p.hash[saltBytes:]) == 1 {
		return true, nil
	}
	p.guesses.AllowN(now, 1)
	return false, nil
}

// begin opens a session and gives its token.
func (s *Server) begin() (string, error) {
	var secret [32]byte
	if _, err := io.ReadFull(s.cfg.Rand, secret[:]); err != nil {
		return "", err
	}
	token := hex.EncodeToString(secret[:])
	p := &s.staff
	p.mu.Lock()
	defer p.mu.Unlock()
	now := s.cfg.Now()
	for k, ends := range p.sessions {
		if !now.Before(ends) {
			delete(p.sessions, k)
		}
	}
	if len(p.sessions) >= maxSessions {
		clear(p.sessions)
	}
	p.sessions[sha256.Sum256([]byte(token))] = now.Add(sessionFor)
	return token, nil
}

// signedIn reports whether a request is of a session that is open.
func (s *Server) signedIn(r *http.Request) bool {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return false
	}
	p := &s.staff
	p.mu.Lock()
	defer p.mu.Unlock()
	return s.cfg.Now().Before(p.sessions[sha256.Sum256([]byte(c.Value))])
}

func (s *Server) cookie(w http.ResponseWriter, r *http.Request, name, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(age / time.Second), HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode,
	})
}

// doorPage asks for the password.
type doorPage struct {
	Refusal  string
	Password ui.Field
}

func (s *Server) signInPage(w http.ResponseWriter, r *http.Request) {
	s.showDoor(w, r, http.StatusOK, nil)
}

func (s *Server) showDoor(w http.ResponseWriter, r *http.Request, status int, err error) {
	l := s.locale(w, r)
	p := doorPage{Password: ui.Field{Name: "password", Key: "authority.password", Type: "password", Auto: "current-password", Max: maxPassword, Required: true}}
	if err != nil {
		p.Refusal = ui.ProblemOf(err, l).What
		if status == http.StatusUnauthorized {
			p.Refusal, p.Password.Wrong = "", l.T("authority.password.wrong")
		}
	}
	s.render.Room(w, r, status, "door.html", l.T("authority.signin"), ui.Frame{Locale: l}, p)
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	ok, err := s.right(r.PostFormValue("password"))
	switch {
	case err != nil:
		s.showDoor(w, r, http.StatusTooManyRequests, err)
		return
	case !ok:
		s.showDoor(w, r, http.StatusUnauthorized, errWrongPassword)
		return
	}
	token, err := s.begin()
	if err != nil {
		s.render.Error(w, r, err)
		return
	}
	s.cookie(w, r, cookieName, token, sessionFor)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

var errWrongPassword = &fiscal.Error{Of: fiscal.Unauthenticated, Field: "password"}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookieName); err == nil {
		s.staff.mu.Lock()
		delete(s.staff.sessions, sha256.Sum256([]byte(c.Value)))
		s.staff.mu.Unlock()
	}
	s.cookie(w, r, cookieName, "", -time.Second)
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
}
