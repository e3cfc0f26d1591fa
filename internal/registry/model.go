package registry

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"

	"openofd/internal/fiscal"
)

// Model is a line of the register of models. Source: requirements E-061, P-063.
type Model struct {
	Country     fiscal.Country
	Name        string
	Maker       string // "" is not told
	Kind        ModelKind
	Protocols   []string            // versions of the protocol or of the document format; none: not told
	Connections []fiscal.Connection // how it can be connected
}

// ModelKind says what a register is. Source: order 135 item 5.2.
type ModelKind string

// The kinds.
const (
	ModelDevice  ModelKind = "device"  // a device of its own
	ModelSystem  ModelKind = "system"  // a computer system or an application
	ModelPrinter ModelKind = "printer" // a fiscal printer, driven by another program
	ModelVending ModelKind = "vending" // built into an automatic machine
)

// ModelKinds lists them.
func ModelKinds() []ModelKind {
	return []ModelKind{ModelDevice, ModelSystem, ModelPrinter, ModelVending}
}

//go:embed models.tsv
var modelsFile string

var listedModels = sync.OnceValue(func() []Model {
	all, err := ReadModels(modelsFile)
	if err != nil {
		panic(err) // our own file, which a test reads
	}
	return all
})

// Models are a country's in the register of models that comes with the program.
func Models(c fiscal.Country) []Model {
	return slices.DeleteFunc(slices.Clone(listedModels()), func(m Model) bool { return m.Country != c })
}

// ReadModels reads a register of models: a line each of country, name, maker,
// kind, versions and connections, with tabs between them; a dash is not told,
// and lines that begin with # are for people. BadValue names the line.
func ReadModels(text string) (all []Model, err error) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m, why := readModel(line)
		if why != "" {
			return nil, &fiscal.Error{Reason: fiscal.BadValue, Field: fmt.Sprintf("line %d", n), Msg: why}
		}
		all = append(all, m)
	}
	return all, nil
}

func readModel(line string) (m Model, why string) {
	f := strings.Split(line, "\t")
	if len(f) != 6 {
		return m, fmt.Sprintf("%d columns, want 6", len(f))
	}
	for i := range f {
		if f[i] == "-" {
			f[i] = ""
		}
	}
	m = Model{Country: fiscal.Country(f[0]), Name: f[1], Maker: f[2], Kind: ModelKind(f[3])}
	if f[4] != "" {
		m.Protocols = strings.Split(f[4], ",")
	}
	for _, c := range strings.Split(f[5], ",") {
		m.Connections = append(m.Connections, fiscal.Connection(c))
		if !slices.Contains(fiscal.Connections(), fiscal.Connection(c)) {
			return m, fmt.Sprintf("no connection %q", c)
		}
	}
	_, served := countries[m.Country]
	switch {
	case !served:
		return m, fmt.Sprintf("no country %q", f[0])
	case checkLine("model", m.Name, maxModel, true) != nil:
		return m, fmt.Sprintf("no name %q", m.Name)
	case !slices.Contains(ModelKinds(), m.Kind):
		return m, fmt.Sprintf("no kind %q", f[3])
	case m.Kind == ModelSystem && !slices.Equal(m.Connections, []fiscal.Connection{fiscal.ConnectionWired}):
		return m, "a system is wired"
	}
	return m, ""
}

// Models are a country's in the register of models, an operator's own lines
// before ours.
func (o *Office) Models(c fiscal.Country) []Model {
	return slices.Concat(slices.DeleteFunc(slices.Clone(o.models), func(m Model) bool { return m.Country != c }), Models(c))
}

// AddModels adds an operator's own lines to the register of models, before the
// office is used.
func (o *Office) AddModels(all []Model) { o.models = append(o.models, all...) }

// Model is the line with a name, whatever its letters look like; nil if there is
// none. An operator's own line goes before ours.
func (o *Office) Model(c fiscal.Country, name string) *Model {
	want := looks(name)
	for _, all := range [][]Model{o.models, listedModels()} {
		for i := range all {
			if all[i].Country == c && looks(all[i].Name) == want {
				m := all[i]
				return &m
			}
		}
	}
	return nil
}

// SuggestModels are models of which the name, a word of it or the maker begins
// as typed: in capitals or not, in Cyrillic letters or in Latin ones that look or
// sound like them. Those whose name begins so come first.
func (o *Office) SuggestModels(c fiscal.Country, prefix string, limit int) []Model {
	type found struct {
		Model
		rank int
	}
	seen, sounded := looks(prefix), sounds(prefix)
	if seen == "" || limit <= 0 {
		return nil
	}
	begins := func(s string) bool {
		return strings.HasPrefix(looks(s), seen) || strings.HasPrefix(sounds(s), sounded)
	}
	var all []found
	for _, m := range slices.Concat(o.models, listedModels()) {
		if m.Country != c || slices.ContainsFunc(all, func(had found) bool { return had.Name == m.Name }) {
			continue
		}
		switch {
		case begins(m.Name):
			all = append(all, found{m, 0})
		case slices.ContainsFunc(fromWords(m.Name), begins):
			all = append(all, found{m, 1})
		case m.Maker != "" && begins(m.Maker):
			all = append(all, found{m, 2})
		}
	}
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Or(cmp.Compare(a.rank, b.rank), strings.Compare(a.Name, b.Name)) })
	out := make([]Model, 0, min(limit, len(all)))
	for _, f := range all[:min(limit, len(all))] {
		out = append(out, f.Model)
	}
	return out
}

// fromWords is a name from each of its words but the first on.
func fromWords(name string) (all []string) {
	inside := true
	for i, r := range name {
		word := unicode.IsLetter(r) || unicode.IsDigit(r)
		if word && !inside {
			all = append(all, name[i:])
		}
		inside = word
	}
	return all
}

// lookalikes are small Cyrillic letters and the Latin ones whose capitals look
// the same.
var lookalikes = strings.NewReplacer("а", "a", "в", "b", "е", "e", "к", "k", "м", "m", "н", "h", "о", "o", "р", "p", "с", "c", "т", "t", "у", "y", "х", "x", "і", "i", "ё", "e")

// romanized are small Cyrillic letters and how they sound.
var romanized = strings.NewReplacer("а", "a", "ә", "a", "б", "b", "в", "v", "г", "g", "ғ", "g", "д", "d", "е", "e", "ё", "e", "ж", "zh", "з", "z", "и", "i", "й", "i",
	"к", "k", "қ", "k", "л", "l", "м", "m", "н", "n", "ң", "n", "о", "o", "ө", "o", "п", "p", "р", "r", "с", "s", "т", "t", "у", "u", "ұ", "u", "ү", "u", "ф", "f",
	"х", "h", "һ", "h", "ц", "c", "ч", "ch", "ш", "sh", "щ", "sch", "ъ", "", "ы", "y", "і", "i", "ь", "", "э", "e", "ю", "yu", "я", "ya")

// looks folds a name by how its letters look, sounds by how they sound; marks and
// spaces do not count.
func looks(s string) string  { return lookalikes.Replace(bare(s)) }
func sounds(s string) string { return romanized.Replace(bare(s)) }

func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}
