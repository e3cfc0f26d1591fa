package till_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// modern is what browsers of 2018 do not know: Chrome 67, which Android 8.1 came
// with, and Safari of iOS 12.4. What may stand after a guard is not here.
var modern = map[string][]struct {
	what    string
	pattern *regexp.Regexp
}{
	".js": {
		{"optional chaining", regexp.MustCompile(`\?\.[A-Za-z_$\[(]`)},
		{"nullish coalescing or logical assignment", regexp.MustCompile(`\?\?|&&=|\|\|=`)},
		{"private fields", regexp.MustCompile(`this\.#|^\s+#[a-z]`)},
		{"fields of classes", regexp.MustCompile(`^\s+static [a-z]+ =`)},
		{"optional catch binding", regexp.MustCompile(`catch \{`)},
		{"spread of objects", regexp.MustCompile(`\{\s*\.\.\.`)},
		{"lookbehind", regexp.MustCompile(`\(\?<[=!]`)},
		{"named groups and other flags of expressions", regexp.MustCompile(`\(\?<[a-z]|/[a-z]*[dsv][a-z]*\.(test|exec)\(`)},
		{"numeric separators and big integers", regexp.MustCompile(`\b[0-9]+_[0-9]|\b[0-9]+n\b|BigInt`)},
		{"globalThis", regexp.MustCompile(`\bglobalThis\b`)},
		{"import() and modules", regexp.MustCompile(`\bimport\s*\(|^\s*(import|export) `)},
		{"for await", regexp.MustCompile(`for await`)},
		{"methods of arrays and strings since 2018", regexp.MustCompile(`\.(flat|flatMap|replaceAll|at|toSorted|toReversed|findLast|trimStart|trimEnd)\(`)},
		{"matchAll of strings", regexp.MustCompile(`[a-z)]\.matchAll\(/`)},
		{"Object.fromEntries", regexp.MustCompile(`Object\.(fromEntries|groupBy|hasOwn)`)},
		{"promises since 2018", regexp.MustCompile(`Promise\.(allSettled|any|withResolvers)`)},
		{"structuredClone, randomUUID, AbortSignal.timeout", regexp.MustCompile(`structuredClone|randomUUID\(|AbortSignal\.(timeout|any)`)},
		{"dialog", regexp.MustCompile(`showModal\(|createElement\("dialog"\)`)},
		{"replaceChildren, toggleAttribute, submit by requestSubmit", regexp.MustCompile(`\.(replaceChildren|toggleAttribute|requestSubmit)\(`)},
	},
	".css": {
		{":has, :is, :where", regexp.MustCompile(`:(has|is|where|not\([^)]*,)\(?`)},
		{"inset", regexp.MustCompile(`(^|[{;\s])inset(-[a-z-]+)?\s*:`)},
		{"aspect-ratio", regexp.MustCompile(`aspect-ratio\s*:`)},
		{"units of viewports", regexp.MustCompile(`[0-9](d|s|l)v(h|w)\b`)},
		{"color-mix, oklch and their like", regexp.MustCompile(`color-mix|oklch|oklab|light-dark`)},
		{"min, max, clamp", regexp.MustCompile(`[:\s(](min|max|clamp)\(`)},
		{"layers, containers, nesting", regexp.MustCompile(`@layer|@container|@scope|[{;]\s*&`)},
		{"logical properties of both sides", regexp.MustCompile(`(margin|padding|inset)-(inline|block)\s*:`)},
	},
}

var (
	cssComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	jsComment  = regexp.MustCompile(`(?m)(^|\s)//.*$`)
	rule       = regexp.MustCompile(`(?s)([^{}]*)\{([^{}]*)\}`)
)

// TestOldBrowsers: what the till ships, Android 8.1 and iOS 12.4 understand.
//
// Req: E-016, E-017
func TestOldBrowsers(t *testing.T) {
	const dir = "../ui/assets/till"
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		kind := filepath.Ext(f.Name())
		seen[kind]++
		for _, wrong := range tooNew(kind, string(text)) {
			t.Errorf("%s: %s", f.Name(), wrong)
		}
	}
	if seen[".js"] == 0 || seen[".css"] == 0 {
		t.Errorf("looked at %v: where are the scripts and sheets?", seen)
	}
}

func tooNew(kind, text string) (all []string) {
	if kind == ".css" {
		text = cssComment.ReplaceAllString(text, "")
	} else {
		text = jsComment.ReplaceAllString(text, "")
	}
	for _, line := range strings.Split(text, "\n") {
		for _, m := range modern[kind] {
			if m.pattern.MatchString(line) {
				all = append(all, m.what+": "+strings.TrimSpace(line))
			}
		}
	}
	if kind != ".css" {
		return all
	}
	gap := regexp.MustCompile(`(^|[;\s])(row-|column-)?gap\s*:`)
	for _, m := range rule.FindAllStringSubmatch(text, -1) {
		selector, body := strings.TrimSpace(m[1]), m[2]
		if gap.MatchString(body) && !strings.Contains(body, "grid") {
			all = append(all, "gap between what is not a grid: "+selector)
		}
		if strings.Contains(body, "position: sticky") && !strings.Contains(body, "-webkit-sticky") {
			all = append(all, "sticky without -webkit-sticky: "+selector)
		}
	}
	return all
}

// The test itself finds what it is for.
func TestOldBrowsersFinds(t *testing.T) {
	for _, c := range []struct {
		kind, text string
		wrong      bool
	}{
		{".js", "a?.b()", true},
		{".js", "a ? .5 : 1", false},
		{".js", "x = y ?? 1", true},
		{".js", "try { } catch { }", true},
		{".js", "// a?.b", false},
		{".js", "self.clients.matchAll()", false},
		{".js", "f({ ...a })", true},
		{".css", ".a { display: flex; gap: 1rem; }", true},
		{".css", ".a { display: grid; gap: 1rem; }", false},
		{".css", ".a { inset: 0; }", true},
		{".css", ".a { box-shadow: inset 0 0 0 1px red; }", false},
		{".css", ".a { height: 100dvh; }", true},
		{".css", ".a { grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); }", false},
		{".css", ".a { width: min(1rem, 2rem); }", true},
		{".css", ".a:is(b, c) { color: red; }", true},
		{".css", ".a { position: sticky; }", true},
	} {
		if got := tooNew(c.kind, c.text); len(got) > 0 != c.wrong {
			t.Errorf("%s %q: found %q, want something found: %t", c.kind, c.text, got, c.wrong)
		}
	}
}
