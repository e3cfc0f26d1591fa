package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The types here read themselves from text, so that a flag, the environment
// and the file are judged alike and say what is wrong with the same words.
// None of them is a string underneath: the TOML reader would fill one in
// without asking it.

// Addr is where a door listens: "host:port" or ":port"; "" is closed. The text
// "off" closes a door that is open by default.
type Addr struct{ HostPort string }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Addr) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "off" || s == "" {
		*a = Addr{}
		return nil
	}
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("%q is no address like 127.0.0.1:7777 or :7777", s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q: %q is no port from 0 to 65535", s, port)
	} else if n == 0 && port != "0" {
		return fmt.Errorf("%q: write port 0 as 0", s)
	}
	a.HostPort = s
	return nil
}

// DB is the address of a database server, postgres://…; "" is the embedded
// database.
type DB struct{ URL string }

// UnmarshalText implements encoding.TextUnmarshaler. What it refuses it does
// not repeat, for an address may hold a password.
func (d *DB) UnmarshalText(text []byte) error {
	u, err := url.Parse(string(text))
	switch {
	case len(text) == 0:
	case err != nil, u.Scheme != "postgres" && u.Scheme != "postgresql":
		return fmt.Errorf("not a database address like postgres://host/name")
	default:
		if _, secret := u.User.Password(); secret {
			return fmt.Errorf("a database address must hold no password; use a password file (PGPASSFILE) or a certificate")
		}
	}
	d.URL = string(text)
	return nil
}

// Size counts bytes: "512KiB", "256MiB", "2GiB" or plain "65536".
type Size int64

// sizeUnits runs from the largest down, as String needs it.
var sizeUnits = []struct {
	name  string
	bytes Size
}{
	{"GiB", 1 << 30},
	{"MiB", 1 << 20},
	{"KiB", 1 << 10},
	{"B", 1},
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(text []byte) error {
	digits, unit := strings.TrimSpace(string(text)), Size(1)
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(digits, u.name); ok {
			digits, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || digits[0] == '+' {
		return fmt.Errorf("%q is no size like 256MiB", text)
	}
	const most = 1<<63 - 1
	if n > most/int64(unit) {
		return fmt.Errorf("%q is more than can be counted", text)
	}
	*s = Size(n) * unit
	return nil
}

// String writes the size in the largest unit that divides it.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if s != 0 && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.name
		}
	}
	return "0B"
}

// Most is a limit that can be taken away: a number above 0, or the text "off".
// Without it the default holds, and N is 0; off it is -1.
type Most struct{ N int }

// Off is no limit at all.
func Off() Most { return Most{-1} }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *Most) UnmarshalText(text []byte) error {
	if string(text) == "off" {
		*m = Off()
		return nil
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(string(text), "_", ""), 10, 32)
	if err != nil || n <= 0 {
		return fmt.Errorf("%q is no limit: a number of 1 or more, or off", text)
	}
	m.N = int(n)
	return nil
}

// Duration is a span of time: "90s", "2m", "1h30m". It is never negative.
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	span, err := time.ParseDuration(string(text))
	if err != nil || span < 0 {
		return fmt.Errorf("%q is no span of time like 90s or 2m", text)
	}
	*d = Duration(span)
	return nil
}

// Date is a day of the calendar, "2026-04-01", in no zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Date) UnmarshalText(text []byte) error {
	day, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("%q is no date like 2026-04-01", text)
	}
	d.Year, d.Month, d.Day = day.Date()
	return nil
}

// In returns the instant at which the day begins in a zone.
func (d Date) In(zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, zone)
}

// String writes the date as it is read.
func (d Date) String() string { return d.In(time.UTC).Format(time.DateOnly) }

// Site is the address of our pages, "https://check.example.kz", without a
// slash at the end: what follows is appended to it.
type Site struct{ URL string }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Site) UnmarshalText(text []byte) error {
	u, err := url.Parse(string(text))
	if len(text) > 0 && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil) {
		return fmt.Errorf("%q is no address like https://check.example.kz", text)
	}
	s.URL = strings.TrimRight(string(text), "/")
	return nil
}

// Part is one of the things a process of ours can do.
type Part uint8

// The parts, all of which a process does unless told otherwise.
const (
	_             Part = iota
	PartGate           // registers' door
	PartWeb            // people's door
	PartFollowers      // what reads the journal
)

var partNames = [...]string{PartGate: "gate", PartWeb: "web", PartFollowers: "followers"}

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Part) UnmarshalText(text []byte) error {
	i := slices.Index(partNames[:], string(text))
	if i <= 0 {
		return fmt.Errorf("%q is no part; there are gate, web and followers", text)
	}
	*p = Part(i)
	return nil
}

// String is the name by which the part is read.
func (p Part) String() string { return partNames[p] }

// Proxy is an address or a network whose word on a client's address we take.
type Proxy struct{ netip.Prefix }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Proxy) UnmarshalText(text []byte) error {
	s := string(text)
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		p.Prefix = netip.PrefixFrom(addr, addr.BitLen())
		return nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil || prefix != prefix.Masked() {
		return fmt.Errorf("%q is no address or network like 10.0.0.0/8", s)
	}
	p.Prefix = prefix
	return nil
}

// Crypto names who holds the keys of fiscal drives; the zero value is nobody,
// and then no register of Russia can be answered.
type Crypto struct{ Name string }

// The names of Crypto.
const (
	CryptoSIM1 = "sim1" // public test keys: simulated drives only
	CryptoNone = "none" // no sign is checked or made: registers under development only
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Crypto) UnmarshalText(text []byte) error {
	switch s := string(text); s {
	case "", CryptoSIM1, CryptoNone:
		c.Name = s
		return nil
	default:
		return fmt.Errorf("%q is no crypto module; there are sim1 and none", s)
	}
}
