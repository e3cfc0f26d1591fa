package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Far is an authority across the network: a table of the file, and flags that
// begin with its name.
type Far struct {
	URL  FarURL `toml:"url" name:"url" env:"URL" placeholder:"URL" help:"Address of ${far}; without it nothing is forwarded there."`
	Cert string `toml:"cert" name:"cert" env:"CERT" type:"path" placeholder:"FILE" help:"Our certificate for ${far}, PEM."`
	Key  string `toml:"key" name:"key" env:"KEY" type:"path" placeholder:"FILE" help:"Private key of that certificate, PEM."`
	CA   string `toml:"ca" name:"ca" env:"CA" type:"path" placeholder:"FILE" help:"Whose certificates of ${far} are believed, PEM; without it the machine's own."`
}

// Check says what does not fit together; name is the table's.
func (f *Far) Check(name string) error {
	switch {
	case f.URL.URL == "" && *f != Far{}:
		return fmt.Errorf("[%s] says something, but no url", name)
	case (f.Cert == "") != (f.Key == ""):
		return errors.New("[" + name + "] a certificate needs its key, and a key its certificate")
	}
	return nil
}

// FarURL is the address of a far end. What leaves this machine is encrypted.
type FarURL struct{ URL string }

// UnmarshalText reads an address; nothing is none.
func (f *FarURL) UnmarshalText(text []byte) error {
	s := string(text)
	u, err := url.Parse(s)
	switch {
	case s == "":
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Host == "", u.RawQuery != "", u.Fragment != "", u.User != nil:
		return fmt.Errorf("%q is no address like https://exchange.example.kz", s)
	case u.Scheme == "http" && !own(u.Hostname()):
		return fmt.Errorf("%q: only https leaves this machine", s)
	}
	f.URL = strings.TrimRight(s, "/")
	return nil
}

// own reports whether a host is this machine.
func own(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
