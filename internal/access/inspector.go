package access

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"openofd/internal/fiscal"
)

// Inspector is what makes a person one of an authority's staff. They need no
// place in any organization and no contract: what they read they read on a
// ground, and each look is recorded before it is taken.
// Source: order 135 of 27.02.2015 items 5.7 and 6.8.
type Inspector struct {
	Authority string `json:"authority"` // which body they work for, in words
	// IIN is the number of the person that the certificate must bear: an IIN in
	// Kazakhstan, an INN in Russia.
	IIN fiscal.XIN `json:"iin"`
	// Serial, hexadecimal, is that of the only certificate that is taken; "" any
	// that bears the number. Issuer, likewise, must stand in its issuer's name.
	Serial string `json:"serial,omitempty"`
	Issuer string `json:"issuer,omitempty"`
}

// Bounds of what is written of inspectors, in characters.
const (
	maxAuthority = 200
	maxSerial    = 64
	maxIssuer    = 200
)

// Check brings what was typed into its form. Invalid, naming the field.
func (i *Inspector) Check() error {
	i.Authority, i.Issuer = strings.Join(strings.Fields(i.Authority), " "), strings.Join(strings.Fields(i.Issuer), " ")
	i.IIN = fiscal.XIN(strings.Join(strings.Fields(string(i.IIN)), ""))
	i.Serial = strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(i.Serial))
	switch {
	case i.Authority == "":
		return missing("authority")
	case !line(i.Authority, maxAuthority):
		return bad("authority", "is longer than 200 characters")
	case i.IIN == "":
		return missing("iin")
	case len(i.IIN) != 12 || fiscal.CheckXIN(i.IIN, "iin") != nil && fiscal.CheckINN(i.IIN, "iin") != nil:
		return bad("iin", "is no number of a person")
	case strings.Trim(i.Serial, "0123456789abcdef") != "" || len(i.Serial) > maxSerial:
		return bad("serial", "is no hexadecimal number")
	case !line(i.Issuer, maxIssuer):
		return bad("issuer", "is longer than 200 characters")
	}
	return nil
}

// line reports whether a text is one line of at most so many characters.
func line(s string, most int) bool {
	return utf8.RuneCountInString(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// The acts of and around inspectors.
const (
	ActInspectorAdded   Act = "inspector_added"
	ActInspectionOpened Act = "inspection_opened"
	ActInspectionClosed Act = "inspection_closed"
	ActInspected        Act = "inspected"          // looked at something
	ActInspectedFile    Act = "inspected_file"     // took a list or a document as a file
	ActInspectedSearch  Act = "inspected_searched" // looked for something
)

// AddInspector makes a person who inspects for an authority. in.Code is not
// used; without a password nobody can sign in until they set one by a letter.
//
// Errors: Invalid with the Field of what is wrong; AlreadyThere with "email".
func (o Operator) AddInspector(ctx context.Context, in NewUser, of Inspector) (u User, err error) {
	if in.Email, err = CanonicalEmail(in.Email); err != nil {
		return u, err
	}
	if in.Name, err = personName(in.Name); err != nil {
		return u, err
	}
	if err := of.Check(); err != nil {
		return u, err
	}
	u = User{Email: in.Email, Name: in.Name, Language: in.Language, Hash: o.nobody, Created: o.now(), Changed: o.now(), Inspector: &of}
	if in.Password != "" {
		if err := checkPassword(in.Password, in.Email, in.Name); err != nil {
			return u, err
		}
		if u.Hash, err = o.passwords.HashFor(ctx, in.Password); err != nil {
			return u, err
		}
	}
	err = o.store.WriteAccess(ctx, func(tx Tx) error {
		if err := tx.AddUser(&u); err != nil {
			return err
		}
		return tx.Record(o.note(&u, ActInspectorAdded, of.Authority))
	})
	return u, err
}

// Inspectors lists them by number from after (exclusive), limit at most.
func (o Operator) Inspectors(ctx context.Context, after UserID, limit int) (all []User, err error) {
	err = o.store.ReadAccess(ctx, func(tx Tx) (err error) {
		all, err = tx.Inspectors(after, limit)
		return err
	})
	return all, err
}

// End shuts an inspector out at once, or with on lets them in again. NotFound
// with the Field "user" for who is none.
func (o Operator) EndInspector(ctx context.Context, email string, on bool) error {
	_, err := o.change(ctx, email, func(tx Tx, u *User) error {
		if u.Inspector == nil {
			return &fiscal.Error{Reason: fiscal.NothingThere, Field: "user"}
		}
		if u.Disabled == !on {
			return nil
		}
		act := ActUserDisabled
		if u.Disabled = !on; on {
			act = ActUserEnabled
		}
		return o.changed(tx, u, act)
	})
	return err
}

// byStaff is what one of the operator's staff does from a page.
func (s *Service) byStaff(a *Actor) (Operator, error) {
	if err := a.MustStaff(); err != nil {
		return Operator{}, err
	}
	return Operator{Service: s, By: a.User.Email}, nil
}

// AddInspector makes an inspector, who is sent a letter to set a password by.
// As Operator's; Denied for who is not of the staff.
func (s *Service) AddInspector(ctx context.Context, a *Actor, in NewUser, of Inspector) (User, error) {
	o, err := s.byStaff(a)
	if err != nil {
		return User{}, err
	}
	in.Password = ""
	u, err := o.AddInspector(ctx, in, of)
	if err != nil {
		return u, err
	}
	return u, s.Forgot(ctx, u.Email, u.Language)
}

// Inspectors lists them for the operator's staff.
func (s *Service) Inspectors(ctx context.Context, a *Actor, after UserID, limit int) ([]User, error) {
	o, err := s.byStaff(a)
	if err != nil {
		return nil, err
	}
	return o.Inspectors(ctx, after, limit)
}

// EndInspector is Operator's, for the operator's staff.
func (s *Service) EndInspector(ctx context.Context, a *Actor, email string, on bool) error {
	o, err := s.byStaff(a)
	if err != nil {
		return err
	}
	return o.EndInspector(ctx, email, on)
}

// MustInspect is Denied unless the actor is an authority's inspector who proved
// so by password and certificate.
func (a *Actor) MustInspect() error {
	if a.User.Inspector == nil || a.User.Disabled || !a.Strong || a.Key != 0 {
		return &fiscal.Error{Of: fiscal.Denied, Field: "inspector"}
	}
	return nil
}
