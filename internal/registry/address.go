package registry

import (
	_ "embed"
	"strings"
	"sync"

	"openofd/internal/fiscal"
)

// Address is where something is, in the parts that forms ask for. The zero value
// is an address that was told as a text alone.
// Source: requirements E-051 to E-056.
type Address struct {
	Region   string `json:"region,omitempty"`   // code
	Locality string `json:"locality,omitempty"` // its Russian name, or as it was typed
	Street   string `json:"street,omitempty"`
	House    string `json:"house,omitempty"`
	Flat     string `json:"flat,omitempty"`
}

// Region is a part of a country with its cities and larger towns.
type Region struct {
	Code       string
	Name       fiscal.Text
	Localities []fiscal.Text
}

// places are the regions of the countries served: a line each of country, code,
// names in Kazakh, Russian and English, then localities; a locality is its name
// in Russian, with a slash between it and its Kazakh name where that differs.
// Kazakhstan's codes are the first two digits of KATO, Russia's those of its
// subjects.
//
//go:embed places.tsv
var places string

var regions = sync.OnceValue(func() map[fiscal.Country][]Region {
	all := map[fiscal.Country][]Region{}
	for line := range strings.Lines(places) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) < 6 {
			continue
		}
		r := Region{Code: f[1], Name: fiscal.Text{KK: f[2], RU: f[3], EN: f[4]}}
		for _, l := range strings.Split(f[5], ",") {
			ru, kk, ok := strings.Cut(l, "/")
			if !ok {
				kk = ru
			}
			r.Localities = append(r.Localities, fiscal.Text{RU: ru, KK: kk})
		}
		all[fiscal.Country(f[0])] = append(all[fiscal.Country(f[0])], r)
	}
	return all
})

// Regions lists a country's regions in the order of their codes. Nobody may
// change them.
func Regions(c fiscal.Country) []Region { return regions()[c] }

func regionOf(c fiscal.Country, code string) (Region, bool) {
	for _, r := range Regions(c) {
		if r.Code == code {
			return r, true
		}
	}
	return Region{}, false
}

// locality is a place of a region by its name in either language.
func (r *Region) locality(name string) (fiscal.Text, bool) {
	for _, l := range r.Localities {
		if strings.EqualFold(l.RU, name) || strings.EqualFold(l.KK, name) {
			return l, true
		}
	}
	return fiscal.Text{}, false
}

// check makes the parts as they are stored, and reports what is missing or does
// not fit. A place that we know must be in its region; villages are typed. A
// title is looked at first, for it stands above.
func (a *Address) check(c fiscal.Country, field string, title fiscal.Text) error {
	for _, s := range []*string{&a.Region, &a.Locality, &a.Street, &a.House, &a.Flat} {
		*s = strings.Join(strings.Fields(*s), " ")
	}
	if err := checkText(field, title, maxTitle, true); err != nil {
		return err
	}
	r, known := regionOf(c, a.Region)
	if a.Region == "" || !known {
		return &fiscal.Error{Reason: fiscal.MissingParameter, Field: "region"}
	}
	if err := first(
		checkLine("locality", a.Locality, maxShort, true),
		checkLine("street", a.Street, maxShort, true),
		checkLine("house", a.House, maxSerial, true),
		checkLine("flat", a.Flat, maxSerial, false),
	); err != nil {
		return err
	}
	if l, here := r.locality(a.Locality); here {
		a.Locality = l.RU
		return nil
	}
	for _, other := range Regions(c) {
		if l, there := other.locality(a.Locality); there {
			return &fiscal.Error{Reason: fiscal.BadValue, Field: "locality", Msg: "other_region", Err: &fiscal.Error{Of: fiscal.Invalid, Msg: l.RU + " is in " + other.Name.RU}}
		}
	}
	return nil
}

// Text words an address as receipts show it, in the official languages.
func (a *Address) Text(c fiscal.Country) fiscal.Text {
	r, ok := regionOf(c, a.Region)
	if !ok {
		return fiscal.Text{}
	}
	l, known := r.locality(a.Locality)
	if !known {
		l = fiscal.Text{RU: a.Locality, KK: a.Locality}
	}
	join := func(region, locality, flat string) string {
		parts := []string{region}
		if region != "город "+locality && region != locality+" қаласы" { // a city that is a region says so once
			parts = append(parts, locality)
		}
		parts = append(parts, a.Street, a.House)
		if a.Flat != "" {
			parts = append(parts, flat+a.Flat)
		}
		return strings.Join(parts, ", ")
	}
	t := fiscal.Text{RU: join(r.Name.RU, l.RU, "помещение ")}
	if c == fiscal.Kazakhstan {
		t.KK = join(r.Name.KK, l.KK, "үй-жай ")
	}
	return t
}
