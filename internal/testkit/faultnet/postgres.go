package faultnet

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"sync"
)

// Codes in the place of a protocol version, in the first message of a client.
// Source: PostgreSQL 15, §55.7 (SSLRequest, GSSENCRequest).
const (
	sslRequest = 80877103
	gssRequest = 80877104
)

// maxMessage is the largest message that is carried, in bytes.
const maxMessage = 64 << 20

var errTooLong = errors.New("a message of PostgreSQL beyond 64 MiB")

// frontend carries a client's messages and looks for COMMIT among them.
func (l *line) frontend() error {
	in := bufio.NewReaderSize(l.client, bundle)
	hello, err := l.hello(in)
	if err != nil {
		return err
	}
	if err := l.send(l.server, hello); err != nil {
		return err
	}
	l.answers.asked() // the server is ready once after the greeting
	statements := commits{statements: map[string]bool{}, portals: map[string]bool{}}
	var out []byte
	for {
		at := len(out)
		if out, err = readMessage(in, out); err != nil {
			return err
		}
		message := out[at:]
		if statements.is(message) {
			switch fate := l.proxy.commit(); fate.Harm {
			case CutBefore:
				l.proxy.harmed()
				if err := l.send(l.server, out[:at]); err != nil {
					return err
				}
				return errCut
			case CutDuring:
				l.proxy.harmed()
				reset(l.client) // first, or the answer could still come through
				if err := l.send(l.server, out); err != nil {
					return err
				}
				return errCut
			case CutAfter, Hold:
				l.answers.expect(fate)
			}
		}
		if kind := message[0]; kind == 'Q' || kind == 'S' || kind == 'F' {
			l.answers.asked()
		}
		if in.Buffered() > 0 && len(out) < bundle {
			continue
		}
		if err := l.send(l.server, out); err != nil {
			return err
		}
		out = out[:0]
	}
}

// hello reads a client's greeting. Encryption is refused here, the server is
// not asked.
func (l *line) hello(in *bufio.Reader) ([]byte, error) {
	for {
		head, err := in.Peek(8)
		if err != nil {
			return nil, err
		}
		size, code := binary.BigEndian.Uint32(head), binary.BigEndian.Uint32(head[4:])
		if size < 8 || size > bundle {
			return nil, errTooLong
		}
		message := make([]byte, size)
		if _, err := io.ReadFull(in, message); err != nil {
			return nil, err
		}
		if code != sslRequest && code != gssRequest {
			return message, nil
		}
		if err := l.send(l.client, []byte{'N'}); err != nil {
			return nil, err
		}
	}
}

// backend carries the server's messages and does what is planned for the
// answer to a COMMIT.
func (l *line) backend() error {
	in := bufio.NewReaderSize(l.server, bundle)
	var out []byte
	for {
		at := len(out)
		var err error
		if out, err = readMessage(in, out); err != nil {
			_ = l.send(l.client, out[:at])
			return err
		}
		switch message := out[at:]; message[0] {
		case 'Z':
			l.answers.ready()
		case 'C':
			tag := string(bytes.TrimRight(message[5:], "\x00"))
			if tag != "COMMIT" && tag != "ROLLBACK" {
				break
			}
			fate := l.answers.take()
			if fate.Harm == None {
				break
			}
			l.proxy.harmed()
			if err := l.send(l.client, out[:at]); err != nil {
				return err
			}
			if fate.Harm == CutAfter {
				return errCut
			}
			out = append(out[:0], message...)
			if err := l.sleep(fate.For); err != nil {
				return err
			}
		}
		if in.Buffered() > 0 && len(out) < bundle {
			continue
		}
		if err := l.send(l.client, out); err != nil {
			return err
		}
		out = out[:0]
	}
}

// readMessage appends one message: a byte of kind, four of length, the rest.
func readMessage(in *bufio.Reader, to []byte) ([]byte, error) {
	head, err := in.Peek(5)
	if err != nil {
		return to, err
	}
	size := 1 + int(binary.BigEndian.Uint32(head[1:]))
	if size < 5 || size > maxMessage {
		return to, errTooLong
	}
	at := len(to)
	to = append(to, make([]byte, size)...)
	_, err = io.ReadFull(in, to[at:])
	return to, err
}

// commits knows which prepared statements and portals of a connection are a
// COMMIT.
type commits struct{ statements, portals map[string]bool }

// is reports whether a client's message has the server commit.
func (c *commits) is(message []byte) bool {
	body := message[5:]
	switch message[0] {
	case 'Q':
		return ends(text(&body))
	case 'P':
		name := text(&body)
		c.statements[name] = ends(text(&body))
	case 'B':
		portal := text(&body)
		c.portals[portal] = c.statements[text(&body)]
	case 'E':
		return c.portals[text(&body)]
	}
	return false
}

// text takes a string that ends in a zero byte.
func text(b *[]byte) string {
	s, rest, _ := bytes.Cut(*b, []byte{0})
	*b = rest
	return string(s)
}

// ends reports whether the last statement of a text is a COMMIT.
func ends(sql string) bool {
	sql = strings.TrimRight(sql, "; \t\r\n")
	if i := strings.LastIndexByte(sql, ';'); i >= 0 {
		sql = sql[i+1:]
	}
	word, rest, _ := strings.Cut(strings.TrimSpace(sql), " ")
	prepared := strings.HasPrefix(strings.ToUpper(rest), "PREPARED")
	return (strings.EqualFold(word, "COMMIT") || strings.EqualFold(word, "END")) && !prepared
}

// answers matches the COMMITs of a connection with what the server says: each
// belongs to the Sync or query behind which the server reports itself ready.
type answers struct {
	mu       sync.Mutex
	sent     int // Syncs and queries carried up
	answered int // times the server was ready
	expected []expectation
}

type expectation struct {
	fate Fate
	with int // the number of its Sync
}

func (a *answers) asked() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sent++
}

func (a *answers) expect(f Fate) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expected = append(a.expected, expectation{f, a.sent + 1})
}

// ready drops what the server has skipped after an error.
func (a *answers) ready() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answered++
	for len(a.expected) > 0 && a.expected[0].with <= a.answered {
		a.expected = a.expected[1:]
	}
}

// take is the fate of the COMMIT that is being answered.
func (a *answers) take() Fate {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.expected) == 0 || a.expected[0].with != a.answered+1 {
		return Fate{}
	}
	f := a.expected[0].fate
	a.expected = a.expected[1:]
	return f
}
