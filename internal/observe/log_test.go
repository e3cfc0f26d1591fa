package observe

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"testing"
)

// TestRedacted logs one secret under many names and looks for it in the bytes.
func TestRedacted(t *testing.T) {
	const secret = "2704817126"
	tests := []struct {
		name string
		log  func(*slog.Logger)
	}{
		{"token", func(l *slog.Logger) { l.Info("x", "token", secret) }},
		{"capitals", func(l *slog.Logger) { l.Info("x", "Password", secret) }},
		{"number", func(l *slog.Logger) { l.Info("x", "key", 2704817126) }},
		{"longer name", func(l *slog.Logger) { l.Info("x", "new_token", secret) }},
		{"with", func(l *slog.Logger) { l.With("secret", secret).Info("x") }},
		{"in a group", func(l *slog.Logger) { l.Info("x", slog.Group("register", "token", secret)) }},
		{"group of that name", func(l *slog.Logger) { l.WithGroup("key").Info("x", "hex", secret) }},
		{"error", func(l *slog.Logger) { l.Error("x", "token", bytes.ErrTooLarge, "secret", secret) }},
	}
	for _, format := range []string{"text", "json"} {
		for _, tt := range tests {
			var out bytes.Buffer
			log, err := NewLogger(&out, LogConfig{Format: format})
			if err != nil {
				t.Fatal(err)
			}
			tt.log(log)
			if got := out.String(); strings.Contains(got, secret) || !strings.Contains(got, Redacted) {
				t.Errorf("%s, %s: logged %q, want %s in place of the secret", format, tt.name, got, Redacted)
			}
		}
	}
}

func TestOrdinaryNamesStay(t *testing.T) {
	var out bytes.Buffer
	log, err := NewLogger(&out, LogConfig{Format: "text"})
	if err != nil {
		t.Fatal(err)
	}
	log.Info("refused", "register", 200145, "reqnum", 40, "keyboard", "kk", "tokens", 2)
	if got, want := out.String(), `msg=refused register=200145 reqnum=40 keyboard=kk tokens=2`; !strings.Contains(got, want) {
		t.Errorf("logged %q, want %q in it", got, want)
	}
}

// TestFormat: text where a person looks, JSON where a program does.
func TestFormat(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	log, err := NewLogger(file, LogConfig{})
	if err != nil {
		t.Fatal(err)
	}
	log.Debug("below the level")
	log.Info("started")
	got, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	if s := string(got); !strings.HasPrefix(s, "{") || !strings.Contains(s, `"msg":"started"`) || strings.Contains(s, "below") {
		t.Errorf("a file got %q, want one JSON line that says started", s)
	}

	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	if !isTerminal(device) || isTerminal(file) || isTerminal(&bytes.Buffer{}) {
		t.Errorf("isTerminal: device %t, file %t, buffer %t; want only the device", isTerminal(device), isTerminal(file), isTerminal(&bytes.Buffer{}))
	}

	if _, err := NewLogger(file, LogConfig{Format: "xml"}); err == nil {
		t.Error(`NewLogger("xml") = nil, want an error`)
	}
}
