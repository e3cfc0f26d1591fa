package archtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestImports walks the module and holds every import against the table.
func TestImports(t *testing.T) {
	for _, p := range list(t) {
		for _, complaint := range judge(p) {
			t.Error(complaint)
		}
	}
}

// judge returns what is wrong with one package's imports.
func judge(p listed) []string {
	pkg := name(p.ImportPath)
	inside := strings.HasPrefix(p.ImportPath, module+"internal/")
	if _, known := find(pkg); inside && !known {
		return []string{fmt.Sprintf("internal/%s is in no row of the table: add a row to internal/archtest/table_test.go and to ARCHITECTURE.md", pkg)}
	}
	var complaints []string
	complain := func(format string, args ...any) {
		complaints = append(complaints, fmt.Sprintf(format, args...))
	}
	for _, imported := range ours(p.Imports) {
		switch _, known := find(imported); {
		case !known && imported != pkg:
			complain("%s imports %s, which is in no row of the table", pkg, imported)
		case !allowed(pkg, imported), inside && !welcome(pkg, imported):
			complain("%s must not import %s", pkg, imported)
		case !inside && !welcome(pkg, imported):
			complain("%s must not import %s: only tests may", pkg, imported)
		}
	}
	for _, path := range p.Imports {
		if p.Name != "main" && prohibited(pkg, path) { // a generator beside its codec reads and writes files
			complain("%s must not import %s", pkg, path)
		}
		if path == "testing" && inside && !slices.ContainsFunc(testingRooms, func(r string) bool { return fits(r, pkg) }) {
			complain("%s must not import testing outside its tests", pkg)
		}
	}
	for _, imported := range ours(slices.Concat(p.TestImports, p.XTestImports)) {
		if strings.HasPrefix(imported, command) && !strings.HasPrefix(pkg, command) {
			complain("tests of %s must not import %s", pkg, imported)
		}
	}
	return complaints
}

// welcome reports whether the imported room lets this package in: some rooms
// say themselves who may import them.
func welcome(pkg, imported string) bool {
	to, _ := find(imported)
	callers, closed := importedBy[to.name]
	if !closed || fits(to.name, pkg) {
		return true
	}
	// The contract suite and the fixtures serve tests, whoever's they are.
	if slices.ContainsFunc(testingRooms, func(r string) bool { return fits(r, pkg) }) && to.name != "testkit" {
		return true
	}
	return slices.ContainsFunc(callers, func(caller string) bool { return fits(caller, pkg) })
}

// prohibited reports whether a path of the standard library is closed to pkg.
func prohibited(pkg, path string) bool {
	for pattern, paths := range forbidden {
		if !fits(pattern, pkg) {
			continue
		}
		for _, no := range paths {
			if path == no || strings.HasSuffix(no, "/") && strings.HasPrefix(path, no) {
				return true
			}
		}
	}
	return false
}

// TestJudge shows that the judge sees what it is there for.
func TestJudge(t *testing.T) {
	tests := []struct {
		pkg     string
		imports string // separated by spaces; ours begin with internal/
		want    string // "" when all is well
	}{
		{"internal/journal", "internal/store/sqlite", "journal must not import store/sqlite"},
		{"internal/journal", "internal/fiscal context", ""},
		{"internal/fiscal", "os", "fiscal must not import os"},
		{"internal/fiscal", "net/netip", "fiscal must not import net/netip"},
		{"internal/fiscal", "database/sql", "fiscal must not import database/sql"},
		{"internal/fiscal", "log/slog", "fiscal must not import log/slog"},
		{"internal/fiscal", "internal/fiscal/policy", ""},
		{"internal/fiscal/policy", "internal/fiscal", ""},
		{"internal/fiscal", "internal/journal", "fiscal must not import journal"},
		{"internal/protocol/kkm", "internal/protocol/kkm/kkmpb internal/fiscal", ""},
		{"internal/protocol/kkm", "internal/protocol/kkt", "protocol/kkm must not import protocol/kkt"},
		{"internal/protocol/kkm", "internal/registry", "protocol/kkm must not import registry"},
		{"internal/intake", "internal/fiscal internal/journal internal/registry", ""},
		{"internal/intake", "internal/keyring", "intake must not import keyring"},
		{"internal/gate", "internal/journal", "gate must not import journal"},
		{"internal/gate", "internal/protocol/kkm internal/intake", ""},
		{"internal/gate", "internal/observe", "gate must not import observe"},
		{"internal/store/sqlite", "internal/store/sqlitefile internal/intake internal/keyring", ""},
		{"internal/store/sqlite", "internal/store/storetest", "store/sqlite must not import store/storetest"},
		{"internal/store/sqlite", "internal/gate", "store/sqlite must not import gate"},
		{"internal/store/storetest", "testing internal/keyring internal/intake", ""},
		{"internal/web/pages", "internal/web/ui internal/cabinet", ""},
		{"internal/web/pages", "internal/web/api", "web/pages must not import web/api"},
		{"internal/web/pages", "internal/intake", "web/pages must not import intake"},
		{"internal/web", "internal/web/pages internal/web/api internal/web/ui internal/fiscal", ""},
		{"internal/web", "internal/cabinet internal/intake", "web must not import intake"},
		{"internal/web/ui", "internal/cabinet", "web/ui must not import cabinet"},
		{"internal/web/till", "internal/cabinet", "web/till must not import cabinet"},
		{"internal/bench", "internal/device/kkm internal/protocol/kkm internal/journal", ""},
		{"internal/bench", "internal/store/sqlite", "bench must not import store/sqlite"},
		{"internal/registry", "internal/testkit", "registry must not import testkit"},
		{"internal/registry", "testing", "registry must not import testing outside its tests"},
		{"internal/testkit", "testing internal/journal internal/store/sqlite", ""},
		{"cmd/ofd", "internal/config internal/observe internal/store/sqlite internal/gate", ""},
		{"cmd/ofd", "internal/testkit", "cmd/ofd must not import testkit: only tests may"},
		{"internal/util", "fmt", "internal/util is in no row of the table: add a row to internal/archtest/table_test.go and to ARCHITECTURE.md"},
		{"internal/gate", "internal/util", "gate imports util, which is in no row of the table"},
	}
	for _, tt := range tests {
		p := listed{ImportPath: module + tt.pkg}
		for _, path := range strings.Fields(tt.imports) {
			if strings.HasPrefix(path, "internal/") {
				path = module + path
			}
			p.Imports = append(p.Imports, path)
		}
		if got := strings.Join(judge(p), "; "); got != tt.want {
			t.Errorf("judge(%s imports %s) = %q, want %q", tt.pkg, tt.imports, got, tt.want)
		}
	}
}
