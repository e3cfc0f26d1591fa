package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"openofd/internal/config"
	"openofd/internal/protocol/kkt/ffd"
)

// severitiesOf is the table of Russia's rules as the operator has changed it;
// nil is unchanged. The narrower name wins: a key over the identifier that it
// shares with others, one version over all.
func severitiesOf(chosen map[string]config.Severity) (*ffd.Severities, error) {
	if len(chosen) == 0 {
		return nil, nil
	}
	type choice struct {
		rule     string
		versions []ffd.Version // nil: all
		to       ffd.Severity
	}
	ids := make(map[string]bool)
	for _, r := range ffd.Rules() {
		ids[r.ID] = true
	}
	var all []choice
	for name, severity := range chosen {
		rule, version, one := strings.Cut(name, " ")
		c := choice{rule: rule}
		if one {
			v := ffd.ParseVersion(version)
			if !v.Known() {
				return nil, withHint(fmt.Errorf("kkt.severities: %q: there is no version %q of the format", name, version), "There are 1.0, 1.05, 1.1 and 1.2")
			}
			c.versions = []ffd.Version{v}
		}
		to, ok := ffd.ParseSeverity(severity.Name)
		if !ok {
			return nil, fmt.Errorf("kkt.severities: %q: there is no severity %q", name, severity.Name)
		}
		if (rule == "T1" || rule == "form") && to != ffd.Unreadable {
			return nil, fmt.Errorf("kkt.severities: %q: what is no document stays unreadable", name)
		}
		c.to = to
		all = append(all, c)
	}
	width := func(c choice) int {
		n := 0
		if ids[c.rule] {
			n = 2
		}
		if c.versions == nil {
			n++
		}
		return n
	}
	slices.SortFunc(all, func(a, b choice) int {
		return cmp.Or(cmp.Compare(width(b), width(a)), cmp.Compare(a.rule, b.rule), slices.Compare(a.versions, b.versions))
	})
	s := &ffd.Severities{}
	for _, c := range all {
		if !s.Set(c.rule, c.to, c.versions...) {
			return nil, withHint(fmt.Errorf("kkt.severities: there is no rule %q", c.rule), "docs/ffd-tags.md has the table of rules")
		}
	}
	return s, nil
}
