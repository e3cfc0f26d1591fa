package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"openofd/internal/fiscal"
)

// cardFlags are what the registry says of a register. A flag that is not given
// leaves the card as it is.
type cardFlags struct {
	Title           *string  `help:"Name of the owner."`
	TitleKK         *string  `name:"title-kk" help:"The same in Kazakh."`
	Address         *string  `help:"Address of the owner, and of the outlet unless that has its own."`
	AddressKK       *string  `name:"address-kk" help:"The same in Kazakh."`
	Outlet          *string  `help:"Name of the place where the register stands; the owner's if not given."`
	OutletKK        *string  `name:"outlet-kk" help:"The same in Kazakh."`
	OutletAddress   *string  `help:"Address of that place."`
	OutletAddressKK *string  `name:"outlet-address-kk" help:"The same in Kazakh."`
	Lat             *degrees `placeholder:"DEGREES" help:"Latitude of the place: 43.2380."`
	Lon             *degrees `placeholder:"DEGREES" help:"Longitude of the place: 76.8890."`
	Zone            *string  `help:"Time zone of the place; that of the country if not given."`
	RNM             *string  `name:"rnm" placeholder:"NUMBER" help:"Registration number of the authority; without one a provisional number stands in."`
	Drive           *string  `name:"fn" placeholder:"NUMBER" help:"Number of the fiscal drive, for registers of Russia."`
	Year            *int     `help:"Year of manufacture."`
	Name            *string  `help:"The owner's own name for the register."`
	OKED            *string  `name:"oked" help:"Kind of activity of the owner."`
	TaxSystem       *uint32  `placeholder:"CODE" help:"Taxation system of the owner, as on the wire."`
	VAT             *percent `name:"vat" placeholder:"PERCENT" help:"VAT rate of the owner; without one it pays no VAT."`
	VATCertificate  *string  `name:"vat-certificate" help:"Series and number of the VAT certificate."`
	PaymentPoint    *string  `help:"Payment point, for registers of that kind."`
	Terminal        *string  `help:"Terminal, for registers of that kind."`
	Option          []string `placeholder:"NAME[=false]" help:"${options}"`
}

// apply writes the given flags into a card.
func (f *cardFlags) apply(c *fiscal.Card) error {
	set(&c.Title.RU, f.Title)
	set(&c.Title.KK, f.TitleKK)
	set(&c.LegalAddress.RU, f.Address)
	set(&c.LegalAddress.KK, f.AddressKK)
	set(&c.OutletTitle.RU, f.Outlet)
	set(&c.OutletTitle.KK, f.OutletKK)
	set(&c.OutletAddress.RU, f.OutletAddress)
	set(&c.OutletAddress.KK, f.OutletAddressKK)
	set(&c.Latitude, (*int32)(f.Lat))
	set(&c.Longitude, (*int32)(f.Lon))
	set(&c.Zone, f.Zone)
	set(&c.RegistrationNumber, f.RNM)
	set(&c.Drive, f.Drive)
	set(&c.ManufactureYear, f.Year)
	set(&c.Name, f.Name)
	set(&c.OKED, f.OKED)
	set(&c.TaxSystem, f.TaxSystem)
	set(&c.VATPercent, (*uint32)(f.VAT))
	set(&c.VATCertificate, f.VATCertificate)
	set(&c.PaymentPoint, f.PaymentPoint)
	set(&c.Terminal, f.Terminal)
	for _, o := range f.Option {
		if err := setOption(&c.Options, o); err != nil {
			return err
		}
	}
	return nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// setOption turns one option on, or off with "=false".
func setOption(o *fiscal.Options, text string) error {
	name, value, given := strings.Cut(text, "=")
	if !given {
		value = "true"
	}
	if value != "true" && value != "false" {
		return fmt.Errorf("--option %s: %q is neither true nor false", name, value)
	}
	for _, known := range optionNames() {
		if name == known {
			return json.Unmarshal([]byte(`{"`+name+`":`+value+`}`), o)
		}
	}
	return withHint(fmt.Errorf("--option %s: there is no such option", name), "There are "+strings.Join(optionNames(), ", "))
}

// optionNames are the options by the names of their JSON form.
func optionNames() []string {
	var names []string
	t := reflect.TypeFor[fiscal.Options]()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// firstText is the first of two that says anything.
func firstText(a, b fiscal.Text) fiscal.Text {
	if a == (fiscal.Text{}) {
		return b
	}
	return a
}
