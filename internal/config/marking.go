package config

import (
	"fmt"
	"strings"
)

// Marking names the far end of the marking channel; the zero value is none, and
// then requests and notifications about marked goods get no answer.
type Marking struct {
	Name string
	File string // of the table; "" is a table without rows
	URL  string // of a marking system across the network, instead of both
}

// MarkingTable is the stand-in in this process.
const MarkingTable = "table"

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *Marking) UnmarshalText(text []byte) error {
	name, file, named := strings.Cut(string(text), ":")
	switch {
	case len(text) == 0, string(text) == "none":
		*m = Marking{}
		return nil
	case name == "http", name == "https":
		var far FarURL
		if err := far.UnmarshalText(text); err != nil {
			return err
		}
		*m = Marking{URL: far.URL}
		return nil
	case name != MarkingTable || named && file == "":
		return fmt.Errorf("%q is no marking system; there are https://…, table, table:FILE and none", text)
	}
	*m = Marking{Name: name, File: file}
	return nil
}
