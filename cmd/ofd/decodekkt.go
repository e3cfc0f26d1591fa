package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

type decodeKKTCmd struct{ frameInput }

// Help is shown by --help below the flags.
func (decodeKKTCmd) Help() string {
	return `Shows header, container and document in readable form, and for each byte that
breaks a rule which rule that is. Signs are not checked, for that takes keys, and
what depends on a registration is not judged. In hex, spaces, line ends, | and 0x
are skipped, and # begins a remark.

  ofd decode kkt message.bin
  some-program | ofd decode kkt --json

The exit code is 1 when a rule is broken for which a message is not taken, or
its document refused.`
}

func (c *decodeKKTCmd) Run(con *console) error {
	message, err := c.frame(con)
	if err != nil {
		return err
	}
	e := kkt.Explain(message)
	if err := con.result(e, func(w io.Writer) { explainKKT(w, message, e) }); err != nil {
		return err
	}
	if !e.OK() || e.Document != nil && e.Document.Code != 0 {
		return &found{"the message breaks a rule"}
	}
	return nil
}

// explainKKT prints an explanation for people.
func explainKKT(w io.Writer, message []byte, e kkt.Explanation) {
	what := string(e.Direction)
	if what == "" {
		what = "message"
	}
	fmt.Fprintf(w, "%s of %d bytes", what, len(message))
	if e.Service != "" {
		fmt.Fprintf(w, ", %s", e.Service)
	}
	fmt.Fprint(w, "\n\n")
	if h := e.Header; h != nil {
		facts(w, "P-version", h.PVersion, "drive", h.Drive, "size", strconv.Itoa(int(h.Size)), "flags", h.Flags, "CRC", h.CRC)
	}
	if f := e.Container; f != nil {
		fmt.Fprintln(w)
		facts(w, "document", fmt.Sprintf("%d %s", f.Code, f.Document), "number", strconv.FormatUint(uint64(f.Number), 10),
			"container", fmt.Sprintf("%d bytes, CRC %s", f.Length, f.CRC), "service data", f.Extra1+" "+f.Extra2)
	}
	if p := e.Payload; p != nil {
		facts(w, "message sign", fmt.Sprintf("%s (%d)", p.Sign, p.SignNumber))
		if a := p.Ack; a != nil {
			facts(w, "operator", a.Operator, "operator sign", a.Sign)
			if a.Response != nil {
				facts(w, "response", strconv.Itoa(int(*a.Response)))
			}
			if a.Message != nil {
				facts(w, "operator message", strconv.Itoa(int(*a.Message)))
			}
		}
	}
	if d := e.Document; d != nil {
		fmt.Fprintf(w, "\n%s, FFD %s", d.EN, d.Version)
		if !d.Form.Marks() { // the marking system answers those
			fmt.Fprintf(w, ", answered with %d", d.Code)
		}
		fmt.Fprintln(w)
		requisites(w, d.Requisites, 1)
	}
	fmt.Fprintln(w)
	for _, f := range e.Findings {
		fmt.Fprintf(w, "byte %d", f.Offset)
		if f.Field != "" {
			fmt.Fprintf(w, ", %s", f.Field)
		}
		fmt.Fprintf(w, ": %s: %s (%s)\n", f.Severity, f.Why, f.Rule)
	}
	broken := len(e.Findings)
	if d := e.Document; d != nil {
		for _, f := range d.Findings {
			fmt.Fprintf(w, "byte %d, %s: %s: %s (%s)\n", e.DocumentAt+f.Offset, f.Path, f.Severity, f.Why, f.Rule)
		}
		broken += len(d.Findings)
	}
	if broken == 0 {
		fmt.Fprintln(w, "no rule is broken")
	}
}

// requisites prints a document, what is within a requisite further in.
func requisites(w io.Writer, all []ffd.Requisite, depth int) {
	for _, q := range all {
		value := strings.Map(visible, q.Value)
		if q.Meaning != nil {
			value += " (" + q.Meaning.EN + ")"
		}
		if n, err := strconv.ParseUint(q.Value, 10, 8); q.Tag == tagChecked && err == nil {
			value += " " + string(ffd.Checked(uint8(n)))
		}
		if q.Hex != "" {
			value = "hex " + q.Hex
		}
		name := q.Name
		switch {
		case name == "":
			name = "unknown"
		case strings.HasPrefix(name, "tag"): // no public name
			name = q.EN
		}
		fmt.Fprintf(w, "%s%d %s  %s\n", strings.Repeat("  ", depth), q.Tag, name, value)
		requisites(w, q.Requisites, depth+1)
	}
}

// tagChecked is what was checked of a marking code.
const tagChecked = 2106

// visible is a character that a terminal shows: marking codes hold separators.
func visible(r rune) rune {
	if r < ' ' {
		return '\u2400' + r // the picture of the control character
	}
	return r
}
