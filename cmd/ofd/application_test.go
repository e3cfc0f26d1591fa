package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// What staff see and do of an application that the authority has not taken for
// four days.
//
// Req: E-079, E-084
func TestApplicationCommands(t *testing.T) {
	dir := t.TempDir()
	signed := time.Now().UTC().Truncate(time.Microsecond).Add(-100 * time.Hour)
	c, err := startCore(t.Context(), coreConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	made, err := c.registry.AddRegister(t.Context(), registry.NewRegister{By: "test", Country: fiscal.Kazakhstan, XIN: "190340024183", Title: fiscal.Text{RU: "Дала Сауда"},
		OutletAddress: fiscal.Text{RU: "Алматы"}, Model: "E-kassa", SerialNumber: "EK-1"})
	if err != nil {
		t.Fatal(err)
	}
	a := registry.Application{Taxpayer: made.Card.Taxpayer, Register: made.Card.Register, Country: fiscal.Kazakhstan, Kind: registry.Enrol, Status: registry.Draft,
		Form: registry.ApplicationForm{XIN: "190340024183", Model: "E-kassa", SerialNumber: "EK-1"}, Created: signed, Changed: signed, By: "asel@example.kz"}
	event := registry.ApplicationEvent{At: signed, What: registry.WasDrafted, By: a.By, Status: registry.Draft}
	if err := c.store.AddApplication(t.Context(), &a, event); err != nil {
		t.Fatal(err)
	}
	a.Status, a.SignedAt, a.SignedBy, a.LastError, a.Tries, a.NextTry = registry.Sent, signed, a.By, "no route to host", 9, time.Now().Add(time.Hour)
	a.Paper = registry.Paper{Method: "GOST", Content: []byte("{}\n"), Signature: []byte{0x30}}
	event.What, event.Status = registry.WasSigned, registry.Sent
	if err := c.store.SetApplication(t.Context(), &a, event); err != nil {
		t.Fatal(err)
	}
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}

	content := filepath.Join(t.TempDir(), "content.json")
	for _, tt := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{"application", "list", "--overdue"}, 0, []string{"sent, overdue", "no route to host", "190340024183"}},
		{[]string{"application", "list", "--status", "refused"}, 0, []string{"No applications"}},
		{[]string{"application", "list", "--bin", "190340024183", "--json"}, 0, []string{`"overdue": true`, `"serial_number": "EK-1"`}},
		{[]string{"application", "show", "1", "--content", content}, 0, []string{"EK-1", "drafted", "signed", "no route to host", "yes: the authority should have decided"}},
		{[]string{"application", "again", "1"}, 0, []string{"is tried again at once"}},
		{[]string{"application", "show", "1", "--json"}, 0, []string{`"event": "hurried"`, `"by": "command line"`, `"method": "GOST"`}},
	} {
		var out, talk bytes.Buffer
		if code := run(append(tt.args, "--data", dir), strings.NewReader(""), &out, &talk); code != tt.code {
			t.Fatalf("ofd %s ends with %d: %s", strings.Join(tt.args, " "), code, &talk)
		}
		for _, want := range tt.want {
			if !strings.Contains(out.String()+talk.String(), want) {
				t.Errorf("ofd %s says\n%s%s\nwant %q", strings.Join(tt.args, " "), &out, &talk, want)
			}
		}
	}
	if b, err := os.ReadFile(content); err != nil || string(b) != "{}\n" {
		t.Errorf("the content is %q, %v", b, err)
	}
}
