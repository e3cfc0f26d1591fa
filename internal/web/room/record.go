package room

import (
	"regexp"
	"strconv"
	"strings"

	"openofd/internal/access"
	"openofd/internal/registry"
	"openofd/internal/web/ui"
)

// The journal of what people did keeps facts in words of its own, which never
// change; here they are told in the reader's language. What is not known is told
// as it stands.

// recordRow is a record of the audit as lists show it.
type recordRow struct {
	access.Record
	When string
	// Actor, Object and Detail are in the reader's words.
	Actor, Thing, Told string
}

// Key is that of the words for what was done.
func (r recordRow) Key() string { return "act." + string(r.Act) }

func (a *visitor) rows(all []access.Record) []recordRow {
	list := make([]recordRow, len(all))
	for i := range all {
		list[i] = a.recordRow(&all[i])
	}
	return list
}

func (a *visitor) recordRow(r *access.Record) recordRow {
	row := recordRow{Record: *r, When: a.when(r.At), Actor: who(a.locale, r.Who), Thing: r.Object, Told: told(a.locale, r)}
	if aboutRegister[r.Act] && r.Object != "" {
		row.Thing = a.locale.T("record.register", "number", r.Object)
	}
	return row
}

// aboutRegister are the acts whose object is the number of a register.
var aboutRegister = map[access.Act]bool{
	access.ActBlocked: true, access.ActUnblocked: true, registry.ActRegisterAdded: true, registry.ActRegisterRenamed: true,
	registry.ActRegisterGrouped: true, registry.ActRegisterCarried: true, registry.ActTokenIssued: true,
}

var byKey = regexp.MustCompile(`^(.*) \(key (\d+)\)$`)

// who names who did something: a person by address, with the key of theirs that
// did it, or what acted.
func who(l *ui.Locale, name string) string {
	if name == "command line" {
		return l.T("record.operator")
	}
	if m := byKey.FindStringSubmatch(name); m != nil {
		return l.T("record.key", "who", m[1], "number", m[2])
	}
	return name
}

// told words what a record says beside its object.
func told(l *ui.Locale, r *access.Record) string {
	d := r.Detail
	switch r.Act {
	case access.ActInvited, access.ActJoined, access.ActRemoved:
		return grantWords(l, d)
	case access.ActRoleChanged:
		before, after, ok := strings.Cut(d, " → ")
		if !ok {
			return grantWords(l, d)
		}
		return grantWords(l, before) + " → " + grantWords(l, after)
	case access.ActSignedIn, access.ActUserAdded, access.ActPasswordSet:
		return inWords(l, howKnown, d)
	case access.ActSignInFailed, access.ActLocked:
		return counted(l, "record.tries", d)
	case access.ActRecoveryUsed:
		return counted(l, "record.left", d)
	case access.ActSignedOut, access.ActSessionEnded:
		if _, err := strconv.Atoi(d); err == nil {
			return counted(l, "record.sessions", d)
		}
		return device(l, d)
	case access.ActKeyMade:
		return keyWords(l, d)
	case registry.ActApplicationDrafted:
		return draftWords(l, d)
	case access.ActBooksCompared:
		return comparedFigures(l, d)
	}
	return d
}

// howKnown are the ways to sign in, and what else the records say in one word.
var howKnown = map[string]string{
	"password": "record.by.password", "totp": "record.by.totp", "recovery": "record.by.recovery", "passkey": "record.by.passkey",
	"certificate": "record.by.certificate", "staff": "record.staff", "second factors forgotten": "record.forgotten",
}

func inWords(l *ui.Locale, words map[string]string, what string) string {
	if key, ok := words[what]; ok {
		return l.T(key)
	}
	return what
}

func counted(l *ui.Locale, key, number string) string {
	n, err := strconv.Atoi(number)
	if err != nil {
		return number
	}
	return l.T(key, "n", n)
}

var limited = regexp.MustCompile(`^([a-z_]+), outlets \[([\d ]+)\]$`)

// grantWords tells a role and the outlets that it is limited to.
func grantWords(l *ui.Locale, grant string) string {
	role, outlets := grant, ""
	if m := limited.FindStringSubmatch(grant); m != nil {
		role, outlets = m[1], strings.ReplaceAll(m[2], " ", ", ")
	}
	if !l.Has("role." + role) {
		return grant
	}
	if role = l.T("role." + role); outlets != "" {
		role = l.T("record.limited", "role", role, "outlets", outlets)
	}
	return role
}

// keyWords tells a key's name and what it may do.
func keyWords(l *ui.Locale, made string) string {
	at := strings.LastIndex(made, ": ")
	if at < 0 {
		return made
	}
	rights := strings.Split(made[at+2:], ", ")
	for i, r := range rights {
		if l.Has("right." + r) {
			rights[i] = l.T("right." + r)
		}
	}
	return made[:at+2] + strings.Join(rights, ", ")
}

// draftWords tells for which register an application was begun, or after which
// other one.
func draftWords(l *ui.Locale, draft string) string {
	kind, number, ok := strings.Cut(draft, " ")
	switch {
	case !ok:
		return draft
	case kind == "again":
		return l.T("record.again", "number", number)
	case !l.Has("application.kind." + kind):
		return draft
	}
	return l.T("application.kind."+kind) + ", " + l.T("record.register", "number", number)
}

var compared = regexp.MustCompile(`^([\d-]+) ([\d-]+): (\d+) rows, (\d+) equal, (\d+) missing, (\d+) extra, (\d+) different$`)

// comparedFigures tell what came of a file of books.
func comparedFigures(l *ui.Locale, d string) string {
	m := compared.FindStringSubmatch(d)
	if m == nil {
		return d
	}
	return l.T("record.compared", "from", m[1], "until", m[2], "rows", m[3], "equal", m[4], "missing", m[5], "extra", m[6], "different", m[7])
}
