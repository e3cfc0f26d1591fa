package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	"openofd/internal/registry"
)

type registerShowCmd struct {
	place
	registerID
}

// shownRegister is a register as it is shown. What only its protocol package
// reads, the token above all, is not among it.
type shownRegister struct {
	ID            fiscal.RegisterID `json:"id"`
	Status        fiscal.Status     `json:"status"`
	Block         *shownBlock       `json:"block,omitempty"`
	Card          fiscal.Card       `json:"card"`
	Entries       fiscal.Number     `json:"entries"`
	LastDocument  *fiscal.WallTime  `json:"last_document,omitempty"` // by the device's clock
	Shift         fiscal.Shift      `json:"shift"`
	Counters      fiscal.Counters   `json:"counters"`
	LastContact   *time.Time        `json:"last_contact,omitempty"`
	ProtocolTold  uint16            `json:"protocol_version,omitempty"`
	SoftwareTold  string            `json:"software,omitempty"`
	OfflineSecond int64             `json:"last_offline_seconds,omitempty"`
	Drives        []shownDrive      `json:"drives,omitempty"`
}

type shownBlock struct {
	Text  string    `json:"text"`
	Since time.Time `json:"since"`
}

func show(l *registry.Listed) shownRegister {
	s := l.State
	r := shownRegister{
		ID: l.Card.Register, Status: s.Status, Card: l.Card, Entries: s.LastNumber, Shift: s.Shift, Counters: s.Counters,
	}
	if s.Status == fiscal.StatusBlocked {
		r.Block = &shownBlock{s.Block.Text, s.Block.Since}
	}
	if s.LastTime != 0 {
		r.LastDocument = &s.LastTime
	}
	if c := l.LastContact; c != nil {
		r.LastContact, r.ProtocolTold, r.SoftwareTold = &c.At, c.Version, c.Software
		r.OfflineSecond = int64(c.Offline / time.Second)
	}
	return r
}

func (c *registerShowCmd) Run(con *console) error {
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	l, err := core.register(con, c.ID)
	if err != nil {
		return err
	}
	r := show(&l)
	if l.Card.Country == fiscal.Russia {
		if r.Drives, err = shownDrives(&l.Card, l.State, core.now(), policy.For(fiscal.Russia)); err != nil {
			return err
		}
	}
	return con.result(r, func(w io.Writer) { r.words(w) })
}

func (r *shownRegister) words(w io.Writer) {
	card, zone := &r.Card, r.Card.Location()
	status := r.Status.String()
	if r.Block != nil {
		status += " since " + r.Block.Since.In(zone).Format(time.DateTime) + ": " + r.Block.Text
	}
	number := card.RegistrationNumber
	if card.Provisional {
		number += " (provisional)"
	}
	last, contact := "none yet", "never"
	if r.LastDocument != nil {
		last = r.LastDocument.String()
		contact = "not noted yet" // contacts are written some seconds later than documents
	}
	if r.LastContact != nil {
		contact = r.LastContact.In(zone).Format(time.DateTime)
		if r.ProtocolTold != 0 {
			contact += fmt.Sprintf(", protocol %d", r.ProtocolTold)
		}
	}
	facts(w,
		"register", strconv.FormatInt(int64(r.ID), 10),
		"status", status,
		"registration number", number,
		"owner", fmt.Sprintf("%s, %s", card.Title.In("ru"), card.XIN),
		"stands at", join(card.OutletTitle.In("ru"), card.OutletAddress.In("ru")),
		"zone", card.Zone,
		"name", card.Name,
		"model", card.Model,
		"factory number", card.SerialNumber,
		"parts", partsWords(card.Parts),
		"connection", strings.TrimSpace(string(card.Connection)+" "+card.SIM),
		"service", serviceWords(&card.Service, zone),
		"card", fmt.Sprintf("version %d since %s", card.Version, card.Since.In(zone).Format(time.DateTime)),
		"shift", shiftWords(&r.Shift),
		"cash", r.Counters.Cash.String(),
		"entries", strconv.FormatUint(uint64(r.Entries), 10),
		"last document", last,
		"last contact", contact,
		"software", r.SoftwareTold,
	)
	for i := range r.Drives {
		r.Drives[i].words(w)
	}
}

func shiftWords(s *fiscal.Shift) string {
	switch {
	case s.Number == 0:
		return "none yet"
	case s.Open:
		return fmt.Sprintf("%d, open since %s, %d documents", s.Number, s.OpenedAt, s.Documents)
	}
	return fmt.Sprintf("%d, closed %s", s.Number, s.ClosedAt)
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

type registerListCmd struct {
	place
	BIN fiscal.XIN `name:"bin" aliases:"iin,inn" placeholder:"BIN" help:"Only the registers of this taxpayer."`
}

// listedRegister is a line of the list.
type listedRegister struct {
	ID                 fiscal.RegisterID `json:"id"`
	Status             fiscal.Status     `json:"status"`
	RegistrationNumber string            `json:"registration_number"`
	Provisional        bool              `json:"provisional,omitempty"`
	XIN                fiscal.XIN        `json:"xin"`
	Title              string            `json:"title"`
	Model              string            `json:"model"`
	SerialNumber       string            `json:"serial_number"`
	Shift              uint32            `json:"shift"`
	ShiftOpen          bool              `json:"shift_open"`
	Entries            fiscal.Number     `json:"entries"`
	LastContact        *time.Time        `json:"last_contact,omitempty"`
	Drive              string            `json:"drive,omitempty"`       // in use
	SilentDays         *int64            `json:"silent_days,omitempty"` // for which it has sent nothing
	DaysLeft           *int64            `json:"days_left,omitempty"`   // until it may stop; negative when they are over
}

// listPage is how many rows are read at once.
const listPage = 1000

func (c *registerListCmd) Run(con *console) error {
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	var owner fiscal.TaxpayerID
	if c.BIN != "" {
		t, err := findTaxpayer(con, core, c.BIN)
		if err != nil {
			return err
		}
		owner = t.ID
	}
	all, russians, law := []listedRegister{}, false, policy.For(fiscal.Russia)
	for after := fiscal.RegisterID(0); ; {
		page, err := core.registry.Registers(con.ctx, owner, after, listPage)
		if err != nil {
			return fmt.Errorf("list the registers: %w", err)
		}
		for i := range page {
			line, err := inList(&page[i], core.now(), law)
			if err != nil {
				return err
			}
			all = append(all, line)
			russians = russians || line.Drive != ""
		}
		if len(page) < listPage {
			break
		}
		after = page[len(page)-1].Card.Register
	}
	return con.result(all, func(w io.Writer) {
		if len(all) == 0 {
			con.hint("No registers. `ofd register add --help` tells how to make one.")
			return
		}
		var rows [][]string
		for _, r := range all {
			shift := strconv.FormatUint(uint64(r.Shift), 10)
			if r.ShiftOpen {
				shift += " open"
			}
			row := []string{
				strconv.FormatInt(int64(r.ID), 10), r.Status.String(), r.RegistrationNumber, string(r.XIN), r.Title, r.Model, r.SerialNumber, shift,
			}
			if russians {
				row = append(row, r.Drive, optional(r.SilentDays), optional(r.DaysLeft))
			}
			rows = append(rows, row)
		}
		head := []string{"REGISTER", "STATUS", "NUMBER", "BIN", "OWNER", "MODEL", "SERIAL", "SHIFT"}
		if russians {
			head = append(head, "DRIVE", "DAYS SILENT", "DAYS LEFT")
		}
		table(w, head, rows)
	})
}

// optional is a number that may not be known.
func optional(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

func inList(l *registry.Listed, now time.Time, law policy.Policy) (listedRegister, error) {
	r := listedRegister{
		ID: l.Card.Register, Status: l.State.Status, RegistrationNumber: l.Card.RegistrationNumber, Provisional: l.Card.Provisional,
		XIN: l.Card.XIN, Title: l.Card.Title.In("ru"), Model: l.Card.Model, SerialNumber: l.Card.SerialNumber,
		Shift: l.State.Shift.Number, ShiftOpen: l.State.Shift.Open, Entries: l.State.LastNumber,
	}
	if l.LastContact != nil {
		r.LastContact = &l.LastContact.At
	}
	if l.Card.Country != fiscal.Russia {
		return r, nil
	}
	drives, err := shownDrives(&l.Card, l.State, now, law)
	if err != nil {
		return r, fmt.Errorf("register %d: %w", r.ID, err)
	}
	r.Drive = l.Card.Drive
	for i := range drives {
		if d := &drives[i]; d.Current {
			r.Drive, r.SilentDays, r.DaysLeft = d.Number.String(), d.SilentDays, d.DaysLeft
		}
	}
	return r, nil
}

// partsWords are the parts of a register: what each is, and of which version.
func partsWords(parts []fiscal.Part) string {
	var all []string
	for _, p := range parts {
		all = append(all, strings.Join(strings.Fields(strings.Join([]string{string(p.Kind), p.Maker, p.Model, p.Version}, " ")), " "))
	}
	return strings.Join(all, ", ")
}

// serviceWords say under which contract a register is served.
func serviceWords(s *fiscal.Service, zone *time.Location) string {
	switch {
	case s.Contract == 0:
		return ""
	case !s.Ended.IsZero():
		return "its contract ended on " + s.Ended.In(zone).Format("2006-01-02")
	}
	return fmt.Sprintf("under contract %d", s.Contract)
}
