package signature

import (
	"errors"
	"fmt"

	"openofd/internal/fiscal"
)

// Refusal is why a signature is not accepted. It travels inside a
// *fiscal.Error, from which RefusalOf takes it out.
type Refusal struct {
	Reason Reason
	// Detail names what was found, for logs and makers of software, in English:
	// neither names nor numbers of people.
	Detail string
	// Owner is whom the certificate names, as far as it could be read; nil
	// before that. Nothing of it is proven.
	Owner *Owner
}

func (r *Refusal) Error() string {
	if r.Detail == "" {
		return r.Reason.Error()
	}
	return r.Reason.Error() + ": " + r.Detail
}

// Unwrap leads errors.Is to the Reason and its Kind.
func (r *Refusal) Unwrap() error { return r.Reason }

// RefusalOf returns the refusal in an error, or nil if it holds none: then the
// signature was not judged at all.
func RefusalOf(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}

// refuse makes a refusal; the detail is formatted.
func refuse(reason Reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// crossing wraps a refusal for its way to another package.
func crossing(r *Refusal) error {
	return &fiscal.Error{Of: r.Reason.Kind(), Field: "signature", Err: r}
}
