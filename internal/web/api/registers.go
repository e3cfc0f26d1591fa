package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// RegisterCard is what the registry says of a register.
type RegisterCard struct {
	Version            uint32         `json:"version" doc:"Each change is a new version; old receipts show the one of their day."`
	Since              time.Time      `json:"since" doc:"From when on it holds, UTC."`
	Name               string         `json:"name,omitempty" doc:"The owner's own name for it."`
	Model              string         `json:"model"`
	SerialNumber       string         `json:"serial_number" doc:"Given by the maker (ЗНМ)."`
	ManufactureYear    int            `json:"manufacture_year,omitempty"`
	RegistrationNumber string         `json:"registration_number" doc:"Given by the authority (РНМ, in Russia РН ККТ)."`
	Provisional        bool           `json:"provisional,omitempty" doc:"The registration number is a stand-in of the operator's."`
	FiscalDrive        string         `json:"fiscal_drive,omitempty" doc:"Russia."`
	Format             string         `json:"ffd,omitempty" doc:"Russia: version of the format of its documents."`
	Parts              []RegisterPart `json:"parts,omitempty" nullable:"false"`
	Connection         string         `json:"connection,omitempty" enum:"wired,wireless"`
	SIM                string         `json:"sim,omitempty"`
	Outlet             int64          `json:"outlet,omitempty"`
	OutletTitle        Text           `json:"outlet_title"`
	OutletAddress      Text           `json:"outlet_address"`
	Zone               string         `json:"zone" doc:"IANA name."`
	Seller             Seller         `json:"seller"`
	LegalAddress       Text           `json:"legal_address"`
	RegisteredAt       time.Time      `json:"registered_at"`
}

// RegisterPart is one of the parts of a register.
type RegisterPart struct {
	Part    string `json:"part" enum:"software,drive,printer"`
	Maker   string `json:"maker,omitempty" maxLength:"128"`
	Model   string `json:"model,omitempty" maxLength:"128"`
	Version string `json:"version,omitempty" maxLength:"128"`
}

// RegisterRecord is a register with its card and how it is doing.
type RegisterRecord struct {
	ID          int64        `json:"id" doc:"The register's number at the operator, which devices show."`
	Group       int64        `json:"group,omitempty" doc:"In the answer about one register."`
	Standing    string       `json:"standing" enum:"blocked,late,shift_over,silent,new,open,closed,deregistered" doc:"How it is doing, the most urgent first."`
	Status      string       `json:"status" enum:"active,blocked,deregistered"`
	Block       string       `json:"block,omitempty" doc:"Why it is blocked."`
	OfflineLeft *int64       `json:"offline_left,omitempty" doc:"Seconds for which it may go on without a link; below zero they are over."`
	ShiftLeft   *int64       `json:"shift_left,omitempty" doc:"Seconds until its shift must be closed."`
	Shift       uint32       `json:"shift,omitempty" doc:"Number of its last shift."`
	ShiftOpen   bool         `json:"shift_open"`
	LastContact time.Time    `json:"last_contact,omitzero" doc:"When it was heard last, UTC; left out: never."`
	LastTime    string       `json:"last_time,omitempty" doc:"Wall time of its last document."`
	Card        RegisterCard `json:"card"`
}

// RegisterAdd is what is told of a new register.
type RegisterAdd struct {
	Outlet          int64  `json:"outlet" minimum:"1"`
	Name            string `json:"name" maxLength:"128" doc:"The owner's own name for it."`
	Model           string `json:"model" maxLength:"128" doc:"As the register of models has it, see models."`
	SerialNumber    string `json:"serial_number" maxLength:"64"`
	ManufactureYear int    `json:"manufacture_year,omitempty" minimum:"0" maximum:"9999"`
	FiscalDrive     string `json:"fiscal_drive,omitempty" maxLength:"32" doc:"Russia, needed there: 16 digits."`
}

// RegisterAdded is a new register.
type RegisterAdded struct {
	ID    int64        `json:"id"`
	Token string       `json:"token,omitempty" doc:"To be typed into the device; told this once. Left out where registers have none."`
	Card  RegisterCard `json:"card"`
}

// RegisterArrange is how the owner arranges a register.
type RegisterArrange struct {
	Name  string `json:"name" maxLength:"128"`
	Group int64  `json:"group,omitempty" minimum:"0" doc:"0: none."`
}

// RegisterToken is a new token.
type RegisterToken struct {
	Token string `json:"token" doc:"To be typed into the device; told this once, and the one before is void at once." example:"2838223414"`
}

// ModelRecord is a line of the register of models.
type ModelRecord struct {
	Name        string   `json:"name"`
	Maker       string   `json:"maker,omitempty"`
	Kind        string   `json:"kind" doc:"device, system, printer or vending."`
	Protocols   []string `json:"protocols,omitempty" nullable:"false" doc:"Versions of the protocol or the format, the oldest first."`
	Connections []string `json:"connections,omitempty" nullable:"false"`
}

func newCard(c *fiscal.Card) RegisterCard {
	out := RegisterCard{
		Version: c.Version, Since: c.Since, Name: c.Name, Model: c.Model, SerialNumber: c.SerialNumber, ManufactureYear: c.ManufactureYear,
		RegistrationNumber: c.RegistrationNumber, Provisional: c.Provisional, FiscalDrive: c.Drive, Format: c.Format, Connection: string(c.Connection), SIM: c.SIM,
		Outlet: int64(c.Outlet), OutletTitle: Text(c.OutletTitle), OutletAddress: Text(c.OutletAddress), Zone: c.Zone,
		Seller: Seller{XIN: string(c.XIN), Title: Text(c.Title), VATCertificate: c.VATCertificate}, LegalAddress: Text(c.LegalAddress), RegisteredAt: c.RegisteredAt,
	}
	for _, p := range c.Parts {
		out.Parts = append(out.Parts, RegisterPart{string(p.Kind), p.Maker, p.Model, p.Version})
	}
	return out
}

func newRegister(s *registry.Seen) RegisterRecord {
	out := RegisterRecord{ID: int64(s.Card.Register), Standing: string(s.Standing), Status: s.State.Status.String(), OfflineLeft: seconds(s.OfflineLeft), ShiftLeft: seconds(s.ShiftLeft),
		Shift: s.State.Shift.Number, ShiftOpen: s.State.Shift.Open, LastTime: wall(s.State.LastTime), Card: newCard(&s.Card)}
	if s.State.Status == fiscal.StatusBlocked {
		out.Block = s.State.Block.Text
	}
	if s.LastContact != nil {
		out.LastContact = s.LastContact.At
	}
	return out
}

func seconds(d *time.Duration) *int64 {
	if d == nil {
		return nil
	}
	n := int64(*d / time.Second)
	return &n
}

type registersIn struct {
	Text     string `query:"q" maxLength:"200" doc:"In a name, a number, a serial number, a model."`
	Standing string `query:"status" doc:"A standing, see the answer."`
	Outlet   int64  `query:"outlet" minimum:"0" doc:"That stand there."`
	Group    int64  `query:"group" minimum:"0" doc:"And the groups in it."`
	Order    string `query:"sort" doc:"number, name, or contact: the longest silence first." example:"number"`
	Paging
}

func (h *Handler) register(ctx context.Context, c *caller, id int64) (RegisterRecord, error) {
	s, err := h.cfg.Office.Register(ctx, c.Actor, fiscal.RegisterID(id))
	if err != nil {
		return RegisterRecord{}, err
	}
	out := newRegister(&s)
	g, err := h.cfg.Office.GroupOf(ctx, c.Actor, fiscal.RegisterID(id))
	out.Group = int64(g)
	return out, err
}

func (h *Handler) registerRegisters() {
	office := h.cfg.Office
	route(h, operation{id: "registers", method: http.MethodGet, path: "/registers", tag: "registers", rights: access.SeeStatus},
		func(ctx context.Context, c *caller, in *registersIn) (*listOf[RegisterRecord], error) {
			page, err := office.Registers(ctx, c.Actor, registry.RegisterQuery{Text: in.Text, Standing: registry.Standing(in.Standing), Outlet: fiscal.OutletID(in.Outlet),
				Group: registry.GroupID(in.Group), Order: registry.Order(in.Order), After: in.After, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			var items []RegisterRecord
			for i := range page.Registers {
				items = append(items, newRegister(&page.Registers[i]))
			}
			return newList(items, page.Next), nil
		})
	type add struct {
		Once
		Body RegisterAdd
	}
	route(h, operation{id: "register-add", method: http.MethodPost, path: "/registers", tag: "registers", rights: access.EditRegisters | access.SeeStatus, status: http.StatusCreated,
		doc: "The contract must hold. The register gets a provisional number until the authority gives one."},
		func(ctx context.Context, c *caller, in *add) (*created[RegisterAdded], error) {
			b := &in.Body
			r, err := office.AddRegister(ctx, c.Actor, registry.AddedRegister{Outlet: fiscal.OutletID(b.Outlet), Name: b.Name, Model: b.Model, SerialNumber: b.SerialNumber,
				Year: b.ManufactureYear, Drive: b.FiscalDrive})
			if err != nil {
				return nil, err
			}
			out := RegisterAdded{ID: int64(r.Card.Register), Card: newCard(&r.Card), Token: tokenText(r.Token)}
			return made(out, "/registers", out.ID)
		})
	route(h, operation{id: "register", method: http.MethodGet, path: "/registers/{id}", tag: "registers", rights: access.SeeStatus},
		func(ctx context.Context, c *caller, in *ByID) (*arranged, error) {
			r, err := h.register(ctx, c, in.ID)
			if err != nil {
				return nil, err
			}
			return newArranged(r)
		})
	type change struct {
		ByID
		Matching
		Body RegisterArrange
	}
	route(h, operation{id: "register-arrange", method: http.MethodPut, path: "/registers/{id}", tag: "registers", rights: access.EditRegisters | access.SeeStatus,
		doc: "Its name and its group; all else is changed by an application."},
		func(ctx context.Context, c *caller, in *change) (*arranged, error) {
			err := unchanged(h, c, in.Matching, func() (RegisterArrange, error) {
				r, err := h.register(ctx, c, in.ID)
				return RegisterArrange{r.Card.Name, r.Group}, err
			}, func() error {
				return office.Arrange(ctx, c.Actor, fiscal.RegisterID(in.ID), in.Body.Name, registry.GroupID(in.Body.Group))
			})
			if err != nil {
				return nil, err
			}
			r, err := h.register(ctx, c, in.ID)
			if err != nil {
				return nil, err
			}
			return newArranged(r)
		})
	route(h, operation{id: "register-cards", method: http.MethodGet, path: "/registers/{id}/cards", tag: "registers", rights: access.SeeStatus, doc: "The newest first."},
		func(ctx context.Context, c *caller, in *ByID) (*listOf[RegisterCard], error) {
			all, err := office.Cards(ctx, c.Actor, fiscal.RegisterID(in.ID))
			if err != nil {
				return nil, err
			}
			var items []RegisterCard
			for i := range all {
				items = append(items, newCard(&all[i]))
			}
			return newList(items, ""), nil
		})
	type renew struct {
		ByID
		Once
	}
	route(h, operation{id: "register-token", method: http.MethodPost, path: "/registers/{id}/token", tag: "registers", rights: access.IssueToken | access.SeeStatus,
		doc: "The token before is void at once. Kazakhstan alone: elsewhere registers have none (409)."},
		func(ctx context.Context, c *caller, in *renew) (*struct{ Body RegisterToken }, error) {
			token, err := office.IssueToken(ctx, c.Actor, fiscal.RegisterID(in.ID))
			return &struct{ Body RegisterToken }{RegisterToken{tokenText(token)}}, err
		})
	type models struct {
		Country string `query:"country" enum:"kz,ru" doc:"Left out: the organization's."`
		Text    string `query:"q" maxLength:"64" doc:"The beginning of a word of the name, in Latin or Cyrillic letters."`
		Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many at most."`
	}
	route(h, operation{id: "models", method: http.MethodGet, path: "/models", tag: "registers"},
		func(ctx context.Context, c *caller, in *models) (*listOf[ModelRecord], error) {
			country := fiscal.Country(in.Country)
			if country == "" {
				t, err := office.Organization(ctx, c.Actor)
				if err != nil {
					return nil, err
				}
				country = t.Country
			}
			var items []ModelRecord
			for _, m := range office.SuggestModels(country, in.Text, in.Limit) {
				one := ModelRecord{Name: m.Name, Maker: m.Maker, Kind: string(m.Kind), Protocols: m.Protocols}
				for _, c := range m.Connections {
					one.Connections = append(one.Connections, string(c))
				}
				items = append(items, one)
			}
			return newList(items, ""), nil
		})
}

// arranged is a register with the mark of what may be arranged of it: what its
// device does all day is no change of the owner's.
type arranged answer[RegisterRecord]

func newArranged(r RegisterRecord) (*arranged, error) {
	tag, err := etag(RegisterArrange{r.Card.Name, r.Group})
	return &arranged{tag, r}, err
}

// tokenText is a token as people type it; "" of what has none.
func tokenText(token uint32) string {
	if token == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(token), 10)
}
