package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// secret is how a command gets a password: typed unseen, from a file, or as a
// line of standard input. It is never a flag: others see those.
type secret struct {
	PasswordFile string `type:"path" placeholder:"FILE" help:"Read the password from the first line of this file instead of asking for it."`
}

// read asks for a password, reads the file, or standard input.
func (s *secret) read(con *console) (string, error) {
	in := con.in
	if s.PasswordFile != "" {
		f, err := os.Open(s.PasswordFile)
		if err != nil {
			return "", fmt.Errorf("password: %w", err)
		}
		defer f.Close()
		in = f
	}
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return ask(con, f)
	}
	line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimRight(line, "\r\n")
	if password == "" && s.PasswordFile != "" {
		return "", fmt.Errorf("%s begins with no password", s.PasswordFile)
	}
	if password == "" {
		return "", withHint(errors.New("no password on standard input"), "Write it there, as one line")
	}
	return password, nil
}

// ask has a password typed twice at a terminal, which does not show it.
func ask(con *console, terminal *os.File) (string, error) {
	var typed [2]string
	for i, prompt := range []string{"Password: ", "Once more: "} {
		fmt.Fprint(con.talk, prompt)
		b, err := term.ReadPassword(int(terminal.Fd()))
		fmt.Fprintln(con.talk)
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		typed[i] = string(b)
	}
	switch {
	case typed[0] == "":
		return "", errors.New("no password was typed")
	case typed[0] != typed[1]:
		return "", withHint(errors.New("the two passwords differ"), "Run the command again")
	}
	return typed[0], nil
}
