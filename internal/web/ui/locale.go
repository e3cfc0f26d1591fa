package ui

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"openofd/internal/fiscal"
)

//go:embed locale
var localeFiles embed.FS

// Languages lists the languages of all pages, the state language first.
func Languages() []string { return []string{"kk", "ru", "en"} }

// official are the languages in which the law wants a receipt's labels (O-119).
func official() []string { return []string{"kk", "ru"} }

// Locale words keys in one language. Safe for concurrent use.
type Locale struct {
	Lang  string
	words map[string]word
}

// word is one text, or one for each plural form.
type word struct {
	text  string
	forms map[string]string
}

func (w *word) UnmarshalJSON(b []byte) error {
	if b[0] == '{' {
		return json.Unmarshal(b, &w.forms)
	}
	return json.Unmarshal(b, &w.text)
}

// Locales are all languages.
type Locales map[string]*Locale

// LoadLocales gives the embedded words. They are read once, whoever asks: nobody
// changes them.
func LoadLocales() (Locales, error) { return loadLocales() }

var loadLocales = sync.OnceValues(readLocales)

func readLocales() (Locales, error) {
	all := Locales{}
	for _, lang := range Languages() {
		rooms, err := fs.Glob(localeFiles, "locale/"+lang+"/*.json")
		if err != nil {
			return nil, err
		}
		l := &Locale{Lang: lang, words: map[string]word{}}
		for _, name := range append([]string{"locale/" + lang + ".json"}, rooms...) {
			if err := l.read(name); err != nil {
				return nil, fmt.Errorf("read the words of %s: %w", name, err)
			}
		}
		all[lang] = l
	}
	return all, nil
}

// read adds the words of a file: one for what everybody sees, and one for each
// room.
func (l *Locale) read(name string) error {
	b, err := localeFiles.ReadFile(name)
	if err != nil {
		return err
	}
	before := len(l.words)
	var words map[string]word
	if err := json.Unmarshal(b, &words); err != nil {
		return err
	}
	maps.Copy(l.words, words)
	if len(l.words) != before+len(words) {
		return errors.New("a key has words in another file too")
	}
	return nil
}

// Has reports whether there are words for key.
func (l *Locale) Has(key string) bool {
	_, ok := l.words[key]
	return ok
}

// T words a key. args are names and values of its placeholders, in turn; the
// value of "n" chooses the plural form. A key without words is shown as it is.
func (l *Locale) T(key string, args ...any) string {
	w, ok := l.words[key]
	if !ok {
		return key
	}
	text := w.text
	if w.forms != nil {
		n := 0
		if i := slices.Index(args, any("n")); i >= 0 && i+1 < len(args) {
			n, _ = args[i+1].(int)
		}
		text = w.forms[pluralForm(l.Lang, n)]
	}
	if len(args) < 2 {
		return text
	}
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		pairs = append(pairs, fmt.Sprintf("{%v}", args[i]), fmt.Sprint(args[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func pluralForm(lang string, n int) string {
	if n < 0 {
		n = -n
	}
	switch {
	case lang != "ru" && n == 1:
		return "one"
	case lang != "ru":
		return "other"
	case n%10 == 1 && n%100 != 11:
		return "one"
	case n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14):
		return "few"
	}
	return "many"
}

// For chooses the language of an answer: lang= in the address, else what the
// browser prefers, else fallback. There are no cookies.
func (all Locales) For(r *http.Request, fallback string) *Locale {
	return all[Negotiate(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"), fallback)]
}

// Negotiate chooses one of our languages: the one asked for, else the one that
// an Accept-Language header likes best, else fallback.
func Negotiate(asked, accept, fallback string) string {
	if slices.Contains(Languages(), asked) {
		return asked
	}
	best, weight := fallback, 0.0
	// A header of honest length has a dozen entries.
	for i, part := range strings.SplitN(accept, ",", 32) {
		if i == 31 {
			break
		}
		tag, params, _ := strings.Cut(part, ";")
		lang, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(v, 64); err != nil {
				continue
			}
		}
		if q > weight && slices.Contains(Languages(), lang) {
			best, weight = lang, q
		}
	}
	return best
}

// Also is a text in another language than the page's.
type Also struct{ Lang, Text string }

// Also words a key in the official languages that the page does not speak, as
// far as they say something else.
func (all Locales) Also(l *Locale, key string, args ...any) []Also {
	return all.alsoIn(l, official(), key, args...)
}

// Label words a key in the page's language and in what Also adds, as paper has it
// on one line.
func (all Locales) Label(l *Locale, key string, args ...any) string {
	s := l.T(key, args...)
	for _, also := range all.Also(l, key, args...) {
		s += " / " + also.Text
	}
	return s
}

func (all Locales) alsoIn(l *Locale, langs []string, key string, args ...any) []Also {
	var also []Also
	said := []string{l.T(key, args...)}
	for _, lang := range langs {
		text := all[lang].T(key, args...)
		if lang != l.Lang && !slices.Contains(said, text) {
			also = append(also, Also{lang, text})
			said = append(said, text)
		}
	}
	return also
}

// Texts are the wordings of t that a receipt shows: the reader's language
// first, then the official ones that say something else.
func (l *Locale) Texts(t fiscal.Text) []Also {
	by := map[string]string{"kk": t.KK, "ru": t.RU, "en": t.EN}
	var texts []Also
	for _, lang := range append([]string{l.Lang}, official()...) {
		if text := by[lang]; text != "" && !slices.ContainsFunc(texts, func(a Also) bool { return a.Text == text }) {
			texts = append(texts, Also{lang, text})
		}
	}
	if len(texts) == 0 && t.EN != "" {
		texts = append(texts, Also{"en", t.EN})
	}
	return texts
}
