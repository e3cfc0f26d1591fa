package archtest

import "strings"

// A room is a package, or all packages of one kind, and the rooms of ours that
// it may import. A pattern is a path below internal/; its last element may be
// * for any one name. A room's own subpackages belong to it.
type room struct {
	name string
	may  []string
}

// anything stands for every room but the command itself.
const anything = "anything"

// rooms is the import table. The narrowest pattern that fits a package rules.
var rooms = []room{
	{"fiscal", nil},
	{"protocol/*", []string{"fiscal"}},
	{"journal", []string{"fiscal"}},
	{"signature", []string{"fiscal"}},
	{"keyring", []string{"fiscal"}},
	{"access", []string{"fiscal", "signature"}},
	{"registry", []string{"fiscal", "access", "signature"}},
	{"mail", []string{"fiscal", "access", "web/ui"}},
	{"intake", []string{"fiscal", "journal", "registry"}},
	{"cabinet", []string{"fiscal", "journal", "access", "registry", "follow"}},
	{"follow", []string{"fiscal", "journal"}},
	{"delivery", []string{"fiscal", "journal", "access", "registry", "follow"}},
	{"proof", []string{"fiscal", "journal", "access", "registry"}},
	{"authority/*", []string{"fiscal", "delivery", "registry", "authority/link"}},
	{"authority/link", []string{"fiscal", "delivery"}},
	{"authority/marking", []string{"fiscal", "protocol/*", "authority/link"}},
	{"authority/sandbox", []string{"fiscal", "authority/*", "store/sqlitefile", "web/ui"}},
	{"device/*", []string{"fiscal", "protocol/*", "device/link", "device/stepfile"}},
	{"device/link", []string{"fiscal"}},
	{"device/stepfile", []string{"fiscal"}},
	{"bench", []string{"fiscal", "protocol/*", "device/*", "journal"}},
	{"till", []string{"fiscal", "access", "device/kkm", "store/sqlitefile", "till/escpos"}},
	{"till/escpos", []string{"fiscal"}},
	{"store/*", append(stores, "store/sqlitefile")},
	{"store/sqlitefile", []string{"fiscal"}},
	{"store/storetest", stores},
	{"gate", []string{"fiscal", "protocol/*", "intake"}},
	{"web", append(asked, "web/*")}, // puts its rooms together
	{"web/*", append(asked, "web/ui", "web/pdf", "web/sheet")},
	{"web/ui", []string{"fiscal"}},
	{"web/pdf", nil},
	{"web/sheet", []string{"fiscal"}},
	{"web/till", []string{"fiscal", "till", "device/kkm", "web/ui", "web/pdf"}},
	{"config", []string{"fiscal"}},
	{"observe", nil},
	{"archtest", nil},
	{"testkit", []string{anything}},
}

// stores are the packages whose Store an engine implements, and what those
// interfaces speak in.
var stores = []string{"fiscal", "journal", "follow", "intake", "registry", "access", "cabinet", "delivery", "proof", "keyring", "signature"}

// asked are the packages whose answers pages show.
var asked = []string{"fiscal", "registry", "access", "cabinet", "delivery", "proof", "signature"}

// importedBy narrows from the other side: these rooms are imported by the ones
// named and by no other. Tests may import any of them.
var importedBy = map[string][]string{
	"config":   {command},
	"observe":  {command},
	"keyring":  {command, "store/*"},
	"testkit":  {},
	"archtest": {},
}

// command is the only place where parts meet; it may import everything.
const command = "cmd/ofd"

// forbidden lists what a room must not import from the standard library; an
// entry ending in a slash names the packages below it.
var forbidden = map[string][]string{
	"fiscal":     {"net", "net/", "os", "os/", "database/sql", "database/sql/", "log", "log/", "math/rand", "math/rand/", "crypto/rand"},
	"protocol/*": {"net", "net/", "os", "os/", "database/sql", "database/sql/", "log", "log/"},
}

// clockless rooms are told the time and never ask for it.
var clockless = []string{"fiscal", "protocol/*"}

// testingRooms may import testing outside test files.
var testingRooms = []string{"store/storetest", "testkit"}

// find returns the room a package belongs to, and whether there is one. The
// longest pattern wins, and a name wins over a star of the same length.
func find(pkg string) (room, bool) {
	var best room
	found := false
	for _, r := range rooms {
		if fits(r.name, pkg) && (!found || weight(r.name) > weight(best.name)) {
			best, found = r, true
		}
	}
	return best, found
}

// fits reports whether the package is the pattern's room or lies below it.
func fits(pattern, pkg string) bool {
	if stem, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(pkg, stem+"/")
	}
	return pkg == pattern || strings.HasPrefix(pkg, pattern+"/")
}

func weight(pattern string) int {
	n := 2 * strings.Count(pattern, "/")
	if !strings.HasSuffix(pattern, "/*") {
		n++
	}
	return n
}

// roomOf returns the part of a package's path that names its room: for a star
// one element more than the stem, so that protocol/kkm and protocol/kkt are
// neighbors and not one.
func roomOf(pattern, pkg string) string {
	depth := strings.Count(pattern, "/") + 1
	parts := strings.SplitN(pkg, "/", depth+1)
	return strings.Join(parts[:min(depth, len(parts))], "/")
}

// allowed reports whether the package may import the other one.
func allowed(pkg, imported string) bool {
	if pkg == command || strings.HasPrefix(pkg, command+"/") {
		return true
	}
	from, ok := find(pkg)
	if !ok {
		return false
	}
	to, ok := find(imported)
	if !ok {
		return false
	}
	if roomOf(from.name, pkg) == roomOf(to.name, imported) {
		return true
	}
	for _, may := range from.may {
		if may == anything || fits(may, imported) {
			return true
		}
	}
	return false
}
