package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

type taxpayerCmd struct {
	Add  taxpayerAddCmd  `cmd:"" help:"Write a taxpayer down. Registering a device does it as well."`
	Show taxpayerShowCmd `cmd:"" help:"A taxpayer and how many registers it has."`
	List taxpayerListCmd `cmd:"" help:"The taxpayers."`

	Contract taxpayerContractCmd `cmd:"" help:"A taxpayer's contracts; record one on paper, or its end."`
}

type taxpayerAddCmd struct {
	place
	Country        string     `default:"kz" help:"Whose taxpayer it is."`
	BIN            fiscal.XIN `name:"bin" aliases:"iin,inn" required:"" placeholder:"BIN" help:"BIN or IIN, in Russia --inn."`
	Title          string     `required:"" help:"Name."`
	TitleKK        string     `name:"title-kk" help:"The same in Kazakh."`
	Address        string     `help:"Legal address."`
	AddressKK      string     `name:"address-kk" help:"The same in Kazakh."`
	OKED           string     `name:"oked" help:"Kind of activity."`
	TaxSystem      uint32     `placeholder:"CODE" help:"Taxation system, as on the wire."`
	VAT            percent    `name:"vat" placeholder:"PERCENT" help:"VAT rate; without one it pays no VAT."`
	VATCertificate string     `name:"vat-certificate" help:"Series and number of the VAT certificate."`
}

func (c *taxpayerAddCmd) Run(con *console) error {
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	t, err := core.registry.AddTaxpayer(con.ctx, registry.NewTaxpayer{
		Country: fiscal.Country(c.Country), XIN: c.BIN, Title: fiscal.Text{RU: c.Title, KK: c.TitleKK},
		LegalAddress: fiscal.Text{RU: c.Address, KK: c.AddressKK}, OKED: c.OKED, TaxSystem: c.TaxSystem,
		VATPercent: uint32(c.VAT), VATCertificate: c.VATCertificate,
	})
	if errors.Is(err, fiscal.AlreadyThere) {
		return withHint(fmt.Errorf("taxpayer %s is there already", c.BIN), "See `ofd taxpayer show "+string(c.BIN)+"`")
	}
	if err != nil {
		return told(err)
	}
	return con.result(t, func(w io.Writer) { fmt.Fprintf(w, "Taxpayer %s is written down under number %d.\n", t.XIN, t.ID) })
}

// findTaxpayer is the one with this number, in whatever country.
func findTaxpayer(con *console, core *core, x fiscal.XIN) (registry.Taxpayer, error) {
	for _, country := range []fiscal.Country{fiscal.Kazakhstan, fiscal.Russia} {
		t, err := core.registry.Taxpayer(con.ctx, country, x)
		if !errors.Is(err, fiscal.NotFound) {
			return t, err
		}
	}
	return registry.Taxpayer{}, withHint(fmt.Errorf("there is no taxpayer %s", x), "`ofd taxpayer list` shows who there is")
}

type taxpayerShowCmd struct {
	place
	BIN fiscal.XIN `arg:"" name:"bin" help:"BIN, IIN or INN."`
}

func (c *taxpayerShowCmd) Run(con *console) error {
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	t, err := findTaxpayer(con, core, c.BIN)
	if err != nil {
		return err
	}
	return con.result(t, func(w io.Writer) {
		vat := "no VAT payer"
		if t.VATPercent != 0 {
			vat = percentWords(t.VATPercent)
		}
		facts(w, "taxpayer", strconv.FormatInt(int64(t.ID), 10), numberName(t.Country), string(t.XIN), "name", t.Title.In("ru"),
			"name in Kazakh", t.Title.KK, "address", t.Address.In("ru"), "kind of activity", t.OKED, "VAT", vat,
			"VAT certificate", t.VATCertificate, "since", t.Created.In(home(t.Country)).Format("2006-01-02"))
		con.hint("Its registers: `ofd register list --bin %s`.", t.XIN)
	})
}

// numberName is what the number of a country's taxpayers is called.
func numberName(c fiscal.Country) string {
	if c == fiscal.Russia {
		return "INN"
	}
	return "BIN"
}

// home is the zone in which a country's dates begin, where no outlet says more.
func home(c fiscal.Country) *time.Location {
	zone, err := time.LoadLocation(registry.ZoneOf(c))
	if err != nil {
		return time.UTC
	}
	return zone
}

// percentWords is a rate in thousandths as people read it: "12 %", "12.5 %".
func percentWords(p uint32) string {
	return (fiscal.Quantity(p) * (fiscal.OneUnit / 1000)).String() + " %"
}

type taxpayerListCmd struct{ place }

func (c *taxpayerListCmd) Run(con *console) error {
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	all := []registry.Taxpayer{}
	for after := fiscal.TaxpayerID(0); ; {
		page, err := core.registry.Taxpayers(con.ctx, after, listPage)
		if err != nil {
			return fmt.Errorf("list the taxpayers: %w", err)
		}
		all = append(all, page...)
		if len(page) < listPage {
			break
		}
		after = page[len(page)-1].ID
	}
	return con.result(all, func(w io.Writer) {
		if len(all) == 0 {
			con.hint("No taxpayers. The first comes with `ofd register add` or `ofd taxpayer add`.")
			return
		}
		var rows [][]string
		for _, t := range all {
			rows = append(rows, []string{strconv.FormatInt(int64(t.ID), 10), string(t.XIN), t.Title.In("ru"), t.Address.In("ru")})
		}
		table(w, []string{"TAXPAYER", "BIN", "NAME", "ADDRESS"}, rows)
	})
}
