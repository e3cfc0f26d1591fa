package room

import (
	"strconv"

	"openofd/internal/fiscal"
)

// cardRow is a version of a register's card, with what it changed marked.
type cardRow struct {
	fiscal.Card
	When    string
	Fields  []cardField
	Changed int // how many fields differ from the version before
}

// cardField is a field of a version. Before is what the version before had, ""
// where nothing changed.
type cardField struct {
	Label, Value, Before string
	Changed              bool
}

// versions are the versions of a card, newest first, each held against the one
// before it. Source: order 135 items 18.1, 18.2.
func (a *visitor) versions(cards []fiscal.Card) (all []cardRow) {
	for i, c := range cards {
		row := cardRow{Card: c, When: a.locale.Moment(c.Since, c.Location())}
		fields := a.cardFields(&c)
		var before []cardField
		if i+1 < len(cards) {
			before = a.cardFields(&cards[i+1])
		}
		for j, f := range fields {
			if before != nil && before[j].Value != f.Value {
				f.Changed, f.Before = true, before[j].Value
				row.Changed++
			}
			if f.Value != "" || f.Changed {
				row.Fields = append(row.Fields, f)
			}
		}
		all = append(all, row)
	}
	return all
}

// cardFields are all fields of a card, in one order.
func (a *visitor) cardFields(c *fiscal.Card) (all []cardField) {
	l := a.locale
	add := func(key, value string) { all = append(all, cardField{Label: l.T(key), Value: value}) }
	number := func(n int) string { return numberText(int64(n)) }
	add("register.name", c.Name)
	add("register.number", c.RegistrationNumber)
	add("link.owner.title", c.Title.In(l.Lang))
	add("link.owner.number", string(c.XIN))
	add("organization.address", c.LegalAddress.In(l.Lang))
	add("organization.oked", c.OKED)
	vat := ""
	if c.VATPercent > 0 {
		vat = percentText(c.VATPercent)
	}
	add("organization.vat", vat)
	add("organization.vat_certificate", c.VATCertificate)
	add("register.outlet", c.OutletTitle.In(l.Lang))
	add("application.field.outlet_address", c.OutletAddress.In(l.Lang))
	add("outlet.zone", c.Zone)
	add("register.model", c.Model)
	add("register.serial", c.SerialNumber)
	add("register.year", number(c.ManufactureYear))
	add("register.drive", c.Drive)
	add("application.field.ffd", c.Format)
	parts := map[fiscal.PartKind]string{}
	for _, p := range c.Parts {
		parts[p.Kind] = partText(p)
	}
	for _, k := range fiscal.PartKinds() {
		add("register.part."+string(k), parts[k])
	}
	connection := ""
	if c.Connection != "" {
		connection = l.T("register.connection." + string(c.Connection))
	}
	add("application.field.connection", connection)
	add("application.field.sim", c.SIM)
	application := ""
	if c.Application != 0 {
		application = "№ " + strconv.FormatInt(c.Application, 10)
	}
	add("application.application", application)
	return all
}

// partFacts are the parts of a register and its link, as its page shows them.
// Source: requirements E-070, P-102.
func (a *visitor) partFacts(c *fiscal.Card) (all []fact) {
	for _, k := range fiscal.PartKinds() {
		for _, p := range c.Parts {
			if p.Kind == k {
				all = append(all, fact{a.locale.T("register.part." + string(k)), partText(p)})
			}
		}
	}
	if c.Software != "" && len(c.Parts) == 0 {
		all = append(all, fact{a.locale.T("register.part." + string(fiscal.PartSoftware)), c.Software})
	}
	if c.Connection != "" {
		all = append(all, fact{a.locale.T("application.field.connection"), a.locale.T("register.connection." + string(c.Connection))})
	}
	if c.SIM != "" {
		all = append(all, fact{a.locale.T("application.field.sim"), c.SIM})
	}
	return all
}
