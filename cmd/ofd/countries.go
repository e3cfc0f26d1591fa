package main

import (
	"openofd/internal/access"
	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/intake"
	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkt/ffd"
)

// countries are the rules of all countries that are served. The card says
// under which a register lives; the number on the wire, in which protocol it
// was asked for.
type countries struct{ kazakhstan, russia intake.Rules }

var _ intake.Rules = countries{}

func newCountries(cfg config.KKM, service fiscal.ServiceRule, severities *ffd.Severities, passwords *access.Passwords) countries {
	return countries{kazakhstan: newRules(cfg, service, passwords), russia: newRussianRules(service, severities)}
}

func (c countries) of(country fiscal.Country) intake.Rules {
	if country == fiscal.Russia {
		return c.russia
	}
	return c.kazakhstan
}

// protocolOf is the country in whose protocol an exchange speaks.
func protocolOf(x *fiscal.Exchange) fiscal.Country {
	if x.Address.Kind == fiscal.ByDrive {
		return fiscal.Russia
	}
	return fiscal.Kazakhstan
}

// Judge asks the country of the register. A register that is asked for in
// another country's protocol is not there for whoever asks.
func (c countries) Judge(s *fiscal.Situation) (fiscal.Decision, error) {
	if _, act := s.Exchange.Body.(fiscal.Act); !act && protocolOf(s.Exchange) != s.Card.Country {
		return c.Unknown(s.Exchange), nil
	}
	return c.of(s.Card.Country).Judge(s)
}

// Unknown words the refusal in the protocol of whoever asks.
func (c countries) Unknown(x *fiscal.Exchange) fiscal.Decision { return c.of(protocolOf(x)).Unknown(x) }

// open opens an entry with the decoder of its format.
func (c *core) open(rec *fiscal.Record) (fiscal.Document, error) {
	if russian(rec) {
		return c.drives().Read(rec)
	}
	return kkm.Read(rec)
}

func (c *core) read(rec fiscal.Record) (fiscal.Document, error) { return c.open(&rec) }
