package cabinet

import (
	"net/url"
	"strings"

	"openofd/internal/fiscal"
)

// ParamPasted holds what somebody pasted: the text of a QR code, or an address
// that leads to a check.
const ParamPasted Param = "qr"

// maxPasted bounds a pasted text before anything is done with it.
const maxPasted = 2048

// Pasted finds the parameters of a check in a text that somebody pasted; ok is
// false if there are none. Whose receipt it is, the parameters say themselves.
func Pasted(text string) (values url.Values, ok bool) {
	if len(text) > maxPasted {
		return nil, false
	}
	text = strings.TrimSpace(text)
	if _, query, found := strings.Cut(text, "?"); found {
		text = query
	}
	text, _, _ = strings.Cut(text, "#")
	all, err := url.ParseQuery(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, false
	}
	country := CountryOf(all)
	values = url.Values{}
	for _, p := range Params(country) {
		if v := all.Get(string(p)); v != "" {
			values.Set(string(p), v)
		}
	}
	register := ParamRegister
	if country == fiscal.Russia {
		register = ParamDrive
	}
	return values, values.Has(string(register)) && values.Has(string(ParamCode))
}
