package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"openofd/internal/access"
	"openofd/internal/config"
	"openofd/internal/delivery"
)

type deliveryListCmd struct {
	place
	authorityFlag
	After int64 `default:"0" help:"List those behind this ID."`
	Limit int   `default:"100" help:"How many at most, of each authority."`
}

// Run lists documents that wait, oldest first.
func (c *deliveryListCmd) Run(con *console) error {
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	shown := struct {
		Documents []shownForwarded `json:"documents"`
	}{[]shownForwarded{}}
	for _, name := range c.names() {
		all, err := core.store.Waiting(con.ctx, name, c.After, c.Limit)
		if err != nil {
			return err
		}
		for i := range all {
			shown.Documents = append(shown.Documents, showForwarded(&all[i]))
		}
	}
	return con.result(shown, func(w io.Writer) {
		if len(shown.Documents) == 0 {
			fmt.Fprintln(w, "No document waits.")
			return
		}
		putAside(w, shown.Documents)
	})
}

type deliveryAgainCmd struct {
	place
	authorityFlag
	farFlags
	All bool    `help:"All that wait, of one authority or of each."`
	ID  []int64 `arg:"" optional:"" help:"Which; ofd delivery list has them."`
}

// Run tries them. A document that is put aside again is a finding: exit code 1.
func (c *deliveryAgainCmd) Run(con *console) error {
	if c.All == (len(c.ID) > 0) {
		return errors.New("say which documents: their IDs, or --all")
	}
	con.file.KKTCrypto = c.KKTCrypto
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	ways, err := openForwarding(core, &config.Serve{KGD: c.KGD, FNS: c.FNS, FNSDir: c.FNSDir}, nil)
	if err != nil {
		return err
	}
	var tried []shownForwarded
	try := func(id int64) error {
		p, err := tryAgain(con.ctx, core, &ways, id)
		if err == nil {
			tried = append(tried, showForwarded(&p))
		}
		return err
	}
	if c.All {
		err = c.each(con.ctx, core, try)
	}
	for _, id := range c.ID {
		if err == nil {
			err = try(id)
		}
	}
	if err != nil && len(tried) == 0 {
		return err
	}
	return errors.Join(err, c.show(con, tried))
}

// each tries all that wait, page by page.
func (c *deliveryAgainCmd) each(ctx context.Context, core *core, try func(int64) error) error {
	for _, name := range c.names() {
		for after := int64(0); ; {
			page, err := core.store.Waiting(ctx, name, after, 100)
			if err != nil || len(page) == 0 {
				if err != nil {
					return err
				}
				break
			}
			for i := range page {
				after = page[i].ID
				if err := try(after); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// tryAgain tries one, by the way to its authority, after it is recorded that
// somebody wants it.
func tryAgain(ctx context.Context, core *core, ways *forwarding, id int64) (delivery.Parked, error) {
	p, err := core.store.ParkedDocument(ctx, id)
	if err != nil {
		return p, err
	}
	d := ways.of(p.Authority)
	if d == nil {
		return p, withHint(fmt.Errorf("nobody knows the way to %s", p.Authority), "Give --kgd-url, --fns-url or --fns-dir, as the server is told")
	}
	people, err := core.people()
	if err == nil {
		err = people.Note(ctx, 0, access.ActSentAgain, strconv.FormatInt(id, 10), "")
	}
	if err != nil {
		return p, err
	}
	return d.Again(ctx, id)
}

// show prints what became of them.
func (c *deliveryAgainCmd) show(con *console, tried []shownForwarded) error {
	waits := false
	for i := range tried {
		waits = waits || tried[i].Settled == nil
	}
	var shown any = struct {
		Documents []shownForwarded `json:"documents"`
	}{tried}
	if len(c.ID) == 1 {
		shown = tried[0]
	}
	if err := con.result(shown, func(w io.Writer) {
		for _, d := range tried {
			if d.Settled != nil {
				fmt.Fprintf(w, "Document %s was forwarded.\n", d.Document)
			} else {
				fmt.Fprintf(w, "Document %s is put aside still: %s. %s\n", d.Document, d.Reason, d.Detail)
			}
		}
		if len(tried) == 0 {
			fmt.Fprintln(w, "No document waits.")
		}
	}); err != nil {
		return err
	}
	if waits {
		return &found{"not forwarded"}
	}
	return nil
}
