package config

import "errors"

// Signature is whose electronic signatures are believed. Without roots no
// organization can be linked with an account.
type Signature struct {
	Roots string `toml:"roots"` // folder of authorities' certificates
	CRL   string `toml:"crl"`   // folder of their revocation lists; "" nothing is asked of revocation
}

// Check reports settings that cannot work.
func (s *Signature) Check() error {
	if s.Roots == "" && s.CRL != "" {
		return errors.New("[signature] says crl, but no roots")
	}
	return nil
}
