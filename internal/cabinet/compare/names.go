package compare

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"openofd/internal/fiscal"
)

// Names know the registers and outlets that receipts came from by whatever books
// may call them. The zero value knows none.
type Names struct {
	registers map[string][]fiscal.RegisterID
	outlets   map[string][]fiscal.OutletID
}

// Add adds a version of a register's card.
func (n *Names) Add(c *fiscal.Card) {
	if n.registers == nil {
		n.registers, n.outlets = map[string][]fiscal.RegisterID{}, map[string][]fiscal.OutletID{}
	}
	for _, name := range []string{strconv.FormatInt(int64(c.Register), 10), c.RegistrationNumber, c.SerialNumber, c.Name, c.Drive} {
		if name = normal(name); name != "" && !slices.Contains(n.registers[name], c.Register) {
			n.registers[name] = append(n.registers[name], c.Register)
		}
	}
	for _, name := range []string{c.OutletTitle.KK, c.OutletTitle.RU, c.OutletTitle.EN} {
		if name = normal(name); c.Outlet != 0 && name != "" && !slices.Contains(n.outlets[name], c.Outlet) {
			n.outlets[name] = append(n.outlets[name], c.Outlet)
		}
	}
}

// normal is a name as it is compared: letters and digits in lower case. Zeros in
// front of a number are what spreadsheets lose.
func normal(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
	if strings.Trim(s, "0123456789") == "" {
		s = strings.TrimLeft(s, "0")
	}
	return s
}

// place is where a row says that its receipt was made.
type place struct {
	registers []fiscal.RegisterID // sorted; with anywhere none
	outlets   []fiscal.OutletID   // likewise
	register  bool                // a register is told
	outlet    bool                // an outlet is told
}

func (p *place) fits(r *Receipt) bool {
	if p.register {
		if _, ok := slices.BinarySearch(p.registers, r.Register); !ok {
			return false
		}
	}
	if p.outlet {
		if _, ok := slices.BinarySearch(p.outlets, r.Outlet); !ok {
			return false
		}
	}
	return true
}

// only is the one register of a place, 0 if it may be of several.
func (p *place) only() fiscal.RegisterID {
	if len(p.registers) == 1 && !p.outlet {
		return p.registers[0]
	}
	return 0
}

// nowhere reports whether no receipt can be of the place.
func (p *place) nowhere() bool {
	return p.register && len(p.registers) == 0 || p.outlet && len(p.outlets) == 0
}

// places are those of rows, each once.
type places struct {
	all []place
	of  []int32 // by row
	// somewhere are those of all that receipts can be of.
	somewhere []int32
	// unknown are the names that no receipt answers to.
	unknown []string
}

func (n *Names) places(rows []Row) *places {
	type named struct{ register, outlet string }
	p, known := &places{of: make([]int32, len(rows))}, map[named]int32{}
	var last named
	lastAt := int32(-1)
	for i := range rows {
		name := named{rows[i].Register, rows[i].Outlet}
		if lastAt >= 0 && name == last {
			p.of[i] = lastAt
			continue
		}
		at, ok := known[name]
		if !ok {
			at = p.add(n, name.register, name.outlet)
			known[name] = at
		}
		p.of[i], last, lastAt = at, name, at
	}
	return p
}

// add is the place with these names; one that is there already under others is
// the same.
func (p *places) add(n *Names, register, outlet string) int32 {
	one := place{register: normal(register) != "", outlet: normal(outlet) != ""}
	if one.register {
		one.registers = slices.Sorted(slices.Values(n.registers[normal(register)]))
		if len(one.registers) == 0 {
			p.miss(register)
		}
	}
	if one.outlet {
		one.outlets = slices.Sorted(slices.Values(n.outlets[normal(outlet)]))
		if len(one.outlets) == 0 {
			p.miss(outlet)
		}
	}
	at := int32(len(p.all))
	if !one.nowhere() {
		for _, i := range p.somewhere {
			if q := &p.all[i]; q.register == one.register && q.outlet == one.outlet && slices.Equal(q.registers, one.registers) && slices.Equal(q.outlets, one.outlets) {
				return i
			}
		}
		p.somewhere = append(p.somewhere, at)
	}
	p.all = append(p.all, one)
	return at
}

// maxUnknown bounds how many names are told that nothing answers to.
const maxUnknown = 20

func (p *places) miss(name string) {
	if len(p.unknown) < maxUnknown && !slices.Contains(p.unknown, name) {
		p.unknown = append(p.unknown, name)
	}
}

// row is the place of a row.
func (p *places) row(i int) *place { return &p.all[p.of[i]] }

// covers tells of which receipts the books speak: of all, if they name no place
// or the whole is asked for, else of those at the places they name.
func (p *places) covers(whole bool) func(*Receipt) bool {
	registers, outlets := map[fiscal.RegisterID]bool{}, map[fiscal.OutletID]bool{}
	for i := range p.all {
		one := &p.all[i]
		if !one.register && !one.outlet {
			whole = true
		}
		for _, r := range one.registers {
			registers[r] = true
		}
		if !one.register {
			for _, o := range one.outlets {
				outlets[o] = true
			}
		}
	}
	return func(r *Receipt) bool { return whole || registers[r.Register] || outlets[r.Outlet] }
}
