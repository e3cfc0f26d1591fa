package registry

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
)

// Standing is how a register is doing, in one word for lists.
type Standing string

// The standings, the most urgent first.
const (
	StandsBlocked      Standing = "blocked"
	StandsLate         Standing = "late"       // silent for longer than it may work autonomously
	StandsShiftOver    Standing = "shift_over" // its shift is open for longer than it may be
	StandsSilent       Standing = "silent"     // its shift is open, and nothing was heard for a while
	StandsNew          Standing = "new"        // nothing was ever heard
	StandsOpen         Standing = "open"       // its shift is open
	StandsClosed       Standing = "closed"     // its shift is closed
	StandsDeregistered Standing = "deregistered"
)

// Standings lists them, the most urgent first.
func Standings() []Standing {
	return []Standing{StandsBlocked, StandsLate, StandsShiftOver, StandsSilent, StandsNew, StandsOpen, StandsClosed, StandsDeregistered}
}

// silentAfter is how long a register with an open shift may say nothing before
// lists say so: between two sales an hour is long.
const silentAfter = time.Hour

// Health is a register's standing and the clocks that run.
type Health struct {
	Standing Standing
	// OfflineLeft is what remains of the time that it may work without us, if it
	// has been since its last contact; nil: no shift is open, or nothing was heard.
	// Below zero it is over.
	OfflineLeft *time.Duration
	ShiftLeft   *time.Duration // until the open shift must be closed; nil: none is open
	// DriveLeft is until a fiscal drive stops, if nothing more comes of it; nil: the
	// register has none, or nothing was heard.
	DriveLeft *time.Duration
}

// HealthOf tells how a register is doing at an instant.
func HealthOf(l *Listed, now time.Time) (h Health) {
	law := policy.For(l.Card.Country)
	h.Standing = StandsClosed
	if l.Card.Drive != "" && l.LastContact != nil {
		left := law.Offline(fiscal.WallIn(l.LastContact.At, l.Card.Location())) - now.Sub(l.LastContact.At)
		h.DriveLeft = &left
	}
	if s := &l.State.Shift; s.Open {
		h.Standing = StandsOpen
		wall := fiscal.WallIn(now, l.Card.Location())
		left := law.Shift(s.OpenedAt) - wall.Sub(s.OpenedAt)
		h.ShiftLeft = &left
		if l.LastContact != nil {
			silence := now.Sub(l.LastContact.At)
			left := law.Offline(fiscal.WallIn(l.LastContact.At, l.Card.Location())) - silence
			h.OfflineLeft = &left
			switch {
			case left <= 0:
				h.Standing = StandsLate
			case *h.ShiftLeft <= 0:
				h.Standing = StandsShiftOver
			case silence >= silentAfter:
				h.Standing = StandsSilent
			}
		} else if left <= 0 {
			h.Standing = StandsShiftOver
		}
	}
	switch {
	case l.State.Status == fiscal.StatusDeregistered:
		h = Health{Standing: StandsDeregistered}
	case l.State.Status == fiscal.StatusBlocked:
		h.Standing = StandsBlocked
	case l.LastContact == nil && l.State.LastTime == 0:
		h = Health{Standing: StandsNew}
	}
	return h
}

// Order is by what a list of registers is sorted.
type Order string

// The orders. Registers that were not heard of come first by contact.
const (
	ByNumber  Order = "number"
	ByName    Order = "name"
	ByContact Order = "contact" // the longest silence first
)

// Orders lists them.
func Orders() []Order { return []Order{ByNumber, ByName, ByContact} }

// RegisterQuery asks for some of an organization's registers.
type RegisterQuery struct {
	Text     string // in a name, a number, a serial number, a model
	Standing Standing
	Outlet   fiscal.OutletID
	Group    GroupID // and the groups in it
	Order    Order
	After    string // where the page before ended
	Limit    int
}

// Seen is a register as its owner's lists show it.
type Seen struct {
	Listed
	Health
}

// RegisterPage is a page of a list.
type RegisterPage struct {
	Registers []Seen
	Next      string // where the next page begins; "" this is the last
}

const (
	scanPage     = 5000 // outlines read at once
	maxRegisters = 200  // on a page
)

// Registers lists those of the organization's registers that the actor sees and
// the query wants. By number it reads no further than the page; in any other
// order it reads the outlines of all of the organization's, and then its page.
//
// Source: requirements P-045, P-055; BadValue with the Field.
func (o *Office) Registers(ctx context.Context, a *access.Actor, q RegisterQuery) (page RegisterPage, err error) {
	if err := a.Must(access.SeeStatus); err != nil {
		return page, err
	}
	if q.Limit <= 0 || q.Limit > maxRegisters {
		q.Limit = 50
	}
	wants, err := o.wants(ctx, a, &q)
	if err != nil {
		return page, err
	}
	afterKey, afterID, err := parseCursor(q.After)
	if err != nil {
		return page, err
	}
	from := fiscal.RegisterID(0)
	if q.Order == ByNumber || q.Order == "" {
		q.Order, from = ByNumber, afterID
	}
	var all []Seen
	now := o.now()
	size, read := scanPage, o.store.OutlinesOf
	plain := q.Order == ByNumber && q.Text == "" && q.Standing == "" && q.Outlet == 0 && q.Group == 0 && len(a.Member.Outlets) == 0
	if plain {
		size, read = q.Limit+1, o.store.RegistersOf // one reading is enough
	}
	for {
		rows, err := read(ctx, a.Taxpayer, from, size)
		if err != nil {
			return page, fmt.Errorf("list the registers: %w", err)
		}
		for i := range rows {
			s := Seen{rows[i], HealthOf(&rows[i], now)}
			if wants(&s) {
				all = append(all, s)
			}
		}
		if len(rows) < size || q.Order == ByNumber && len(all) > q.Limit {
			break
		}
		from, size = rows[len(rows)-1].Card.Register, scanPage
	}
	if q.Order != ByNumber {
		all = inOrder(all, q.Order, afterKey, afterID, q.After != "", q.Limit+1)
	}
	if len(all) > q.Limit {
		all = all[:q.Limit]
		last := &all[q.Limit-1]
		page.Next = cursor(last.key(q.Order), last.Card.Register)
	}
	page.Registers = all
	if !plain {
		return page, o.fill(ctx, a, all, now)
	}
	return page, nil
}

// fill reads the whole of registers that were chosen by their outlines.
func (o *Office) fill(ctx context.Context, a *access.Actor, all []Seen, now time.Time) error {
	for i := range all {
		l, err := o.store.RegisterOf(ctx, a.Taxpayer, all[i].Card.Register)
		if err != nil {
			return fmt.Errorf("list the registers: %w", err)
		}
		all[i] = Seen{l, HealthOf(&l, now)}
	}
	return nil
}

// wants makes what tells whether a register is wanted.
func (o *Office) wants(ctx context.Context, a *access.Actor, q *RegisterQuery) (func(*Seen) bool, error) {
	if q.Standing != "" && !slices.Contains(Standings(), q.Standing) {
		return nil, &fiscal.Error{Reason: fiscal.BadValue, Field: "status"}
	}
	if q.Order != "" && !slices.Contains(Orders(), q.Order) {
		return nil, &fiscal.Error{Reason: fiscal.BadValue, Field: "sort"}
	}
	var in map[fiscal.RegisterID]GroupID
	var groups []GroupID
	if q.Group != 0 {
		var err error
		if in, err = o.store.Grouped(ctx, a.Taxpayer); err != nil {
			return nil, err
		}
		all, err := o.store.Groups(ctx, a.Taxpayer)
		if err != nil {
			return nil, err
		}
		for _, g := range all {
			if g.ID == q.Group || g.Parent == q.Group {
				groups = append(groups, g.ID)
			}
		}
	}
	text := strings.ToLower(strings.TrimSpace(q.Text))
	return func(s *Seen) bool {
		c := &s.Card
		switch {
		case !a.Sees(c.Outlet), q.Outlet != 0 && c.Outlet != q.Outlet, q.Standing != "" && s.Standing != q.Standing:
			return false
		case q.Group != 0 && !slices.Contains(groups, in[c.Register]):
			return false
		case text == "":
			return true
		}
		for _, part := range []string{c.Name, c.SerialNumber, c.RegistrationNumber, c.Model, c.Drive, strconv.FormatInt(int64(c.Register), 10)} {
			if strings.Contains(strings.ToLower(part), text) {
				return true
			}
		}
		return false
	}, nil
}

// inOrder are the first of the registers by an order, behind a place if there is
// one. They are sorted by their keys, for a register is large to be moved about.
func inOrder(all []Seen, by Order, afterKey string, afterID fiscal.RegisterID, after bool, most int) []Seen {
	type place struct {
		key string
		id  fiscal.RegisterID
		at  int
	}
	compare := func(x, y place) int { return cmp.Or(strings.Compare(x.key, y.key), cmp.Compare(x.id, y.id)) }
	places := make([]place, 0, len(all))
	for i := range all {
		p := place{all[i].key(by), all[i].Card.Register, i}
		if !after || compare(p, place{afterKey, afterID, 0}) > 0 {
			places = append(places, p)
		}
	}
	slices.SortFunc(places, compare)
	first := make([]Seen, 0, min(most, len(places)))
	for _, p := range places[:min(most, len(places))] {
		first = append(first, all[p.at])
	}
	return first
}

// key is by what a register is sorted.
func (s *Seen) key(by Order) string {
	switch by {
	case ByName:
		return strings.ToLower(s.Card.Name)
	case ByContact:
		if s.LastContact == nil {
			return ""
		}
		return s.LastContact.At.UTC().Format("20060102150405.000000")
	}
	return ""
}

func cursor(key string, r fiscal.RegisterID) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", r, key))
}

func parseCursor(s string) (key string, r fiscal.RegisterID, err error) {
	if s == "" {
		return "", 0, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	number, key, ok := strings.Cut(string(b), " ")
	id, wrong := strconv.ParseInt(number, 10, 64)
	if err != nil || !ok || wrong != nil {
		return "", 0, &fiscal.Error{Reason: fiscal.BadValue, Field: "after"}
	}
	return key, fiscal.RegisterID(id), nil
}

// Register is one of them; NotFound for what the actor does not see.
func (o *Office) Register(ctx context.Context, a *access.Actor, r fiscal.RegisterID) (Seen, error) {
	if err := a.Must(access.SeeStatus); err != nil {
		return Seen{}, err
	}
	l, err := o.store.RegisterOf(ctx, a.Taxpayer, r)
	if err != nil {
		return Seen{}, err
	}
	if !a.Sees(l.Card.Outlet) {
		return Seen{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "register"}
	}
	return Seen{l, HealthOf(&l, o.now())}, nil
}

// urgent are the standings that somebody has to do something about.
var urgent = []Standing{StandsBlocked, StandsLate, StandsShiftOver}

// Urgent lists the registers that need somebody, of those that the actor sees:
// the most urgent first, limit at most; and how many there are of each standing.
// It reads the outlines of all of the organization's.
func (o *Office) Urgent(ctx context.Context, a *access.Actor, limit int) (some []Seen, counts map[Standing]int, err error) {
	if err := a.Must(access.SeeStatus); err != nil {
		return nil, nil, err
	}
	counts = map[Standing]int{}
	now := o.now()
	for from := fiscal.RegisterID(0); ; {
		rows, err := o.store.OutlinesOf(ctx, a.Taxpayer, from, scanPage)
		if err != nil {
			return nil, nil, fmt.Errorf("list the registers: %w", err)
		}
		for i := range rows {
			from = rows[i].Card.Register
			s := Seen{rows[i], HealthOf(&rows[i], now)}
			if !a.Sees(s.Card.Outlet) || !slices.Contains(urgent, s.Standing) {
				continue
			}
			if counts[s.Standing]++; counts[s.Standing] <= limit {
				some = append(some, s)
			}
		}
		if len(rows) < scanPage {
			break
		}
	}
	slices.SortStableFunc(some, func(x, y Seen) int {
		return cmp.Compare(slices.Index(urgent, x.Standing), slices.Index(urgent, y.Standing))
	})
	some = some[:min(len(some), limit)]
	return some, counts, o.fill(ctx, a, some, now)
}

// Cards are the versions of a register's card, newest first.
//
// Source: order 135 items 18.1, 18.2.
func (o *Office) Cards(ctx context.Context, a *access.Actor, r fiscal.RegisterID) ([]fiscal.Card, error) {
	if _, err := o.Register(ctx, a, r); err != nil {
		return nil, err
	}
	return o.store.CardsOf(ctx, a.Taxpayer, r)
}

// GroupOf is the group a register is in, 0 none.
func (o *Office) GroupOf(ctx context.Context, a *access.Actor, r fiscal.RegisterID) (GroupID, error) {
	if _, err := o.Register(ctx, a, r); err != nil {
		return 0, err
	}
	in, err := o.store.Grouped(ctx, a.Taxpayer)
	return in[r], err
}

// Arrange names a register and puts it into a group, 0 for none.
func (o *Office) Arrange(ctx context.Context, a *access.Actor, r fiscal.RegisterID, name string, g GroupID) error {
	if err := a.Must(access.EditRegisters); err != nil {
		return err
	}
	s, err := o.Register(ctx, a, r)
	if err != nil {
		return err
	}
	name = strings.Join(strings.Fields(name), " ")
	if err := checkLine("register_name", name, maxShort, true); err != nil {
		return err
	}
	all, err := o.store.Groups(ctx, a.Taxpayer)
	if err != nil {
		return err
	}
	if g != 0 && !slices.ContainsFunc(all, func(one Group) bool { return one.ID == g }) {
		return &fiscal.Error{Reason: fiscal.BadValue, Field: "group"}
	}
	if name != s.Card.Name {
		if _, err := o.registry.ChangeCard(ctx, r, a.User.Email, func(c *fiscal.Card) error { c.Name = name; return nil }); err != nil {
			return err
		}
		if err := o.access.Note(ctx, a, ActRegisterRenamed, fmt.Sprint(r), s.Card.Name+" → "+name); err != nil {
			return err
		}
	}
	in, err := o.store.Grouped(ctx, a.Taxpayer)
	if err != nil || in[r] == g {
		return err
	}
	if err := o.store.SetGroup(ctx, a.Taxpayer, r, g); err != nil {
		return err
	}
	return o.access.Note(ctx, a, ActRegisterGrouped, fmt.Sprint(r), "")
}

// IssueToken gives a register a new token, to be shown once; the old one is void
// at once. Conflict where registers have none.
//
// Source: KKM reference §3.4.
func (o *Office) IssueToken(ctx context.Context, a *access.Actor, r fiscal.RegisterID) (uint32, error) {
	if err := a.Must(access.IssueToken); err != nil {
		return 0, err
	}
	s, err := o.Register(ctx, a, r)
	if err != nil {
		return 0, err
	}
	if !HasTokens(s.Card.Country) || s.State.Status == fiscal.StatusDeregistered {
		return 0, &fiscal.Error{Of: fiscal.Conflict, Field: "token"}
	}
	token, err := o.registry.Token(ctx, r, a.User.Email)
	if err != nil {
		return 0, err
	}
	return token, o.access.Note(ctx, a, ActTokenIssued, fmt.Sprint(r), "")
}

// HasTokens reports whether a country's registers show by a token who they are.
func HasTokens(c fiscal.Country) bool { return countries[c].tokens }

// AddedRegister is what the form of a new register tells.
type AddedRegister struct {
	Outlet       fiscal.OutletID
	Name         string
	Model        string
	SerialNumber string
	Year         int
	Drive        string // Russia: the fiscal drive
}

// AddRegister adds a register at an outlet with a provisional number. The
// contract must hold.
//
// Errors: Denied; Conflict with the Field "contract"; NotFound for an outlet
// that the actor does not see; those of Service.AddRegister.
// Source: requirements E-060 to E-065.
func (o *Office) AddRegister(ctx context.Context, a *access.Actor, in AddedRegister) (Registered, error) {
	if err := a.Must(access.EditRegisters); err != nil {
		return Registered{}, err
	}
	in.Name, in.SerialNumber = strings.Join(strings.Fields(in.Name), " "), strings.TrimSpace(in.SerialNumber)
	if in.Outlet == 0 {
		return Registered{}, &fiscal.Error{Reason: fiscal.MissingParameter, Field: "outlet"}
	}
	at, err := o.Outlet(ctx, a, in.Outlet)
	if err != nil {
		return Registered{}, err
	}
	t, err := o.store.TaxpayerOf(ctx, a.Taxpayer)
	if err != nil {
		return Registered{}, err
	}
	papers, err := o.store.Contracts(ctx, a.Taxpayer)
	if err != nil {
		return Registered{}, err
	}
	if !InForce(papers) {
		return Registered{}, &fiscal.Error{Of: fiscal.Conflict, Field: "contract", Msg: "none"}
	}
	if err := first(checkLine("register_name", in.Name, maxShort, true), checkLine("model", strings.TrimSpace(in.Model), maxModel, true),
		checkLine("serial_number", in.SerialNumber, maxSerial, true)); err != nil {
		return Registered{}, err
	}
	made, err := o.registry.AddRegister(ctx, NewRegister{
		By: a.User.Email, Country: t.Country, XIN: t.XIN, Title: t.Title, At: at.ID,
		OutletTitle: at.Title, OutletAddress: at.Address, Latitude: at.Latitude, Longitude: at.Longitude, Zone: at.Zone,
		Name: in.Name, Model: strings.TrimSpace(in.Model), SerialNumber: in.SerialNumber, Year: in.Year, Drive: strings.TrimSpace(in.Drive),
	})
	if err != nil {
		return made, err
	}
	return made, o.access.Note(ctx, a, ActRegisterAdded, fmt.Sprint(made.Card.Register), in.Model+" "+in.SerialNumber)
}
