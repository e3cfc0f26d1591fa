package main

import (
	"errors"
	"strings"

	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	"openofd/internal/intake"
	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

var _ intake.Rules = (*kkt.Rules)(nil)

// newRussianRules are Russia's rules. nil severities are those of the table.
func newRussianRules(service fiscal.ServiceRule, severities *ffd.Severities) *kkt.Rules {
	law := policy.For(fiscal.Russia)
	return &kkt.Rules{Severities: severities, Service: service, Law: func(day fiscal.WallTime) kkt.Law {
		return kkt.Law{Shift: law.Shift(day), Offline: law.Offline(day), Grace: law.Grace(day), Marking: law.Marking(day)}
	}}
}

// cryptoModule is who holds the keys of fiscal drives; nil is nobody.
func cryptoModule(c config.Crypto) kkt.CryptoModule {
	switch c.Name {
	case config.CryptoSIM1:
		return kkt.NewSIM1(kkt.SIM1TestKey())
	case config.CryptoNone:
		return kkt.Plain{}
	}
	return nil
}

// checkRussia reports a door for registers of Russia behind which nobody could
// answer them.
func checkRussia(f *config.File) error {
	switch {
	case f.KKTAddr.HostPort == "":
		return nil
	case f.KKTCrypto.Name == "":
		return withHint(errors.New("--kkt-addr is open, but there are no keys of fiscal drives"),
			"--kkt-crypto sim1 serves simulated drives; for real ones a certified module has to be built in")
	case f.Operator.INN.Number == "":
		return withHint(errors.New("--kkt-addr is open, but acknowledgements bear the operator's INN"), "Write inn = \"…\" under [operator] in ofd.toml")
	}
	return nil
}

// russian reports whether an entry is of Russia's protocol.
func russian(rec *fiscal.Record) bool { return strings.HasPrefix(rec.Format, "kkt/") }

// drives opens entries of Russia.
func (c *core) drives() kkt.Reader { return kkt.Reader{Module: c.module} }
