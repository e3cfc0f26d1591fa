package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"openofd/internal/fiscal"
)

// DefaultName is the file that is read when none is named, if it is there.
const DefaultName = "ofd.toml"

// File is what ofd.toml says. Zero values mean that it says nothing, and the
// default of the package concerned holds.
type File struct {
	Serve

	Operator Operator `toml:"operator"`
	KKM      KKM      `toml:"kkm"`
	KKT      KKT      `toml:"kkt"`
	Limits   Limits   `toml:"limits"`
	Service  Service  `toml:"service"`
	Mail     Mail     `toml:"mail"`
	Access   Access   `toml:"access"`
	Till     Till     `toml:"till"`
	// Signature is whose electronic signatures are believed.
	Signature Signature `toml:"signature"`

	top map[string]any // what stands above the tables, as written
}

// Operator is who we are, as receipts and pages show it.
type Operator struct {
	Title   fiscal.Text `toml:"title"`
	BIN     BIN         `toml:"bin"`
	INN     INN         `toml:"inn"` // in Russia; it stands in acknowledgements
	Address fiscal.Text `toml:"address"`
	Ad      Notice      `toml:"ad"`
}

// At is the operator with the site where buyers check receipts.
func (o Operator) At(site Site) fiscal.Operator {
	return fiscal.Operator{
		Title:   o.Title,
		BIN:     fiscal.XIN(o.BIN.Number),
		INN:     fiscal.XIN(o.INN.Number),
		Address: o.Address,
		Site:    site.URL,
		Ad:      fiscal.Ad{Kind: fiscal.AdOperator, Version: o.Ad.Version, Text: o.Ad.Text},
	}
}

// Notice is a text that registers print below receipts. A register asks for it
// when its version is the lower one, so a new text needs a higher version.
type Notice struct {
	Text    string `toml:"text"`
	Version uint64 `toml:"version"`
}

// KKM is how we speak with registers of Kazakhstan.
type KKM struct {
	MaxSize              Size             `toml:"max_size"`     // of one message; default 1MiB
	IdleTimeout          Duration         `toml:"idle_timeout"` // of a connection; default 2m
	SwitchOff            map[Version]Date `toml:"switch_off"`   // days from which a protocol version is refused
	MissingParameterCode int              `toml:"missing_parameter_code"`
}

// Limits keeps one peer from taking what belongs to all.
type Limits struct {
	Connections             int  `toml:"connections"`                // of registers, together
	PerAddress              int  `toml:"per_address"`                // of registers, from one address
	Exchanges               Most `toml:"exchanges"`                  // with registers, under way together
	AddressFramesPerSecond  Most `toml:"address_frames_per_second"`  // of registers, from one address
	RegisterFramesPerSecond Most `toml:"register_frames_per_second"` // of one register, from one address
	CheckPerMinute          int  `toml:"check_per_minute"`           // buyer's checks from one address
}

// BIN is our own business identification number.
type BIN struct{ Number string }

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *BIN) UnmarshalText(text []byte) error {
	if err := fiscal.CheckXIN(fiscal.XIN(text), "bin"); len(text) > 0 && err != nil {
		return fmt.Errorf("%q is no BIN: 12 digits, of which the last checks the others", text)
	}
	b.Number = string(text)
	return nil
}

// INN is our own taxpayer's number in Russia.
type INN struct{ Number string }

// UnmarshalText implements encoding.TextUnmarshaler.
func (i *INN) UnmarshalText(text []byte) error {
	if len(text) > 0 && fiscal.CheckINN(fiscal.XIN(text), "inn") != nil {
		return fmt.Errorf("%q is no INN: 10 digits, of which the last checks the others", text)
	}
	i.Number = string(text)
	return nil
}

// Version is a protocol version as registers send it: 202 is 2.0.2.
type Version struct{ Number uint16 }

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *Version) UnmarshalText(text []byte) error {
	var n uint16
	for _, c := range text {
		if len(text) != 3 || c < '0' || c > '9' {
			return fmt.Errorf("%q is no protocol version like 202", text)
		}
		n = 10*n + uint16(c-'0')
	}
	if n == 0 {
		return fmt.Errorf("%q is no protocol version like 202", text)
	}
	v.Number = n
	return nil
}

// Open reads a file; see Parse.
func Open(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	return Parse(path, text)
}

// Parse reads a file's text. Every error begins with the file's name and, where
// one is known, the line. A key that we do not know is an error: a misspelled
// limit must not pass for none.
func Parse(name string, text []byte) (*File, error) {
	f := &File{}
	dec := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := dec.Decode(f); err != nil {
		return nil, explain(name, err)
	}
	if err := toml.Unmarshal(text, &f.top); err != nil {
		return nil, explain(name, err)
	}
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// explain puts the place in front of what the TOML reader complains of.
func explain(name string, err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		var all []error
		for _, e := range unknown.Errors {
			line, _ := e.Position()
			all = append(all, fmt.Errorf("%s:%d: unknown key %s", name, line, strings.Join(e.Key(), ".")))
		}
		return errors.Join(all...)
	}
	var at *toml.DecodeError
	if errors.As(err, &at) {
		line, _ := at.Position()
		what := strings.TrimPrefix(at.Error(), "toml: ")
		if key := strings.Join(at.Key(), "."); key != "" {
			return fmt.Errorf("%s:%d: %s: %s", name, line, key, what)
		}
		return fmt.Errorf("%s:%d: %s", name, line, what)
	}
	return fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "toml: "))
}

// check judges what a value's own form cannot tell.
func (f *File) check() error {
	switch c := f.KKM.MissingParameterCode; c {
	case 0, 13, 15:
	default:
		return fmt.Errorf("kkm.missing_parameter_code: %d is neither 15, as the protocol says, nor the kinder 13", c)
	}
	if s := f.KKM.MaxSize; s != 0 && (s < 4<<10 || s > 64<<20) {
		return fmt.Errorf("kkm.max_size: %v is not between 4KiB and 64MiB", s)
	}
	for _, limit := range []struct {
		key string
		n   int
	}{
		{"limits.connections", f.Limits.Connections},
		{"limits.per_address", f.Limits.PerAddress},
		{"limits.check_per_minute", f.Limits.CheckPerMinute},
	} {
		if limit.n < 0 {
			return fmt.Errorf("%s: %d is negative; leave the key out for the default", limit.key, limit.n)
		}
	}
	for _, far := range []struct {
		name string
		*Far
	}{{"kgd", &f.KGD}, {"fns", &f.FNS}} {
		if err := far.Check(far.name); err != nil {
			return err
		}
	}
	if err := f.Signature.Check(); err != nil {
		return err
	}
	if ad := f.Operator.Ad; ad.Text != "" && ad.Version == 0 {
		return errors.New("operator.ad.version: a text needs a version of 1 or more, or no register asks for it")
	}
	return nil
}
