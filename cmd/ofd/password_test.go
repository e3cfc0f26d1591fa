package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal opens a pseudo-terminal: what stands before a person, and what the
// program has.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	fd := int(person.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

// TestPasswordIsTypedUnseen: nothing of a password comes back to the screen of
// who types it, and of two that differ none is taken.
func TestPasswordIsTypedUnseen(t *testing.T) {
	for _, tt := range []struct{ name, first, second, want, wrong string }{
		{"typed twice", "kettle-by-the-door", "kettle-by-the-door", "kettle-by-the-door", ""},
		{"typed wrongly", "kettle-by-the-door", "kettle-by-the-window", "", "differ"},
		{"nothing", "", "", "", "no password was typed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			person, program := terminal(t)
			var talk lockedBuffer
			type result struct {
				password string
				err      error
			}
			done := make(chan result, 1)
			go func() {
				password, err := (&secret{}).read(&console{in: program, talk: &talk})
				done <- result{password, err}
			}()
			for i, line := range []string{tt.first, tt.second} {
				prompt := []string{"Password: ", "Once more: "}[i]
				for end := time.Now().Add(30 * time.Second); !strings.HasSuffix(talk.String(), prompt) || !unseen(t, program); time.Sleep(5 * time.Millisecond) {
					if time.Now().After(end) {
						t.Fatalf("no prompt %q that hides what is typed; the talk is %q", prompt, talk.String())
					}
				}
				if _, err := person.WriteString(line + "\n"); err != nil {
					t.Fatal(err)
				}
			}
			var got result
			select {
			case got = <-done:
			case <-time.After(30 * time.Second):
				t.Fatal("the password was not read")
			}
			if got.password != tt.want || (got.err == nil) != (tt.wrong == "") || got.err != nil && !strings.Contains(got.err.Error(), tt.wrong) {
				t.Errorf("read %q, %v, want %q, %q", got.password, got.err, tt.want, tt.wrong)
			}
			screen := make([]byte, 4096)
			fd := int(person.Fd()) // once: each call makes it blocking again
			if err := unix.SetNonblock(fd, true); err != nil {
				t.Fatal(err)
			}
			n, _ := unix.Read(fd, screen) // all was written before read returned
			n = max(n, 0)
			if seen := string(screen[:n]) + talk.String(); tt.first != "" && strings.Contains(seen, tt.first) {
				t.Errorf("the screen shows %q", seen)
			}
		})
	}
}

// lockedBuffer is written by one and read by another.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// unseen reports whether a terminal shows nothing of what is typed.
func unseen(t *testing.T, f *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO == 0
}

// TestPasswordFromElsewhere: a file's first line, or standard input's; an empty
// one is refused.
func TestPasswordFromElsewhere(t *testing.T) {
	file := t.TempDir() + "/pw"
	if err := os.WriteFile(file, []byte("from the file\r\nmore\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ file, in, want string }{
		{"", "from a pipe", "from a pipe"}, {"", "from a pipe\nmore\n", "from a pipe"}, {file, "from a pipe", "from the file"}, {"", "", ""}, {"", "\n", ""}, {file + "x", "in", ""},
	} {
		got, err := (&secret{PasswordFile: tt.file}).read(&console{in: strings.NewReader(tt.in), talk: &bytes.Buffer{}})
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("read(%q, %q) = %q, %v, want %q", tt.file, tt.in, got, err, tt.want)
		}
	}
}
