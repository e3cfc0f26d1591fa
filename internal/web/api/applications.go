package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// ApplicationForm is what an application says. Whatever is told is kept in a
// draft; what is wrong is named.
type ApplicationForm struct {
	XIN                string         `json:"xin,omitempty" maxLength:"32" doc:"IIN or BIN, in Russia INN."`
	Title              Text           `json:"title,omitzero"`
	LegalAddress       Text           `json:"legal_address,omitzero"`
	OKED               string         `json:"oked,omitempty" maxLength:"64" doc:"Kind of activity."`
	VATPercent         uint32         `json:"vat_percent,omitempty" maximum:"99999" doc:"Thousandths of a percent: 16000 is 16 %." example:"16000"`
	VATCertificate     string         `json:"vat_certificate,omitempty" maxLength:"64"`
	Outlet             int64          `json:"outlet,omitempty" minimum:"0"`
	OutletTitle        Text           `json:"outlet_title,omitzero"`
	OutletAddress      Text           `json:"outlet_address,omitzero"`
	Where              Address        `json:"where,omitzero" doc:"The outlet's address in parts."`
	Name               string         `json:"name,omitempty" maxLength:"128" doc:"The owner's own name for the register."`
	Model              string         `json:"model,omitempty" maxLength:"128"`
	SerialNumber       string         `json:"serial_number,omitempty" maxLength:"64"`
	ManufactureYear    int            `json:"manufacture_year,omitempty" minimum:"0" maximum:"9999"`
	RegistrationNumber string         `json:"registration_number,omitempty" maxLength:"64" doc:"That the authority gave before."`
	Drive              string         `json:"drive,omitempty" maxLength:"32" doc:"Russia: number of the fiscal drive."`
	Format             string         `json:"ffd,omitempty" maxLength:"16" doc:"Russia: version of the format."`
	Modes              []string       `json:"modes,omitempty" nullable:"false" maxItems:"32"`
	Parts              []RegisterPart `json:"parts,omitempty" nullable:"false" maxItems:"8"`
	Connection         string         `json:"connection,omitempty" maxLength:"16" doc:"wired or wireless."`
	SIM                string         `json:"sim,omitempty" maxLength:"32"`
	Reasons            []string       `json:"reasons,omitempty" nullable:"false" maxItems:"16" doc:"Of a change: address, name, drive, device, mode, other. Of a removal: closing, transfer, theft, loss, breakdown, operator, other."`
	Note               string         `json:"note,omitempty" maxLength:"2000" doc:"The same in words."`
}

// of is the form as the registry has it. Both spell their fields alike.
func (f *ApplicationForm) of() (out registry.ApplicationForm, err error) { return out, recast(f, &out) }

// recast carries fields over to where they have the same names.
func recast(from, to any) error {
	b, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(b, to)
	}
	if err != nil {
		return fmt.Errorf("carry a form over: %w", err)
	}
	return nil
}

// ApplicationRecord is an application to the authority.
type ApplicationRecord struct {
	ID                 int64              `json:"id"`
	Register           int64              `json:"register"`
	Country            string             `json:"country" enum:"kz,ru"`
	Kind               string             `json:"kind" enum:"register,change,deregister"`
	Status             string             `json:"status" enum:"draft,sent,waiting,registered,refused,withdrawn" doc:"sent: signed, and on its way; waiting: the authority has it; registered: what was asked for was done."`
	Form               ApplicationForm    `json:"form"`
	Fields             []FieldProblem     `json:"fields" nullable:"false" doc:"What is wrong with a draft after a change; of a signed one what the authority was told."`
	Created            time.Time          `json:"created"`
	Changed            time.Time          `json:"changed"`
	SignedAt           time.Time          `json:"signed_at,omitzero"`
	SentAt             time.Time          `json:"sent_at,omitzero" doc:"When it was first handed to the authority."`
	TakenAt            time.Time          `json:"taken_at,omitzero" doc:"When the authority confirmed that it has it."`
	DecidedAt          time.Time          `json:"decided_at,omitzero"`
	By                 string             `json:"by"`
	SignedBy           string             `json:"signed_by,omitempty"`
	Number             string             `json:"number,omitempty" doc:"What the authority calls it."`
	RegistrationNumber string             `json:"registration_number,omitempty" doc:"Given with a grant."`
	Why                Text               `json:"why,omitzero" doc:"The authority's words with a refusal."`
	Tries              int                `json:"tries,omitempty" doc:"To hand it over."`
	NextTry            time.Time          `json:"next_try,omitzero"`
	Events             []ApplicationEvent `json:"events,omitempty" nullable:"false" doc:"In the answer about one application: what became of it, the newest last."`
}

// ApplicationEvent is one thing that became of an application.
type ApplicationEvent struct {
	At     time.Time `json:"at"`
	Event  string    `json:"event" doc:"drafted, signed, taken, delayed, rejected, granted, refused, applied, stuck, withdrawn, repeated, hurried."`
	By     string    `json:"by,omitempty"`
	Detail string    `json:"detail,omitempty"`
	Status string    `json:"status" doc:"That it led to."`
}

// ApplicationAdd begins an application.
type ApplicationAdd struct {
	Register int64  `json:"register" minimum:"1"`
	Kind     string `json:"kind" enum:"register,change,deregister"`
}

// ApplicationSignature is the signature of an application's content.
type ApplicationSignature struct {
	Signature []byte `json:"signature" doc:"CMS, detached or with the content in it, in base64."`
}

func newApplication(c *caller, a *registry.Application, findings []registry.FieldError, events []registry.ApplicationEvent) (ApplicationRecord, error) {
	if findings == nil {
		findings = a.Control
	}
	out := ApplicationRecord{
		ID: int64(a.ID), Register: int64(a.Register), Country: string(a.Country), Kind: string(a.Kind), Status: string(a.Status), Fields: wordFields(c.locale, findings),
		Created: a.Created, Changed: a.Changed, SignedAt: a.SignedAt, SentAt: a.SentAt, TakenAt: a.TakenAt, DecidedAt: a.DecidedAt, By: a.By, SignedBy: a.SignedBy,
		Number: a.Number, RegistrationNumber: a.RegistrationNumber, Why: Text(a.Why), Tries: a.Tries, NextTry: a.NextTry,
	}
	for _, e := range events {
		out.Events = append(out.Events, ApplicationEvent{e.At, string(e.What), e.By, e.Detail, string(e.Status)})
	}
	return out, recast(&a.Form, &out.Form)
}

// applicationAnswer is an application with the mark of what its form says.
type applicationAnswer answer[ApplicationRecord]

func newApplicationAnswer(c *caller, a *registry.Application, findings []registry.FieldError, events []registry.ApplicationEvent) (*applicationAnswer, error) {
	out, err := newApplication(c, a, findings, events)
	if err != nil {
		return nil, err
	}
	tag, err := etag(markOf(a))
	return &applicationAnswer{tag, out}, err
}

// mark is what a change of an application stands on.
type mark struct {
	ID      registry.ApplicationID
	Version uint64
	Form    registry.ApplicationForm
}

func markOf(a *registry.Application) mark { return mark{a.ID, a.Version, a.Form} }

type applicationsIn struct {
	Kind     string `query:"kind" enum:"register,change,deregister" doc:"What is asked for."`
	Status   string `query:"status" enum:"draft,sent,waiting,registered,refused,withdrawn" doc:"Where it has got to."`
	Register int64  `query:"register" minimum:"0" doc:"Of it."`
	Outlet   int64  `query:"outlet" minimum:"0" doc:"Of its registers."`
	Text     string `query:"q" maxLength:"200" doc:"In a name, a number, a serial number, a model."`
	Paging
}

// mayReadApplications is the right of who may see papers, or that of who drafts
// them.
const mayReadApplications = access.SeeDocuments | access.EditRegisters

func (h *Handler) registerApplications() {
	office := h.cfg.Office
	const tag = "applications"
	route(h, operation{id: "applications", method: http.MethodGet, path: "/applications", tag: tag, either: mayReadApplications, doc: "The newest first."},
		func(ctx context.Context, c *caller, in *applicationsIn) (*listOf[ApplicationRecord], error) {
			page, err := office.Applications(ctx, c.Actor, registry.ApplicationQuery{Kind: registry.ApplicationKind(in.Kind), Status: registry.ApplicationStatus(in.Status),
				Register: fiscal.RegisterID(in.Register), Outlet: fiscal.OutletID(in.Outlet), Text: in.Text, After: in.After, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			var items []ApplicationRecord
			for i := range page.Applications {
				one, err := newApplication(c, &page.Applications[i], nil, nil)
				if err != nil {
					return nil, err
				}
				items = append(items, one)
			}
			return newList(items, page.Next), nil
		})
	type draft struct {
		Once
		Body ApplicationAdd
	}
	drafted := func(c *caller, a *registry.Application) (*created[ApplicationRecord], error) {
		out, err := newApplicationAnswer(c, a, nil, nil)
		if err != nil {
			return nil, err
		}
		return &created[ApplicationRecord]{Prefix + "/applications/" + strconv.FormatInt(int64(a.ID), 10), out.ETag, out.Body}, nil
	}
	route(h, operation{id: "application-add", method: http.MethodPost, path: "/applications", tag: tag, rights: access.EditRegisters | access.SeeStatus, status: http.StatusCreated,
		doc: "Filled in with what is known. A register has one that is not decided."},
		func(ctx context.Context, c *caller, in *draft) (*created[ApplicationRecord], error) {
			a, err := office.DraftApplication(ctx, c.Actor, fiscal.RegisterID(in.Body.Register), registry.ApplicationKind(in.Body.Kind))
			if err != nil {
				return nil, err
			}
			return drafted(c, &a)
		})
	route(h, operation{id: "application", method: http.MethodGet, path: "/applications/{id}", tag: tag, rights: access.SeeStatus, either: mayReadApplications},
		func(ctx context.Context, c *caller, in *ByID) (*applicationAnswer, error) {
			a, events, err := office.Application(ctx, c.Actor, registry.ApplicationID(in.ID))
			if err != nil {
				return nil, err
			}
			return newApplicationAnswer(c, &a, nil, events)
		})
	type change struct {
		ByID
		Matching
		Body ApplicationForm
	}
	route(h, operation{id: "application-change", method: http.MethodPut, path: "/applications/{id}", tag: tag, rights: access.EditRegisters | access.SeeStatus,
		doc: "A draft is kept whatever is wrong with it; fields names all of it."},
		func(ctx context.Context, c *caller, in *change) (*applicationAnswer, error) {
			form, err := in.Body.of()
			if err != nil {
				return nil, err
			}
			var a registry.Application
			var findings []registry.FieldError
			err = unchanged(h, c, in.Matching, func() (mark, error) {
				a, _, err := office.Application(ctx, c.Actor, registry.ApplicationID(in.ID))
				return markOf(&a), err
			}, func() (err error) {
				a, findings, err = office.SetApplication(ctx, c.Actor, registry.ApplicationID(in.ID), form)
				return err
			})
			if err != nil {
				return nil, err
			}
			return newApplicationAnswer(c, &a, findings, nil)
		})
	route(h, operation{id: "application-withdraw", method: http.MethodDelete, path: "/applications/{id}", tag: tag, rights: access.EditRegisters | access.SeeStatus, doc: "A draft is given up; it stays in the list."},
		func(ctx context.Context, c *caller, in *ByID) (*none, error) {
			return nil, office.WithdrawApplication(ctx, c.Actor, registry.ApplicationID(in.ID))
		})
	route(h, operation{id: "application-content", method: http.MethodGet, path: "/applications/{id}/content", tag: tag, rights: access.SeeStatus, either: mayReadApplications, kind: "application/json",
		doc: "The very bytes that are to be signed; 422 with every field while something is wrong."},
		func(ctx context.Context, c *caller, in *ByID) (*file, error) {
			b, err := office.ApplicationContent(ctx, c.Actor, registry.ApplicationID(in.ID))
			return &file{"application/json", attached("application-" + strconv.FormatInt(in.ID, 10) + ".json"), b}, err
		})
	type sign struct {
		ByID
		Once
		Body ApplicationSignature
	}
	route(h, operation{id: "application-sign", method: http.MethodPost, path: "/applications/{id}/signature", tag: tag, rights: access.Apply | access.SeeStatus,
		doc: "By the taxpayer's own key, of the bytes of its content. It goes to the authority at once."},
		func(ctx context.Context, c *caller, in *sign) (*applicationAnswer, error) {
			a, err := office.SignApplication(ctx, c.Actor, registry.ApplicationID(in.ID), in.Body.Signature)
			if err != nil {
				return nil, err
			}
			return newApplicationAnswer(c, &a, nil, nil)
		})
	type again struct {
		ByID
		Once
	}
	route(h, operation{id: "application-again", method: http.MethodPost, path: "/applications/{id}/again", tag: tag, rights: access.EditRegisters | access.SeeStatus, status: http.StatusCreated,
		doc: "A new draft of one that was refused."},
		func(ctx context.Context, c *caller, in *again) (*created[ApplicationRecord], error) {
			a, err := office.ResendApplication(ctx, c.Actor, registry.ApplicationID(in.ID))
			if err != nil {
				return nil, err
			}
			return drafted(c, &a)
		})
}
