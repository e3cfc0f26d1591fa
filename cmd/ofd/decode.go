package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"openofd/internal/device/kkm"
	wire "openofd/internal/protocol/kkm"
)

type decodeCmd struct {
	KKM decodeKKMCmd `cmd:"" name:"kkm" help:"A frame of the Kazakhstan KKM protocol."`
	KKT decodeKKTCmd `cmd:"" name:"kkt" help:"A message of the Russian KKT protocol, or a container."`
}

type decodeKKMCmd struct{ frameInput }

// frameInput is where a frame comes from.
type frameInput struct {
	File string `arg:"" optional:"" default:"-" help:"The frame: its bytes, or hex. - is standard input."`
	Hex  string `placeholder:"TEXT" help:"The frame as hex, instead of a file."`
}

// Help is shown by --help below the flags.
func (decodeKKMCmd) Help() string {
	return `Shows header and payload in readable form, and for each byte that breaks a
rule of the protocol which rule that is. Requests and answers are told apart by
their content. In hex, spaces, line ends, | and 0x are skipped, and # begins a
remark.

  ofd decode kkm --hex 'A281 CA00 14000000 D10D0300 E63B38A1 2800 | 0800'
  ofd decode kkm answer.bin
  some-program | ofd decode kkm --json

The exit code is 1 when a rule is broken.`
}

// maxInput bounds what is read: a frame, and remarks around it.
const maxInput = 16 << 20

func (c *decodeKKMCmd) Run(con *console) error {
	frame, err := c.frame(con)
	if err != nil {
		return err
	}
	e := wire.Explain(frame)
	if err := con.result(e, func(w io.Writer) { explainTo(w, frame, e) }); err != nil {
		return err
	}
	if !e.OK() {
		return &found{"the frame breaks a rule"}
	}
	return nil
}

func (c *frameInput) frame(con *console) ([]byte, error) {
	if c.Hex != "" {
		return parseHex(c.Hex)
	}
	b, err := readUpTo(con, c.File, maxInput)
	switch {
	case err != nil:
		return nil, err
	case len(b) == 0:
		return nil, withHint(errors.New("nothing to decode"), "Name a file, give --hex, or write the frame to standard input")
	case isText(b):
		return parseHex(string(b))
	}
	return b, nil
}

// isText reports whether the input is hex rather than a frame: a frame of
// either protocol bears bytes in its header that no text has, and zeros.
func isText(b []byte) bool {
	return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0
}

// parseHex reads hex as people write it down.
func parseHex(s string) ([]byte, error) {
	var digits strings.Builder
	for n, line := range strings.Split(s, "\n") {
		line, _, _ = strings.Cut(line, "#")
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '|' || r == ',' }) {
			word = strings.TrimPrefix(strings.TrimPrefix(word, "0x"), "0X")
			if at := strings.IndexFunc(word, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) }); at >= 0 {
				return nil, withHint(fmt.Errorf("line %d: %q is no hex", n+1, word), "Hex is pairs of 0 to 9 and A to F; # begins a remark")
			}
			if len(word)%2 == 1 {
				return nil, fmt.Errorf("line %d: %q has an odd number of digits", n+1, word)
			}
			digits.WriteString(word)
		}
	}
	return hex.DecodeString(digits.String())
}

// explainTo prints an explanation for people.
func explainTo(w io.Writer, frame []byte, e wire.Explanation) {
	what := map[wire.Direction]string{wire.DirectionRequest: "request", wire.DirectionResponse: "answer"}[e.Direction]
	if h := e.Header; h != nil {
		fmt.Fprintf(w, "%s of %d bytes\n\n", what, len(frame))
		facts(w,
			"APPCODE", h.AppCode, "VERSION", fmt.Sprintf("%d (%s)", h.Version, wire.Version(h.Version)), "SIZE", fmt.Sprint(h.Size),
			"ID", fmt.Sprint(h.ID), "TOKEN", fmt.Sprint(h.Token), "REQNUM", fmt.Sprint(h.ReqNum))
	}
	if len(e.Payload) > 0 {
		var b bytes.Buffer
		if json.Indent(&b, e.Payload, "", "  ") == nil {
			fmt.Fprintf(w, "\n%s\n", b.String())
		}
		if code, ok := codeIn(e); ok {
			fmt.Fprintf(w, "\nresult code %d: %s\n", code, kkm.CodeText(code, wire.Version(e.Header.Version)))
		}
	}
	if len(e.Findings) == 0 {
		fmt.Fprintln(w, "\nno rule is broken")
		return
	}
	fmt.Fprintln(w)
	for _, f := range e.Findings {
		fmt.Fprintf(w, "byte %d", f.Offset)
		if f.Field != "" {
			fmt.Fprintf(w, ", %s", f.Field)
		}
		fmt.Fprintf(w, ": %s: %s (%s)\n", f.Severity, f.Why, f.Rule)
	}
}

// codeIn is the result code of an explained answer.
func codeIn(e wire.Explanation) (uint32, bool) {
	var answer struct {
		Result *struct {
			Code *uint32 `json:"result_code"`
		} `json:"result"`
	}
	if e.Direction != wire.DirectionResponse || json.Unmarshal(e.Payload, &answer) != nil || answer.Result == nil || answer.Result.Code == nil {
		return 0, false
	}
	return *answer.Result.Code, true
}
