package cabinet

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"openofd/internal/fiscal"
)

// Filter says which documents a list shows. The zero value shows all.
type Filter struct {
	From, Until fiscal.WallTime // of the register's clock; Until is not included
	Kinds       []fiscal.DocumentKind
	Op          fiscal.Op
	Outlet      fiscal.OutletID
	Register    fiscal.RegisterID
	Shift       uint32 // of Register
	Least, Most *fiscal.Money
	Cashier     string
	Goods       string // words, each the beginning of one in a name
	Code        string // digits: a sign, or a number on paper
	Offline     bool
	Canceled    bool
	Findings    bool
	Any         string // whatever a person holds, see Guess
}

// newer orders places, newest first.
func newer(a, b Place) int {
	return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(b.Seq, a.Seq))
}

// outletsApart is up to how many outlets are walked through one by one.
const outletsApart = 16

// plain is the filter as a walk by place; nil if nothing can come through.
func (f *Filter) plain(s *Scope) (*Scan, error) {
	if s.taxpayer == 0 {
		return nil, errNobody
	}
	scan := &Scan{
		From: f.From, Until: f.Until, Kinds: f.Kinds, Op: f.Op, Register: f.Register, Shift: f.Shift,
		Least: f.Least, Most: f.Most, Goods: words(f.Goods),
		Offline: f.Offline, Canceled: f.Canceled, Findings: f.Findings, Outlets: s.outlets,
	}
	if who := strings.TrimSpace(f.Cashier); who != "" {
		scan.Keys = []Key{personKey(who)}
	}
	if f.Outlet != 0 {
		if !s.sees(f.Outlet) {
			return nil, nil
		}
		scan.Outlets = []fiscal.OutletID{f.Outlet}
	}
	return scan, nil
}

// scans are the walks that together find what the filter lets through, each
// along the rarest thing that is asked for.
func (f *Filter) scans(s *Scope) ([]Scan, error) {
	base, err := f.plain(s)
	if err != nil || base == nil {
		return nil, err
	}
	scans := []Scan{*base}
	if f.Code != "" {
		if scans = withCode(*base, f.Code); len(scans) == 0 {
			return nil, nil
		}
	}
	coded := f.Code != ""
	if held := strings.TrimSpace(f.Any); held != "" {
		coded = true
		var guessed []Scan
		for _, scan := range scans {
			guessed = append(guessed, guess(scan, held)...)
		}
		scans = guessed
	}
	var apart []Scan
	for _, scan := range scans {
		apart = append(apart, scan.apart(coded)...)
	}
	return apart, nil
}

// apart are the walks by which a scan is made: one by the rarest thing that is
// asked for, or one for each kind or outlet that has an index of its own. coded
// says that it has the key of a sign or a number already.
func (s Scan) apart(coded bool) (all []Scan) {
	if k := s.rarest(); k != 0 && !(s.Register != 0 && s.common(k)) {
		s.Keys = append(s.Keys[:len(s.Keys):len(s.Keys)], k)
		if !coded {
			slices.Reverse(s.Keys) // who was at the register is asked last
		}
	}
	switch {
	case len(s.Keys) > 0 || s.Register != 0:
	case len(s.Kinds) > 1 && !slices.Contains(s.Kinds, fiscal.DocReceipt):
		for _, k := range s.Kinds { // few among the receipts
			s.Kinds, s.Keys = []fiscal.DocumentKind{k}, []Key{numberKey(keyKind, uint64(k))}
			all = append(all, s)
		}
		return all
	case len(s.Outlets) > 1 && len(s.Outlets) <= outletsApart:
		for _, o := range s.Outlets {
			s.Outlets = []fiscal.OutletID{o}
			all = append(all, s)
		}
		return all
	}
	return []Scan{s}
}

// common reports whether a taxpayer has so many documents with a key that those
// of one register are fewer.
func (s *Scan) common(k Key) bool {
	exact := s.Total != nil || s.Least != nil && s.Most != nil && *s.Least == *s.Most || s.Canceled || s.Shift != 0
	return !exact && (s.Op == 0 || k == numberKey(keyOp, uint64(s.Op)))
}

// rarest is the key of what is likely to be the rarest of what a walk asks for,
// 0 if it has to be made by place.
func (s *Scan) rarest() Key {
	longest := ""
	for _, w := range s.Goods {
		if len(w) > len(longest) {
			longest = w
		}
	}
	switch {
	case s.Total != nil:
		return numberKey(keyTotal, uint64(*s.Total))
	case s.Least != nil && s.Most != nil && *s.Least == *s.Most:
		return numberKey(keyTotal, uint64(*s.Least))
	case s.Canceled:
		return CanceledKey()
	case s.Shift != 0 && s.Register != 0:
		return shiftKey(s.Register, s.Shift)
	case utf8.RuneCountInString(longest) > 1: // one letter is no key
		return wordKey(longest)
	case s.Findings:
		return numberKey(keyMark, markFinding)
	case len(s.Kinds) == 1 && s.Kinds[0] != fiscal.DocReceipt:
		return numberKey(keyKind, uint64(s.Kinds[0]))
	case s.Op > fiscal.OpSale:
		return numberKey(keyOp, uint64(s.Op))
	case s.Offline:
		return numberKey(keyMark, markOffline)
	}
	return 0
}

// Limited reports whether the filter asks for anything but kinds.
func (f *Filter) Limited() bool {
	g := *f
	g.Kinds = nil
	return g.From != 0 || g.Until != 0 || g.Op != 0 || g.Outlet != 0 || g.Register != 0 || g.Shift != 0 || g.Least != nil || g.Most != nil ||
		g.Cashier+g.Goods+g.Code+g.Any != "" || g.Offline || g.Canceled || g.Findings
}
