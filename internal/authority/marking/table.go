package marking

import (
	"fmt"
	"slices"
	"strings"
)

// Verdict is what the table says of a code.
type Verdict string

// The verdicts, and the faults that can be asked for.
const (
	Correct     Verdict = "correct"     // may be sold; what no row names is this
	Incorrect   Verdict = "incorrect"   // known, but must not be sold now
	Suspended   Verdict = "suspended"   // its circulation is suspended
	Unknown     Verdict = "unknown"     // no such code
	Refused     Verdict = "refused"     // requests are malformed, notifications incorrect, whatever is in them
	Slow        Verdict = "slow"        // no answer until nobody waits for it
	Unreachable Verdict = "unreachable" // no answer at all
	Rubbish     Verdict = "rubbish"     // an answer that is none
)

// verdicts in rising order of weight: of several goods the heaviest decides.
var verdicts = []Verdict{Correct, Incorrect, Suspended, Unknown, Refused, Slow, Unreachable, Rubbish}

// Row says something of one product identifier, or of all that begin alike.
type Row struct {
	Product string // as tag 2101 has it: 01, GTIN, 21, serial number
	Prefix  bool
	Verdict Verdict
}

// ParseRows reads a table: on each line a product identifier, with a star behind
// it for all that begin so, and a verdict. The first row that fits decides.
// Empty lines and those that begin with # are passed over.
//
//	# GTIN 04605035006964, all but one
//	0104605035006964215OoyE8qxeIOn>  correct
//	0104605035006964*                suspended
//
// Every error names the file and the line.
func ParseRows(name string, text []byte) ([]Row, error) {
	var rows []Row
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) != 2 {
			return nil, fmt.Errorf("%s:%d: a line is a product identifier and what is said of it", name, i+1)
		}
		v := Verdict(fields[1])
		if !slices.Contains(verdicts, v) {
			return nil, fmt.Errorf("%s:%d: %q is none of %s", name, i+1, v, listed())
		}
		product, prefix := strings.CutSuffix(fields[0], "*")
		rows = append(rows, Row{product, prefix, v})
	}
	return rows, nil
}

func listed() string {
	all := make([]string, len(verdicts))
	for i, v := range verdicts {
		all[i] = string(v)
	}
	return strings.Join(all, ", ")
}

// of is what the rows say of a product.
func of(rows []Row, product string) Verdict {
	for _, r := range rows {
		if r.Product == product || r.Prefix && strings.HasPrefix(product, r.Product) {
			return r.Verdict
		}
	}
	return Correct
}

// heavier is the one of two verdicts that decides.
func heavier(a, b Verdict) Verdict {
	if slices.Index(verdicts, b) > slices.Index(verdicts, a) {
		return b
	}
	return a
}
