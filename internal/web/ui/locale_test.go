package ui

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/signature"
)

func locales(t *testing.T) Locales {
	t.Helper()
	all, err := LoadLocales()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// texts are all wordings of a key in one language.
func (w word) texts() []string {
	if w.forms == nil {
		return []string{w.text}
	}
	var all []string
	for _, form := range w.forms {
		all = append(all, form)
	}
	return all
}

// TestLocalesAgree: one key set, the same placeholders, the plural forms that
// each language has.
func TestLocalesAgree(t *testing.T) {
	all := locales(t)
	base := all["kk"]
	for _, l := range all {
		for key := range base.words {
			if !l.Has(key) {
				t.Errorf("%s lacks %q", l.Lang, key)
			}
		}
		for key, w := range l.words {
			other, ok := base.words[key]
			if !ok {
				t.Errorf("%s has %q, which kk lacks", l.Lang, key)
				continue
			}
			if (w.forms == nil) != (other.forms == nil) {
				t.Errorf("%q is counted in one of %s, kk and not in the other", key, l.Lang)
			}
			if w.forms != nil {
				var forms []string
				for form := range w.forms {
					forms = append(forms, form)
				}
				slices.Sort(forms)
				want := slices.Sorted(slices.Values(pluralForms(l.Lang)))
				if !slices.Equal(forms, want) {
					t.Errorf("%s %q has the forms %v, want %v", l.Lang, key, forms, want)
				}
			}
			want := placeholders(other.texts()[0])
			for _, text := range w.texts() {
				if got := placeholders(text); !slices.Equal(got, want) {
					t.Errorf("%s %q has the placeholders %v, kk %v", l.Lang, key, got, want)
				}
				if strings.TrimSpace(text) != text || text == "" {
					t.Errorf("%s %q is empty or has spaces around it: %q", l.Lang, key, text)
				}
			}
		}
	}
}

func placeholders(text string) []string {
	found := placeholder.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// TestLocaleKeysAreUsed: every key that a template or our code names has words,
// and there are no words that nobody asks for.
func TestLocaleKeysAreUsed(t *testing.T) {
	l := locales(t)["kk"]
	quoted := regexp.MustCompile(`"([a-z_]+(?:\.[A-Za-z0-9_]+)*)"`)
	used := map[string]bool{}
	look := func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || filepath.Ext(path) != ".go" && filepath.Ext(path) != ".html" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range quoted.FindAllSubmatch(text, -1) {
			key := string(m[1])
			used[key] = true
			if filepath.Ext(path) == ".html" && strings.Contains(string(text), `T "`+key+`"`) && !l.Has(key) {
				t.Errorf("%s words %q, which has no words", path, key)
			}
		}
		return nil
	}
	for _, root := range []string{"..", "../../authority/sandbox"} { // who has pages
		if err := filepath.WalkDir(root, look); err != nil {
			t.Fatal(err)
		}
	}
	// Keys put together from closed sets; each set is walked by a test.
	sets := []string{"op.", "pay.", "unit.", "month.", "kind.", "reason.", "requisite.", "param.", "verdict.", "item.", "tax.", "form.", "notmine.", "act.", "role.", "done.", "wrong.", "mail.", "signature.", "signing.wrong.", "standing.", "application.", "help.", "register.part.", "register.connection.", "zone.", "registers.sort.", "register.clock.", "organization.number.", "contract.kind.", "doc.", "did.", "finding.", "filter.", "list.empty.", "room.", "report.", "mark.", "authority.doc.", "authority.fault.", "authority.place.", "authority.differs.", "authority.kind.", "authority.status.", "authority.known.", "authority.by.", "authority.country.", "authority.done.", "right.", "api.", "till.wrong.", "compare.verdict.", "compare.column.", "compare.field.", "compare.titles.", "compare.words.", "compare.bad."}
	for key := range l.words {
		if !used[key] && !slices.ContainsFunc(sets, func(set string) bool { return strings.HasPrefix(key, set) }) {
			t.Errorf("nobody asks for %q", key)
		}
	}
}

// TestLocaleSets: every member of a closed set has words.
//
// Req: O-119
func TestLocaleSets(t *testing.T) {
	l := locales(t)["kk"]
	want := func(key string) {
		t.Helper()
		if !l.Has(key) {
			t.Errorf("%q has no words", key)
		}
	}
	for op := fiscal.OpSale; op.Settlement(); op++ {
		want("op." + op.String())
	}
	for _, p := range append(fiscal.Ways(), fiscal.PayNone) {
		want("pay." + p.String())
	}
	for _, k := range []fiscal.ItemKind{fiscal.ItemDiscount, fiscal.ItemMarkup} {
		want("item." + k.String())
	}
	for _, country := range []fiscal.Country{fiscal.Kazakhstan, fiscal.Russia} {
		for _, p := range cabinet.Params(country) {
			want("param." + string(p))
			want("form.error." + string(p))
		}
	}
	want("form.error." + string(cabinet.ParamPasted))
	for _, v := range cabinet.Verdicts() {
		want("verdict." + v.String() + ".title")
		want("verdict." + v.String() + ".text")
	}
	for _, a := range access.Acts() {
		want("act." + string(a))
	}
	for _, r := range access.Rights() {
		want("right." + r.String())
	}
	for _, r := range access.Roles() {
		want("role." + string(r))
		want("role." + string(r) + ".what")
	}
	for _, r := range signature.Reasons() {
		want("signature." + r.String() + ".what")
		want("signature." + r.String() + ".next")
		// The command line words them in English by itself.
		if en := locales(t)["en"]; en.T("signature."+r.String()+".what") != r.What() || en.T("signature."+r.String()+".next") != r.Advice() {
			t.Errorf("%v is worded %q, %q in English; the command line says %q, %q", r, en.T("signature."+r.String()+".what"), en.T("signature."+r.String()+".next"), r.What(), r.Advice())
		}
	}
	for _, r := range signature.Roles() {
		want("signature.role." + r.String())
	}
	for _, m := range access.MailKinds() {
		want("mail." + string(m) + ".subject")
		want("mail." + string(m) + ".text")
	}
	// Source: KKM reference §7.11.
	for _, code := range strings.Fields("796 116 163 161 164 160 168 162 112 111 110 113 006 021 003 004 005 008 055 059 061 356 359 360 362 642 625 728 736 778 868 931 5114") {
		want("unit." + code)
	}
}

func TestLocalePlural(t *testing.T) {
	all := locales(t)
	tests := []struct {
		lang string
		n    int
		want string
	}{
		{"ru", 1, "Повторите через 1 секунду."},
		{"ru", 2, "Повторите через 2 секунды."},
		{"ru", 5, "Повторите через 5 секунд."},
		{"ru", 11, "Повторите через 11 секунд."},
		{"ru", 21, "Повторите через 21 секунду."},
		{"ru", 112, "Повторите через 112 секунд."},
		{"ru", 104, "Повторите через 104 секунды."},
		{"en", 1, "Try again in 1 second."},
		{"en", 60, "Try again in 60 seconds."},
		{"kk", 1, "1 секундтан кейін қайталаңыз."},
		{"kk", 7, "7 секундтан кейін қайталаңыз."},
	}
	for _, tt := range tests {
		if got := all[tt.lang].T("reason.rate_limited.next", "n", tt.n); got != tt.want {
			t.Errorf("%s, %d: %q, want %q", tt.lang, tt.n, got, tt.want)
		}
	}
}

func TestNegotiate(t *testing.T) {
	tests := []struct{ asked, accept, want string }{
		{"", "", "kk"},
		{"ru", "en", "ru"},
		{"de", "en", "en"},
		{"", "en-US,en;q=0.9,ru;q=0.8", "en"},
		{"", "de, fr;q=0.9, ru;q=0.3", "ru"},
		{"", "en;q=0.5, kk-KZ;q=0.9, ru;q=0.8", "kk"},
		{"", "ru;q=0, en;q=0.1", "en"},
		{"", "RU-ru", "ru"},
		{"", "*", "kk"},
		{"", "ru;q=many, en", "en"},
		{"", strings.Repeat("de,", 100) + "ru", "kk"},
		{"", ";;;,,,;q=", "kk"},
	}
	for _, tt := range tests {
		if got := Negotiate(tt.asked, tt.accept, "kk"); got != tt.want {
			t.Errorf("Negotiate(%q, %.40q) = %q, want %q", tt.asked, tt.accept, got, tt.want)
		}
	}
}

func TestAlso(t *testing.T) {
	all := locales(t)
	tests := []struct {
		lang, key string
		want      []Also
	}{
		{"ru", "receipt.total", []Also{{"kk", "Жиыны"}}},
		{"kk", "receipt.total", []Also{{"ru", "Итого"}}},
		{"en", "receipt.total", []Also{{"kk", "Жиыны"}, {"ru", "Итого"}}},
		{"en", "item.barcode", nil},
		{"ru", "pay.credit", nil}, // one word in both
	}
	for _, tt := range tests {
		if got := all.Also(all[tt.lang], tt.key); !slices.Equal(got, tt.want) {
			t.Errorf("Also(%s, %s) = %v, want %v", tt.lang, tt.key, got, tt.want)
		}
	}
}

func TestTexts(t *testing.T) {
	all := locales(t)
	tests := []struct {
		lang string
		text fiscal.Text
		want []Also
	}{
		{"ru", fiscal.Text{KK: "ә", RU: "а", EN: "a"}, []Also{{"ru", "а"}, {"kk", "ә"}}},
		{"en", fiscal.Text{KK: "ә", RU: "а", EN: "a"}, []Also{{"en", "a"}, {"kk", "ә"}, {"ru", "а"}}},
		{"kk", fiscal.Text{RU: "а"}, []Also{{"ru", "а"}}},
		{"kk", fiscal.Text{EN: "a"}, []Also{{"en", "a"}}},
		{"kk", fiscal.Text{KK: "а", RU: "а"}, []Also{{"kk", "а"}}},
		{"kk", fiscal.Text{}, nil},
	}
	for _, tt := range tests {
		if got := all[tt.lang].Texts(tt.text); !slices.Equal(got, tt.want) {
			t.Errorf("Texts(%s, %v) = %v, want %v", tt.lang, tt.text, got, tt.want)
		}
	}
}

// pluralForms lists the forms of whole numbers.
// Source: Unicode CLDR, plural rules.
func pluralForms(lang string) []string {
	if lang == "ru" {
		return []string{"one", "few", "many"}
	}
	return []string{"one", "other"}
}
