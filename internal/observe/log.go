package observe

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
)

// LogConfig shapes a logger. The zero value writes Info and above, as text on
// a terminal and as JSON elsewhere.
type LogConfig struct {
	Format string // "text", "json", or "" to look at where it goes
	Level  slog.Level
}

// secretKeys name attributes whose values no log may hold.
var secretKeys = []string{"token", "password", "secret", "key"}

// Redacted stands where a secret would.
const Redacted = "[redacted]"

// NewLogger returns a logger that writes to w. Attributes named for a secret
// are replaced, in groups too: it is the last net, not a license to log them.
func NewLogger(w io.Writer, cfg LogConfig) (*slog.Logger, error) {
	opts := &slog.HandlerOptions{Level: cfg.Level, ReplaceAttr: redact}
	format := cfg.Format
	if format == "" {
		format = "json"
		if isTerminal(w) {
			format = "text"
		}
	}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	}
	return nil, fmt.Errorf("log format %q is neither text nor json", cfg.Format)
}

// redact hides an attribute that is a secret by its own name or by the name of
// a group it stands in.
func redact(groups []string, a slog.Attr) slog.Attr {
	if isSecret(a.Key) || slices.ContainsFunc(groups, isSecret) {
		a.Value = slog.StringValue(Redacted)
	}
	return a
}

// isSecret takes "token" and "new_token" alike, but not "keyboard".
func isSecret(name string) bool {
	name = strings.ToLower(name)
	name = name[strings.LastIndexAny(name, "_-.")+1:]
	return slices.Contains(secretKeys, name)
}

// isTerminal reports whether w is a device that shows characters to a person.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
