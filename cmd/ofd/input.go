package main

import (
	"fmt"
	"io"
	"os"
)

// readUpTo reads a file, or standard input for -.
func readUpTo(con *console, name string, limit int64) ([]byte, error) {
	from := con.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		from = f
	}
	b, err := io.ReadAll(io.LimitReader(from, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", name, limit)
	}
	return b, err
}
