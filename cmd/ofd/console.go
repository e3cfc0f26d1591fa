package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"openofd/internal/config"
)

// console is what a command sees of the world.
type console struct {
	ctx  context.Context // ends at SIGINT and SIGTERM
	in   io.Reader
	out  io.Writer    // results
	talk io.Writer    // all else
	json bool         // the result is one JSON document
	file *config.File // ofd.toml; empty where there is none

	hints []string       // said after the result
	ends  []func() error // close what the command opened
}

// atEnd has something closed when the command has returned, the last opened
// first.
func (c *console) atEnd(end func() error) { c.ends = append(c.ends, end) }

// end closes what the command opened.
func (c *console) end() (err error) {
	for _, end := range slices.Backward(c.ends) {
		err = errors.Join(err, end())
	}
	c.ends = nil
	return err
}

// result prints v as JSON or has words printed for people, who also get the
// hints that the words leave.
func (c *console) result(v any, words func(w io.Writer)) error {
	var b bytes.Buffer
	if c.json {
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(v); err != nil {
			return fmt.Errorf("print the result: %w", err)
		}
	} else {
		words(&b)
	}
	if _, err := c.out.Write(b.Bytes()); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	for _, h := range c.hints {
		c.say("%s", h)
	}
	c.hints = nil
	return nil
}

// say is talk: a line for the person at the terminal.
func (c *console) say(format string, args ...any) {
	fmt.Fprintf(c.talk, format+"\n", args...)
}

// hint is said when the result is out: what to do next.
func (c *console) hint(format string, args ...any) {
	c.hints = append(c.hints, fmt.Sprintf(format, args...))
}

// watched reports whether a person watches the talk.
func (c *console) watched() bool {
	f, ok := c.talk.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// table prints rows aligned under a heading.
func table(w io.Writer, heading []string, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{heading}, rows...) {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	t.Flush()
}

// facts prints names and values, one pair a line. Empty values are left out.
func facts(w io.Writer, pairs ...string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(t, "%s\t%s\n", pairs[i], pairs[i+1])
		}
	}
	t.Flush()
}

// hinted is an error with the next step.
type hinted struct {
	err  error
	next string // a whole sentence without its full stop
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

// withHint adds the next step to an error, if there is one.
func withHint(err error, next string) error {
	if err == nil || next == "" {
		return err
	}
	return &hinted{err, next}
}

// found is the end of a command that looked for faults, found one and printed
// it as its result: exit code 1, and no complaint.
type found struct{ what string }

func (f *found) Error() string { return f.what }
