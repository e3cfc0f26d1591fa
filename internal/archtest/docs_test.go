package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// read returns a file of the tree by its path from the root.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestArchitectureNamesEveryRoom: who adds a package says in ARCHITECTURE.md
// what it is for.
func TestArchitectureNamesEveryRoom(t *testing.T) {
	page := read(t, "ARCHITECTURE.md")
	for _, p := range list(t) {
		r, ok := find(name(p.ImportPath))
		if !ok || !strings.HasPrefix(p.ImportPath, module+"internal/") {
			continue
		}
		room := roomOf(r.name, name(p.ImportPath))
		parent, _, _ := strings.Cut(room, "/")
		if !strings.Contains(page, room) && !regexp.MustCompile(parent+`/ .*\b`+strings.TrimPrefix(room, parent+"/")+`/ `).MatchString(page) {
			t.Errorf("ARCHITECTURE.md does not name %s", room)
		}
	}
}

// link is a reference to a file of the tree: [text](path) or [text](path#part).
var link = regexp.MustCompile(`\[[^\]]*\]\(([^)#:]+)(#[^)]*)?\)`)

// TestLinks follows every link between the documents, and to pictures.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root(t), "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"docs/*.md", "docs/adr/*.md"} {
		more, err := filepath.Glob(filepath.Join(root(t), pattern))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, more...)
	}
	followed := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			target := found[1]
			followed++
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), target)); err != nil {
				t.Errorf("%s links to %s, which is not there", filepath.Base(page), target)
			}
		}
	}
	if followed < 20 {
		t.Errorf("followed %d links, want all that the documents have", followed)
	}
}

// TestDivergencesNameRealOptions: an option that the page promises must be one
// of the card's.
func TestDivergencesNameRealOptions(t *testing.T) {
	card := read(t, "internal/fiscal/card.go")
	options := regexp.MustCompile("\\*[Oo]ption\\*\\s+`([a-z_]+)`").FindAllStringSubmatch(read(t, "docs/divergences.md"), -1)
	if len(options) < 5 {
		t.Fatalf("found %d options in docs/divergences.md, want all of them", len(options))
	}
	for _, option := range options {
		if !strings.Contains(card, `json:"`+option[1]+`,omitempty"`) {
			t.Errorf("docs/divergences.md promises the option %s, which fiscal.Options does not have", option[1])
		}
	}
}
