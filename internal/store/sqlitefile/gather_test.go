package sqlitefile

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestReadsWhatItHasNotWritten shows that a transaction larger than its cache
// reads its own pages back, whether they are written, collected or in memory.
func TestReadsWhatItHasNotWritten(t *testing.T) {
	f := open(t, Options{Path: filepath.Join(t.TempDir(), "things.db"), Migrations: things, Migrate: true, CacheBytes: 64 << 10, LogBytes: 1 << 20})
	body := func(i int) []byte {
		h := sha256.Sum256(fmt.Appendf(nil, "body %d", i))
		return bytes.Repeat(h[:], 1+i%300)
	}
	const rows = 2000
	for round, keep := range []bool{false, true} {
		gone := errors.New("taken back")
		err := f.Write(t.Context(), func(tx *Tx) error {
			for i := range rows {
				if err := add(fmt.Sprint(i), body(i))(tx); err != nil {
					return err
				}
				at := rand.IntN(i + 1)
				s, err := tx.Query("SELECT body FROM things WHERE name = ? LIMIT 1", fmt.Sprint(at))
				if i%50 != 0 {
					s, err = tx.Query("SELECT body FROM things WHERE id = ?", at+1)
				}
				if err != nil {
					return err
				}
				if !s.Next() || !bytes.Equal(s.Bytes(0), body(at)) {
					return fmt.Errorf("row %d read back wrong after %d", at, i)
				}
				if err := s.Close(); err != nil {
					return err
				}
			}
			if !keep {
				return gone
			}
			return nil
		})
		if keep && err != nil || !keep && !errors.Is(err, gone) {
			t.Fatalf("round %d: %v", round, err)
		}
		if err := f.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, f); n != rows {
		t.Errorf("%d rows, want %d", n, rows)
	}
}

// TestKilled shows that what was acknowledged is there when the process is
// killed at any moment, and nothing is there by half.
//
// Req: P-006
func TestKilled(t *testing.T) {
	if path := os.Getenv("SQLITEFILE_TO_BE_KILLED"); path != "" {
		writeForEver(t, path)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "things.db")
	acknowledged := 0
	for round := range 6 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestKilled$")
		cmd.Env = append(os.Environ(), "SQLITEFILE_TO_BE_KILLED="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := make(chan string)
		go func() {
			defer close(lines)
			for s := bufio.NewScanner(out); s.Scan(); {
				lines <- s.Text()
			}
		}()
		first, ok := <-lines // it is at work
		if !ok {
			t.Fatalf("round %d: the writer did not begin", round)
		}
		kill := time.AfterFunc(time.Duration(rand.IntN(150))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		for ok {
			if n, found := strings.CutPrefix(first, "rows "); found {
				if acknowledged, err = strconv.Atoi(n); err != nil {
					break // the pipe broke within the line
				}
			}
			first, ok = <-lines
		}
		kill.Stop()
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()

		f := open(t, Options{Path: path, Migrations: things, Migrate: true})
		if err := f.Check(t.Context()); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		n := int(count(t, f))
		if n < acknowledged || n%batchOfKilled != 0 {
			t.Fatalf("round %d: %d rows, %d were acknowledged, %d at a time", round, n, acknowledged, batchOfKilled)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if acknowledged == 0 {
		t.Error("nothing was acknowledged in any round")
	}
}

const batchOfKilled = 20

// writeForEver tells how many rows are durable after each transaction.
func writeForEver(t *testing.T, path string) {
	f := open(t, Options{Path: path, Migrations: things, Migrate: true, LogBytes: 256 << 10})
	for {
		if err := f.Write(t.Context(), func(tx *Tx) error {
			for range batchOfKilled {
				if err := add("x", make([]byte, 500+rand.IntN(3000)))(tx); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		fmt.Println("rows", count(t, f))
	}
}
