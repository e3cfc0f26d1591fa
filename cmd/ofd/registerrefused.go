package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/protocol/kkm"
)

type registerRefusedCmd struct {
	place
	registerID
	Limit int `default:"20" help:"How many at most."`
}

// shownRefused is a refused document as it is shown. Its frame can be given to
// `ofd decode kkm`; the token in it is blanked.
type shownRefused struct {
	At      time.Time     `json:"at"`
	Reason  fiscal.Reason `json:"reason"`
	Field   string        `json:"field,omitempty"`
	Detail  string        `json:"detail,omitempty"`
	Peer    string        `json:"peer"`
	Request string        `json:"request"` // hex
}

func showRefused(r *journal.Refused) shownRefused {
	frame := append([]byte(nil), r.Request...)
	if len(frame) >= kkm.HeaderLen {
		clear(frame[12:16]) // TOKEN
	}
	return shownRefused{r.At, r.Reason, r.Field, r.Detail, r.Peer, hex.EncodeToString(frame)}
}

// Run lists what was refused.
func (c *registerRefusedCmd) Run(con *console) error {
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	if _, err := core.registry.Show(con.ctx, c.ID); err != nil {
		return err
	}
	stored, err := core.store.Refused(con.ctx, c.ID, c.Limit)
	if err != nil {
		return err
	}
	all := make([]shownRefused, 0, len(stored))
	for i := range stored {
		all = append(all, showRefused(&stored[i]))
	}
	return con.result(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintf(w, "Nothing that register %d sent was refused.\n", c.ID)
			return
		}
		var rows [][]string
		for _, r := range all {
			rows = append(rows, []string{r.At.Format(time.DateTime), r.Reason.Error(), r.Field, r.Detail})
		}
		table(w, []string{"WHEN (UTC)", "WHY", "FIELD", "DETAIL"}, rows)
		fmt.Fprintln(w, "\nThe frames are in --json; `ofd decode kkm` explains them.")
	})
}
