package till

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"openofd/internal/fiscal"
)

// Outlet is a place of the company where registers stand.
type Outlet struct {
	ID          int64       `json:"id"`
	Title       fiscal.Text `json:"title"`
	AddressText fiscal.Text `json:"address_text"`
}

// Enrolled is a register of the company at the operator.
type Enrolled struct {
	ID     fiscal.RegisterID `json:"id"`
	Status string            `json:"status"` // active, blocked, deregistered
	Card   struct {
		Name               string `json:"name"`
		Model              string `json:"model"`
		SerialNumber       string `json:"serial_number"`
		ManufactureYear    int    `json:"manufacture_year"`
		RegistrationNumber string `json:"registration_number"`
		Provisional        bool   `json:"provisional"`
		Outlet             int64  `json:"outlet"`
	} `json:"card"`
}

// Ours reports whether it is a software register, which a till can connect.
func (e *Enrolled) Ours() bool { return e.Card.Model == Model }

// Application is one to the authority, as the operator keeps it.
type Application struct {
	ID                 int64             `json:"id"`
	Register           fiscal.RegisterID `json:"register"`
	Status             string            `json:"status"` // draft, sent, waiting, registered, refused, withdrawn
	Form               ApplicationForm   `json:"-"`
	Raw                json.RawMessage   `json:"form"` // all of the form, as the operator has it
	Fields             []ToldField       `json:"fields"`
	Number             string            `json:"number"`
	RegistrationNumber string            `json:"registration_number"`
	Why                fiscal.Text       `json:"why"`
	SentAt             time.Time         `json:"sent_at"`
}

// ApplicationForm is what of a form is shown for checking.
type ApplicationForm struct {
	XIN             string      `json:"xin"`
	Title           fiscal.Text `json:"title"`
	LegalAddress    fiscal.Text `json:"legal_address"`
	OutletTitle     fiscal.Text `json:"outlet_title"`
	OutletAddress   fiscal.Text `json:"outlet_address"`
	Name            string      `json:"name"`
	Model           string      `json:"model"`
	SerialNumber    string      `json:"serial_number"`
	ManufactureYear int         `json:"manufacture_year"`
	Connection      string      `json:"connection"`
}

// read takes the form apart.
func (a *Application) read() error {
	if err := json.Unmarshal(a.Raw, &a.Form); err != nil {
		return unreachable(err)
	}
	return nil
}

// Outlets lists the company's.
func (t *Till) Outlets(ctx context.Context, s *Seat, lang string) ([]Outlet, error) {
	o, err := t.office(s, lang)
	if err != nil {
		return nil, err
	}
	return list[Outlet](ctx, o, "/outlets", 1000)
}

// AddOutlet adds an outlet. once names the form it came from: sent twice, it is
// added once.
//
// Source: requirements E-049 to E-058.
func (t *Till) AddOutlet(ctx context.Context, s *Seat, lang, once, title string, p Place) error {
	o, err := t.office(s, lang)
	if err != nil {
		return err
	}
	in := struct {
		Title   fiscal.Text `json:"title"`
		Address Place       `json:"address"`
	}{fiscal.Text{RU: title}, p}
	return o.do(ctx, request{method: http.MethodPost, path: "/outlets", in: in, once: cut(once, 64)})
}

// Enrolled lists the company's registers, and the newest application of each.
//
// Source: requirements E-048, E-077, E-081.
func (t *Till) Enrolled(ctx context.Context, s *Seat, lang string) ([]Enrolled, map[fiscal.RegisterID]Application, error) {
	o, err := t.office(s, lang)
	if err != nil {
		return nil, nil, err
	}
	registers, err := list[Enrolled](ctx, o, "/registers?limit=200", 1000)
	if err != nil {
		return nil, nil, err
	}
	all, err := seen(list[Application](ctx, o, "/applications?kind=register&limit=200", 1000))
	newest := make(map[fiscal.RegisterID]Application, len(all))
	for _, a := range all {
		if a.ID > newest[a.Register].ID && a.Status != "withdrawn" {
			newest[a.Register] = a
		}
	}
	return registers, newest, err
}

// seen is a list of what a person may not see at all: an empty one.
func seen(all []Application, err error) ([]Application, error) {
	var told *Told
	if errors.As(err, &told) && told.Status == http.StatusForbidden {
		return nil, nil
	}
	return all, err
}

// Enlisted is one register of the company at the operator, with its newest
// application; an application with the ID 0 is none.
func (t *Till) Enlisted(ctx context.Context, s *Seat, lang string, id fiscal.RegisterID) (e Enrolled, a Application, err error) {
	o, err := t.office(s, lang)
	if err != nil {
		return e, a, err
	}
	if err := o.do(ctx, request{method: http.MethodGet, path: fmt.Sprintf("/registers/%d", id), out: &e}); err != nil {
		return e, a, err
	}
	all, err := seen(list[Application](ctx, o, fmt.Sprintf("/applications?kind=register&register=%d", id), 100))
	for _, one := range all {
		if one.ID > a.ID && one.Status != "withdrawn" {
			a = one
		}
	}
	if err == nil && a.ID != 0 {
		err = a.read()
	}
	return e, a, err
}

// Enrol adds a software register at an outlet and drafts the application for
// it. It can be asked again: a register is added once for its serial number.
//
// Errors: Invalid with the Field "serial_number" if it is none of NewSerial's.
// Source: requirements E-059 to E-072.
func (t *Till) Enrol(ctx context.Context, s *Seat, lang string, outlet int64, name, serial string, year int) (fiscal.RegisterID, error) {
	o, err := t.office(s, lang)
	if err != nil {
		return 0, err
	}
	if !ValidSerial(serial) {
		return 0, bad("serial_number", "%q", serial)
	}
	in := struct {
		Outlet int64  `json:"outlet"`
		Name   string `json:"name"`
		Model  string `json:"model"`
		Serial string `json:"serial_number"`
		Year   int    `json:"manufacture_year"`
	}{outlet, name, Model, serial, year}
	if outlet <= 0 {
		return 0, &fiscal.Error{Reason: fiscal.MissingParameter, Field: "outlet"}
	}
	if name == "" {
		return 0, &fiscal.Error{Reason: fiscal.MissingParameter, Field: "name"}
	}
	var made struct {
		ID fiscal.RegisterID `json:"id"`
	}
	if err := o.do(ctx, request{method: http.MethodPost, path: "/registers", in: in, out: &made, once: "register-" + serial}); err != nil {
		return 0, err
	}
	_, err = t.Apply(ctx, s, lang, made.ID)
	return made.ID, err
}

// Apply drafts an application for a register, with a wired connection, as
// software registers have. Source: requirement E-072.
func (t *Till) Apply(ctx context.Context, s *Seat, lang string, id fiscal.RegisterID) (a Application, err error) {
	o, err := t.office(s, lang)
	if err != nil {
		return a, err
	}
	in := struct {
		Register fiscal.RegisterID `json:"register"`
		Kind     string            `json:"kind"`
	}{id, "register"}
	if err := o.do(ctx, request{method: http.MethodPost, path: "/applications", in: in, out: &a}); err != nil {
		return a, err
	}
	form := map[string]any{}
	if err := json.Unmarshal(a.Raw, &form); err != nil {
		return a, unreachable(err)
	}
	form["connection"] = string(fiscal.ConnectionWired)
	if err := o.do(ctx, request{method: http.MethodPut, path: "/applications/" + strconv.FormatInt(a.ID, 10), in: form, out: &a}); err != nil {
		return a, err
	}
	err = a.read()
	return a, err
}

// ApplicationContent are the very bytes of an application that are to be signed.
//
// Errors: Invalid, with every field in a *Told, while something is wrong.
// Source: requirement E-075.
func (t *Till) ApplicationContent(ctx context.Context, s *Seat, lang string, id int64) (b []byte, err error) {
	o, err := t.office(s, lang)
	if err != nil {
		return nil, err
	}
	err = o.do(ctx, request{method: http.MethodGet, path: fmt.Sprintf("/applications/%d/content", id), out: &b})
	return b, err
}

// SignApplication brings the signature of an application; it goes to the
// authority.
//
// Source: requirements E-075 to E-078.
func (t *Till) SignApplication(ctx context.Context, s *Seat, lang string, id int64, signature []byte) error {
	o, err := t.office(s, lang)
	if err != nil {
		return err
	}
	in := struct {
		Signature []byte `json:"signature"`
	}{signature}
	return o.do(ctx, request{method: http.MethodPost, path: fmt.Sprintf("/applications/%d/signature", id), in: in})
}

// AgainApplication makes a new draft of an application that was refused.
//
// Source: requirement E-084.
func (t *Till) AgainApplication(ctx context.Context, s *Seat, lang string, id int64) error {
	o, err := t.office(s, lang)
	if err != nil {
		return err
	}
	return o.do(ctx, request{method: http.MethodPost, path: fmt.Sprintf("/applications/%d/again", id)})
}

// ConnectEnrolled has the operator make a token and connects the register with
// it. The token is shown to nobody; where something goes wrong, another is made.
//
// Errors: those of Connect.
// Source: requirements E-088, E-091 to E-093.
func (t *Till) ConnectEnrolled(ctx context.Context, s *Seat, lang string, id fiscal.RegisterID) error {
	o, err := t.office(s, lang)
	if err != nil {
		return err
	}
	var made struct {
		Token string `json:"token"`
	}
	if err := o.do(ctx, request{method: http.MethodPost, path: fmt.Sprintf("/registers/%d/token", id), out: &made}); err != nil {
		return err
	}
	token, err := strconv.ParseUint(made.Token, 10, 32)
	if err != nil {
		return unreachable(err)
	}
	return t.Connect(ctx, s, id, uint32(token))
}
