package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/protocol/kkm"
)

type verifyCmd struct {
	place
	Archive string `type:"path" placeholder:"FILE" help:"Check what was retired to this file instead."`
}

// verified is the result of the command.
type verified struct {
	OK        bool    `json:"ok"`
	Entries   uint64  `json:"entries"`
	Signs     int     `json:"signs"` // fiscal signs computed again, or compared with the documents of drives
	Registers int     `json:"registers"`
	Records   uint64  `json:"records"`           // of what people did
	Retired   uint64  `json:"retired,omitempty"` // entries for which signed segments stand
	Bad       *damage `json:"bad,omitempty"`
}

// damage is the first thing that does not hold.
type damage struct {
	Partition fiscal.Partition  `json:"partition"`
	Seq       journal.Seq       `json:"seq,omitempty"`      // 0: not about one entry
	Register  fiscal.RegisterID `json:"register,omitempty"` // 0: not about one register
	Number    fiscal.Number     `json:"number,omitempty"`
	What      string            `json:"what"`
}

// Run checks the whole installation, beside a running server if there is one.
// What it finds is its result, with exit code 1.
func (c *verifyCmd) Run(con *console) error {
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	bar := newProgress(con, "entries")
	var r verified
	if c.Archive != "" {
		r, err = verifyArchive(core, c.Archive)
	} else {
		r, err = verifyStore(con.ctx, core, func(_ fiscal.Partition, seq, of journal.Seq) { bar.show(int64(seq), int64(of)) })
	}
	bar.end()
	var d *journal.Damage
	switch {
	case errors.As(err, &d):
		r.Bad = &damage{d.Partition, d.Seq, d.Register, d.Number, d.Error()}
	case auditDamaged(err), c.Archive != "" && errors.Is(err, fiscal.Corrupt):
		r.Bad = &damage{What: err.Error()}
	case err != nil:
		return fmt.Errorf("verify: %w", err)
	default:
		r.OK = true
	}
	err = con.result(r, func(w io.Writer) {
		if r.Bad != nil {
			fmt.Fprintf(w, "BAD after %d good entries.\n%s\n", r.Entries, r.Bad.What)
			con.hint("Stop the server, keep a copy of the folder as it is, and look for a backup from before.")
			return
		}
		fmt.Fprintf(w, "All is well: %d entries, %d fiscal signs, %d registers, %d records of what people did.\n", r.Entries, r.Signs, r.Registers, r.Records)
		if r.Retired > 0 {
			fmt.Fprintf(w, "Signed segments stand for %d entries before them, which are kept no longer.\n", r.Retired)
		}
	})
	if err != nil || r.OK {
		return err
	}
	return &found{r.Bad.What}
}

// verifyStore walks the journal to its present end: places, chains, fiscal
// signs, and that each register's entries make its state; then the chains of
// what people did. The error is a *journal.Damage for the first thing that does
// not hold, or one that auditDamaged knows. progress may be nil.
func verifyStore(ctx context.Context, c *core, progress func(p fiscal.Partition, seq, of journal.Seq)) (verified, error) {
	var r verified
	v, keyless := c.verification(&r.Signs)
	v.Fold, v.Progress = c.replay(), progress
	done, err := v.Verify(ctx)
	r.Entries, r.Registers, r.Retired = done.Entries, done.Registers, done.Retired
	if *keyless != nil { // nothing is damaged; we cannot look
		err = *keyless
	}
	if err == nil {
		r.Records, err = verifyAudits(ctx, c.store)
	}
	return r, err
}

// verification is a walk over this installation that looks at each entry with
// its country's eyes. signs counts those that it computed again, or is nil;
// keyless is set when it could not look for want of keys.
func (c *core) verification(signs *int) (v journal.Verification, keyless *error) {
	keyless = new(error)
	if signs == nil {
		signs = new(int)
	}
	return journal.Verification{
		Store: c.store, Segments: c.store, Keys: c.ring.ByID,
		Check: func(e *journal.Entry) error {
			switch {
			case russian(&e.Record):
				*signs++
				err := c.drives().Check(&e.Record)
				if errors.Is(err, fiscal.Unavailable) {
					*keyless = withHint(err, "Verify with the --kkt-crypto of the server, as kkt_crypto in ofd.toml")
				}
				return err
			case e.Kind != fiscal.DocReceipt:
				return nil
			}
			*signs++
			return c.checkSign(e)
		},
	}, keyless
}

// replay makes states anew from entries and compares them with those stored.
func (c *core) replay() *journal.Replay {
	return journal.NewReplay(c.store, c.open, func(ctx context.Context, p fiscal.Place) (*fiscal.State, error) {
		row, err := c.store.Row(ctx, p)
		return row.State, err
	})
}

// verifyArchive checks a file of what was retired.
func verifyArchive(c *core, path string) (r verified, err error) {
	f, err := os.Open(path)
	if err != nil {
		return r, err
	}
	defer f.Close()
	v, keyless := c.verification(&r.Signs)
	registers := map[fiscal.RegisterID]bool{}
	_, err = journal.ReadArchive(f, c.ring.ByID, func(e *journal.Entry) error {
		r.Entries++
		registers[e.Register] = true
		return v.Check(e)
	})
	r.Registers = len(registers)
	if *keyless != nil {
		err = *keyless
	}
	return r, err
}

// verifyAudits walks every chain of what people did.
func verifyAudits(ctx context.Context, store access.Store) (records uint64, err error) {
	const page = 1000
	for after := fiscal.TaxpayerID(-1); ; {
		chains, err := store.AuditChains(ctx, after, page)
		if err != nil || len(chains) == 0 {
			return records, err
		}
		for _, t := range chains {
			n, err := access.VerifyAudit(ctx, store, t)
			records += n
			if err != nil {
				return records, err
			}
			after = t
		}
	}
}

// auditDamaged reports whether a chain of what people did was found damaged.
func auditDamaged(err error) bool {
	var e *fiscal.Error
	return errors.Is(err, fiscal.Corrupt) && errors.As(err, &e) && e.Field == "audit"
}

// checkSign computes the fiscal sign of a receipt again.
func (c *core) checkSign(e *journal.Entry) error {
	key, err := c.ring.ByID(e.SignKey)
	if err != nil {
		return fmt.Errorf("key %d of the fiscal sign: %w", e.SignKey, err)
	}
	if want := kkm.SignOf(&e.Record, &key); e.FiscalSign != want {
		return fmt.Errorf("the fiscal sign is %d, key %d makes %d", e.FiscalSign, e.SignKey, want)
	}
	return nil
}

// progress tells a person at a terminal how far long work has come; it is
// silent elsewhere.
type progress struct {
	con   *console
	what  string
	quiet bool
	last  time.Time
	drawn bool
}

func newProgress(con *console, what string) *progress {
	return &progress{con: con, what: what, quiet: !con.watched()}
}

// show redraws the line, a few times a second.
func (p *progress) show(done, total int64) {
	if p.quiet || time.Since(p.last) < 200*time.Millisecond {
		return
	}
	p.last, p.drawn = time.Now(), true
	percent := int64(100)
	if total > 0 {
		percent = done * 100 / total
	}
	fmt.Fprintf(p.con.talk, "\r%3d %%  %d of %d %s ", percent, done, total, p.what)
}

// end clears the line.
func (p *progress) end() {
	if p.drawn {
		fmt.Fprint(p.con.talk, "\r\x1b[K")
	}
}
