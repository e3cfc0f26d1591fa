package fns

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

// longestLine is more than a line can have: a document of 64 KiB twice, as
// JSON and as base64.
const longestLine = 4 << 20

// lastLine finds the last whole line in the end of a file, and where it stops.
// whole is false if it begins before b; first says that nothing does.
func lastLine(b []byte, first bool) (line []byte, stop int, whole bool) {
	stop = bytes.LastIndexByte(b, '\n') + 1
	if stop == 0 {
		return nil, 0, first
	}
	start := bytes.LastIndexByte(b[:stop-1], '\n') + 1
	if start == 0 && !first {
		return nil, 0, false
	}
	return b[start:stop], stop, true
}

var errNotOurs = errors.New("it is not one of our documents")

// parseHead reads the ID and the entry from the beginning of a line.
func parseHead(line []byte) (id []byte, entry uint64, err error) {
	rest, ok := bytes.CutPrefix(line, []byte(lineHead))
	if !ok {
		return nil, 0, errNotOurs
	}
	id, rest, ok = bytes.Cut(rest, []byte(`","register":`))
	if !ok {
		return nil, 0, errNotOurs
	}
	_, rest, ok = bytes.Cut(rest, []byte(`,"entry":`))
	if !ok {
		return nil, 0, errNotOurs
	}
	number, _, ok := bytes.Cut(rest, []byte{','})
	if !ok {
		return nil, 0, errNotOurs
	}
	if entry, err = strconv.ParseUint(string(number), 10, 64); err != nil {
		return nil, 0, errNotOurs
	}
	return id, entry, nil
}

// ids are those of all lines of a file up to its end.
func ids(file *os.File, end int64) (map[string]bool, error) {
	all := make(map[string]bool)
	lines := bufio.NewScanner(io.NewSectionReader(file, 0, end))
	lines.Buffer(make([]byte, 0, 64<<10), longestLine)
	for n := 1; lines.Scan(); n++ {
		id, _, err := parseHead(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file.Name(), n, err)
		}
		all[string(id)] = true
	}
	return all, lines.Err()
}
