package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/keyring"
)

type keyCmd struct {
	List   keyListCmd   `cmd:"" help:"The keys, without their secrets."`
	Rotate keyRotateCmd `cmd:"" help:"Make a new key that holds from a day on. Old ones stay: entries name theirs."`
}

type keyListCmd struct{ place }

// shownKey is a key as it is shown.
type shownKey struct {
	ID      fiscal.KeyID      `json:"id"`
	Purpose fiscal.KeyPurpose `json:"purpose"`
	From    time.Time         `json:"from"`
	Holds   string            `json:"holds"` // "past", "now", "later"
}

func (c *keyListCmd) Run(con *console) error {
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	now := core.now()
	all := []shownKey{}
	for _, purpose := range keyring.Purposes() {
		current, err := core.ring.At(purpose, now)
		if err != nil {
			return err
		}
		for _, k := range core.ring.All(purpose) {
			shown := shownKey{ID: k.ID, Purpose: purpose, From: k.From, Holds: "past"}
			switch {
			case k.ID == current.ID:
				shown.Holds = "now"
			case k.From.After(now):
				shown.Holds = "later"
			}
			all = append(all, shown)
		}
	}
	return con.result(all, func(w io.Writer) {
		var rows [][]string
		for _, k := range all {
			rows = append(rows, []string{strconv.Itoa(int(k.ID)), string(k.Purpose), since(k.From), k.Holds})
		}
		table(w, []string{"KEY", "PURPOSE", "FROM", "HOLDS"}, rows)
	})
}

type keyRotateCmd struct {
	place
	Purpose string       `required:"" enum:"sign,token" placeholder:"sign|token" help:"What the key is for."`
	From    *config.Date `placeholder:"DATE" help:"The day, in Kazakhstan, from whose beginning it holds; tomorrow if not given."`
}

func (c *keyRotateCmd) Run(con *console) error {
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	day := config.Date{}
	day.Year, day.Month, day.Day = core.now().In(almaty).AddDate(0, 0, 1).Date()
	if c.From != nil {
		day = *c.From
	}
	k, err := core.ring.Rotate(con.ctx, fiscal.KeyPurpose(c.Purpose), day.In(almaty))
	if errors.Is(err, fiscal.BadValue) {
		return withHint(err, "A new key holds from a day that is still to come")
	}
	if err != nil {
		return fmt.Errorf("make the key: %w", err)
	}
	shown := shownKey{ID: k.ID, Purpose: k.Purpose, From: k.From, Holds: "later"}
	return con.result(shown, func(w io.Writer) {
		fmt.Fprintf(w, "Key %d for %q holds from %s.\n", k.ID, k.Purpose, since(k.From))
		con.hint("Send SIGHUP to a running server before then: it rereads the keys.")
	})
}

// since words the instant from which something holds, for people.
func since(t time.Time) string {
	if t.Unix() == 0 {
		return "the beginning"
	}
	return t.In(almaty).Format("2006-01-02 15:04 -07:00")
}
