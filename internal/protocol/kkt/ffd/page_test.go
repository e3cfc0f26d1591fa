package ffd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"openofd/internal/protocol/kkt/ffd"
)

// docs/ffd-tags.md is the table as a page. -update writes it anew.
func TestTagsPage(t *testing.T) {
	file := filepath.Join("..", "..", "..", "..", "docs", "ffd-tags.md")
	got := page()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what the table says; go test -update writes it anew", file)
	}
}

func page() string {
	var b strings.Builder
	b.WriteString(`# Tags of the fiscal documents of Russia

<!-- Made from the table in internal/protocol/kkt/ffd: go test ./internal/protocol/kkt/ffd -run TestTagsPage -update -->

Every requisite that the operator reads, writes and judges. *Where*: the forms (3 is a receipt) and the requisites
(1059 is an item) in which a tag stands, then what FFD 1.0, 1.05, 1.1 and 1.2 ask of it in the electronic form: **R**
required, **C** required in the cases of the order's notes, **O** may be absent, **–** not defined; ***** it may repeat.
*Length* is in bytes, = is exact. What came on 01.09.2025 and 05.01.2026 holds, by its orders, until 01.09.2031.

## Forms

| code | JSON | form | up to, bytes | since |
|---:|---|---|---:|---|
`)
	for _, f := range ffd.Forms() {
		fmt.Fprintf(&b, "| %d | `%s` | %s; %s | %d | %s |\n", f.Form, f.Name, f.RU, f.EN, f.Max, f.Since)
	}
	b.WriteString("\n## Tags\n\n| tag | JSON | requisite | type | length | where |\n|---:|---|---|---|---:|---|\n")
	var valued []ffd.Definition
	listed := make(map[string]bool)
	for _, d := range ffd.Definitions() {
		name := ""
		if d.Name != "" {
			name = "`" + d.Name + "`"
		}
		note := ""
		if d.Since != 0 {
			note = " Since " + d.Since.UTC().Format("02.01.2006") + "."
		}
		if d.Paper {
			note = " Printed only."
		}
		if d.Personal {
			note += " Personal data."
		}
		fmt.Fprintf(&b, "| %d | %s | %s; %s.%s | %s | %s | %s |\n", d.Tag, name, d.RU, d.EN, note, d.Type, length(d), where(d))
		if key := meanings(d); d.Values != nil && !listed[key] {
			listed[key] = true
			valued = append(valued, d)
		}
	}
	b.WriteString("\n## Values\n\nMasks are shown by the value of each bit.\n\n| tags | values |\n|---|---|\n")
	for _, d := range valued {
		var tags []string
		for _, e := range ffd.Definitions() {
			if e.Values != nil && meanings(e) == meanings(d) {
				tags = append(tags, strconv.Itoa(int(e.Tag)))
			}
		}
		fmt.Fprintf(&b, "| %s | %s |\n", strings.Join(tags, ", "), meanings(d))
	}
	b.WriteString("\n## Rules\n\nWhat a broken rule costs by version: *unreadable* and *refuse* are codes 11 and 14 of the acknowledgement, *warn* is\naccepted and shown to the owner.\n\n| rule | key | broken when | 1.0 | 1.05 | 1.1 | 1.2 |\n|---|---|---|---|---|---|---|\n")
	for _, r := range ffd.Rules() {
		fmt.Fprintf(&b, "| %s | `%s` | %s |", r.ID, r.Key, r.EN)
		for _, v := range ffd.Versions() {
			fmt.Fprintf(&b, " %s |", r.Severities[v])
		}
		b.WriteString("\n")
	}
	return b.String()
}

func length(d ffd.Definition) string {
	switch {
	case d.Size == 0:
		return ""
	case d.Fixed:
		return "=" + strconv.Itoa(d.Size)
	}
	return strconv.Itoa(d.Size)
}

func where(d ffd.Definition) string {
	var parts []string
	at := make(map[string][]string)
	for _, p := range d.Places {
		needs := ""
		for _, v := range ffd.Versions() {
			needs += string(rune(p.Needs[v]))
		}
		needs = strings.ReplaceAll(needs, "-", "–")
		if p.Many {
			needs += `\*`
		}
		if at[needs] == nil {
			parts = append(parts, needs)
		}
		at[needs] = append(at[needs], strconv.Itoa(int(p.In)))
	}
	for i, needs := range parts {
		parts[i] = strings.Join(at[needs], ", ") + ": " + needs
	}
	return strings.Join(parts, "; ")
}

func meanings(d ffd.Definition) string {
	var all []string
	for _, v := range d.Values {
		if v.RU == v.EN {
			all = append(all, fmt.Sprintf("%d %s", v.N, v.RU))
		} else {
			all = append(all, fmt.Sprintf("%d %s (%s)", v.N, v.RU, v.EN))
		}
	}
	return strings.Join(all, "; ")
}
