package archtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPackageComments asks every package to say what it is for.
func TestPackageComments(t *testing.T) {
	for _, p := range list(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment", name(p.ImportPath))
		}
	}
}

// strangers are words that have no place in a tracked file. The list is for
// what a reader of this tree alone could not follow, and for the few words the
// glossary bans because they mean two things.
var strangers = []struct {
	stems []string // one of them stands in every text that word finds; quick to look for
	word  *regexp.Regexp
	why   string
}{
	{[]string{"/work/"}, regexp.MustCompile(`(?m:^|[^\w.])/work/`), "a path of one machine"},
	{[]string{"FIXME", "XXX", "TBD"}, regexp.MustCompile(`\b(FIXME|XXX|TBD)\b`), "say what is missing, where a user looks for it"},
	{[]string{"ashbox", "ashBox"}, regexp.MustCompile(`\b[Cc]ash[Bb]ox`), "the glossary says register"},
	{[]string{"Provider", "Refund", "Chek", "Smena"}, regexp.MustCompile(`\b(type|func) (\([^)]*\) )?(Provider|Refund|Chek|Smena)\b`), "the glossary has a better name"},
	{[]string{"Session"}, regexp.MustCompile(`\btype Session\b`), "the glossary says shift; a browser's session belongs to access"},
	{[]string{"\ufeff"}, regexp.MustCompile("\ufeff"), "byte order mark"},
	{[]string{"<<<<<<<", ">>>>>>>"}, regexp.MustCompile(`(?m)^(<{7}|>{7}) `), "left by a merge"},
}

// TestStrangers reads every text that git tracks.
func TestStrangers(t *testing.T) {
	cmd := exec.Command("git", "ls-files", "-z")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Skip("no git here, so no list of the tracked files")
	}
	for _, path := range strings.Split(strings.TrimRight(string(out), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(root(t), path))
		if err != nil || bytes.IndexByte(text, 0) >= 0 || vendored(path) {
			continue // removed since, binary, or not of our writing
		}
		if stranger(string(text)) == "" || path == "internal/access/session.go" {
			continue
		}
		for i, line := range strings.Split(string(text), "\n") {
			if complaint := stranger(line); complaint != "" {
				t.Errorf("%s:%d %s", path, i+1, complaint)
			}
		}
	}
}

// vendored files are other people's words; this file holds the list itself.
func vendored(path string) bool {
	return path == "internal/archtest/words_test.go" || strings.Contains(path, "/vendor/") || path == "go.sum"
}

// stranger returns what is wrong with the first strange word of a text.
func stranger(text string) string {
	for _, s := range strangers {
		if !slices.ContainsFunc(s.stems, func(stem string) bool { return strings.Contains(text, stem) }) {
			continue
		}
		if found := s.word.FindString(text); found != "" {
			return fmt.Sprintf("%q: %s", strings.TrimSpace(found), s.why)
		}
	}
	return ""
}

func TestStranger(t *testing.T) {
	tests := []struct{ line, want string }{
		{"data is kept in /work/x", `"/work/": a path of one machine`},
		{"type Refund struct {", `"type Refund": the glossary has a better name`},
		{"// FIXME later", `"FIXME": say what is missing, where a user looks for it`},
		{"the cashbox is open", `"cashbox": the glossary says register`},
		{"<<<<<<< HEAD", `"<<<<<<<": left by a merge`},
		{"goods, works, /works and network/work/", ""},
	}
	for _, tt := range tests {
		if got := stranger(tt.line); got != tt.want {
			t.Errorf("stranger(%q) = %q, want %q", tt.line, got, tt.want)
		}
	}
}
