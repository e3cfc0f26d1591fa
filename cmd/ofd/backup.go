package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlite"
)

type backupCmd struct {
	place
	File     string `arg:"" type:"path" help:"The file to make; its checksum goes to FILE.sha256."`
	Force    bool   `help:"Replace the file if it is there."`
	NoVerify bool   `help:"Do not read the copy again."`
	Rate     int64  `placeholder:"MIB" help:"Copy so many MiB a second at most."`
}

// Help is shown by --help below the flags.
func (backupCmd) Help() string {
	return `Copies the embedded database as it is at one instant, beside a running server
if there is one. The file is an SQLite database that any tool of SQLite opens.

The master key is not in it, and the copy is of no use without it: keep
master.key elsewhere, once, when it was made. Last contacts of registers are not
in it either; they come again by themselves.`
}

// backedUp is the result of the command.
type backedUp struct {
	File string `json:"file"`
	holds
	SHA256   string `json:"sha256"`
	Verified bool   `json:"verified"`
}

// holds is what a backup holds.
type holds struct {
	Entries   journal.Seq `json:"entries"`
	LastEntry *time.Time  `json:"last_entry,omitempty"` // received; absent: there is none
	Chain     string      `json:"chain"`                // of the last entry, hex
	Registers int64       `json:"registers"`
	Bytes     int64       `json:"bytes"`
}

func holding(c *sqlite.Contents) holds {
	h := holds{Entries: c.Head.Seq, Chain: hex.EncodeToString(c.Head.Chain[:]), Registers: c.Registers, Bytes: c.Bytes}
	if !c.LastEntry.IsZero() {
		h.LastEntry = &c.LastEntry
	}
	return h
}

// instant words of which moment a backup is.
func (h *holds) instant() string {
	if h.LastEntry == nil {
		return "before the first entry"
	}
	return fmt.Sprintf("entry %d, received %s UTC", h.Entries, h.LastEntry.Format("2006-01-02 15:04:05"))
}

func (c *backupCmd) Run(con *console) error {
	if err := embeddedOnly(c.DB, "pg_basebackup with an archive of the WAL makes its backups, pg_dump a copy to look into"); err != nil {
		return err
	}
	bar := newProgress(con, "bytes")
	o := sqlite.BackupOptions{Force: c.Force, Trust: c.NoVerify, Progress: bar.show}
	if c.Rate > 0 {
		o.Pause = paced(c.Rate << 20)
	}
	made, err := sqlite.WriteBackup(con.ctx, c.Data, c.File, o)
	bar.end()
	switch {
	case errors.Is(err, fiscal.AlreadyThere):
		return withHint(err, "Give another name, or --force to replace it")
	case errors.Is(err, fiscal.NothingThere):
		return withHint(err, "Give the server's --data")
	case err != nil:
		return fmt.Errorf("backup: %w", err)
	}
	r := backedUp{File: c.File, holds: holding(&made), SHA256: made.SHA256, Verified: !c.NoVerify}
	return con.result(r, func(w io.Writer) {
		verified := "not read again"
		if r.Verified {
			verified = "read again and sound"
		}
		facts(w, "backup", r.File, "of", r.instant(), "chain", r.Chain, "registers", fmt.Sprint(r.Registers),
			"size", fmt.Sprintf("%d bytes", r.Bytes), "sha256", r.SHA256, "copy", verified)
		con.hint("The master key is not in it, and nothing can be restored without it. Keep a copy of %s in another place than the backups.", c.keyFile())
	})
}

// keyFile is where the master key is.
func (p *place) keyFile() string {
	if p.KeyFile != "" {
		return p.KeyFile
	}
	return filepath.Join(p.Data, "master.key")
}

// paced pauses so that no more than so many bytes a second are copied.
func paced(perSecond int64) func(context.Context, int64) error {
	next := time.Now()
	return func(ctx context.Context, bytes int64) error {
		next = next.Add(time.Duration(float64(bytes) / float64(perSecond) * float64(time.Second)))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(next)):
			return nil
		}
	}
}

// embeddedOnly refuses a database server, which has tools of its own.
func embeddedOnly(db config.DB, instead string) error {
	if db.URL == "" {
		return nil
	}
	return &coded{exitUsage, withHint(errors.New("this command is for the embedded database; PostgreSQL brings its own tools: "+instead),
		"docs/operations.md has them step by step")}
}
