package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

// Mail is the server that takes our letters. Without one nobody can sign up.
type Mail struct {
	Server       string `toml:"server"`        // host:port; 465 speaks TLS from its first byte
	From         string `toml:"from"`          // address that letters bear
	User         string `toml:"user"`          // "" no login
	PasswordFile string `toml:"password_file"` // holds the password alone
	Plain        bool   `toml:"plain"`         // no TLS: for a server on this machine
}

// Access is who may sign up, and what is told of who looked.
type Access struct {
	Closed bool `toml:"closed"` // nobody by themselves; who is there invites
	// HideInspections keeps the looks of authorities' inspectors out of what
	// clients read of their own data; the operator's staff see them anyway.
	HideInspections bool `toml:"hide_inspections"`
}

// Check reports settings that cannot work.
func (m *Mail) Check() error {
	if m.Server == "" {
		if *m != (Mail{}) {
			return errors.New("[mail] says something, but no server")
		}
		return nil
	}
	if _, _, err := net.SplitHostPort(m.Server); err != nil {
		return fmt.Errorf("[mail] server %q is no host:port", m.Server)
	}
	if !strings.Contains(m.From, "@") {
		return fmt.Errorf("[mail] from %q is no address", m.From)
	}
	return nil
}

// maxPassword bounds what is read of a password's file, in bytes.
const maxPassword = 4 << 10

// Password reads the file. "" without one.
func (m *Mail) Password() (string, error) {
	if m.PasswordFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(m.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("password of the mail server: %w", err)
	}
	if len(b) > maxPassword {
		return "", fmt.Errorf("password of the mail server: %s is too long for one", m.PasswordFile)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}
