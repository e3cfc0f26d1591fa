package link

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
)

// status is an answer that is none of the good ones.
type status struct {
	code   int
	detail string
}

func (s *status) Error() string {
	words := strconv.Itoa(s.code) + " " + http.StatusText(s.code)
	if s.detail != "" {
		words += ": " + s.detail
	}
	return words
}

// final reports whether the far end says that it will never take this.
func (s *status) final() bool {
	return s.code == http.StatusUnprocessableEntity || s.code == http.StatusRequestEntityTooLarge
}

// doubted reports whether a refusal may come from a clock that is wrong: who
// reads the wrong day finds wrong what was signed on the right one.
func (l *Link) doubted(s *status) bool {
	return s.code == http.StatusUnprocessableEntity && l.ClockOff().Abs() >= clockOffBy
}

// Detail is what the far end says of an error, or the error's own words.
func Detail(err error) string {
	var s *status
	if errors.As(err, &s) {
		return cmp.Or(s.detail, s.Error())
	}
	return brief(err.Error())
}

// Foreign is the error of an answer that belongs to another question.
func (l *Link) Foreign(what string) error { return l.worded(trouble(delivery.ForeignAnswer, what)) }

// Rubbish is the error of an answer whose form is good and whose content is not.
func (l *Link) Rubbish(what string) error { return l.worded(trouble(delivery.Rubbish, what)) }

func trouble(t delivery.Trouble, what string) error { return fmt.Errorf("%w: %s", t, what) }

// worded makes a failure one of ours.
func (l *Link) worded(err error) error {
	if err == nil {
		return nil
	}
	var s *status
	switch refused := errors.As(err, &s) && s.final(); {
	case refused && !l.doubted(s):
		return &fiscal.Error{Of: fiscal.Invalid, Field: l.cfg.Name, Msg: "refused", Err: err}
	case refused:
		err = fmt.Errorf("%w by %v: %w", delivery.WrongClock, l.ClockOff(), err)
	case !errors.As(err, new(delivery.Trouble)):
		err = fmt.Errorf("%w: %w", troubleOf(err), err)
	}
	return &fiscal.Error{Of: fiscal.Unavailable, Field: l.cfg.Name, Msg: "the far end did not take it", Err: err}
}

// troubleOf tells what lies behind an error of the transport or of reading.
func troubleOf(err error) delivery.Trouble {
	var s *status
	var untrusted *tls.CertificateVerificationError
	var op *net.OpError
	var timeout net.Error
	var bad *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &s) && s.code >= 300 && s.code < 400:
		return delivery.Elsewhere
	case errors.As(err, &s):
		return delivery.Failing
	case errors.As(err, &untrusted), errors.As(err, new(x509.CertificateInvalidError)), errors.As(err, new(x509.UnknownAuthorityError)), errors.As(err, new(x509.HostnameError)):
		return delivery.Untrusted
	case errors.As(err, &op) && op.Op == "remote error": // an alert of the handshake: what it checks is our certificate
		return delivery.Unwelcome
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return delivery.TooLate
	case errors.Is(err, io.ErrUnexpectedEOF):
		return delivery.CutAnswer
	case errors.As(err, &bad), errors.As(err, &kind):
		return delivery.Rubbish
	}
	return delivery.NoWay
}
