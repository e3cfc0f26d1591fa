package main

import (
	"time"

	"openofd/internal/access"
	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	"openofd/internal/intake"
	"openofd/internal/keyring"
	"openofd/internal/protocol/kkm"
)

var _ intake.Rules = (*kkm.Rules)(nil)

// almaty is the zone of Kazakhstan, in which its dates begin. Source: order of
// the government on a single time zone, from 2024-03-01.
var almaty = time.FixedZone("Asia/Almaty", 5*60*60)

// newRules are Kazakhstan's rules with the choices of this installation.
func newRules(cfg config.KKM, service fiscal.ServiceRule, passwords *access.Passwords) *kkm.Rules {
	law := policy.For(fiscal.Kazakhstan)
	r := &kkm.Rules{
		Limits: func(day fiscal.WallTime) kkm.Limits {
			return kkm.Limits{Shift: law.Shift(day), Offline: law.Offline(day), Grace: law.Grace(day)}
		},
		SwitchOff:         make(map[kkm.Version]time.Time),
		MissingIsBadValue: cfg.MissingParameterCode == int(kkm.CodeIncorrectData),
		CheckPassword:     passwords.Verify,
		Service:           service,
	}
	for version, day := range cfg.SwitchOff {
		r.SwitchOff[kkm.Version(version.Number)] = day.In(almaty)
	}
	return r
}

// standardVAT is the standard rate of the day, in thousandths of a percent.
func standardVAT(now time.Time) uint32 {
	return policy.For(fiscal.Kazakhstan).At(fiscal.WallIn(now, almaty)).Standard()
}

// signs leads fiscal signs back to the numbers of their entries.
type signs struct{ ring *keyring.Ring }

// Numbers are the candidates, for each key that has made signs.
func (s signs) Numbers(r fiscal.RegisterID, sign uint64) []fiscal.Number {
	var all []fiscal.Number
	for _, k := range s.ring.All(fiscal.KeyForSign) {
		all = append(all, kkm.SignNumbers(&k, r, sign)...)
	}
	return all
}
