package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlite"
)

type restoreCmd struct {
	place
	File  string `arg:"" type:"path" help:"The backup; FILE.sha256 is looked at if it is there."`
	Force bool   `help:"Move an installation that is there aside, into a folder within."`
}

// Help is shown by --help below the flags.
func (restoreCmd) Help() string {
	return `Puts a backup into the folder --data, which must be empty but for master.key.
The backup is checked before, every entry, chain, sign and state after; only
then does the database get its place.

Restore when the disk is gone. While ofd.db and ofd.db-wal can still be read,
copy both instead: that loses nothing.`
}

// restored is the result of the command.
type restored struct {
	Data string `json:"data"`
	holds
	Checksum bool     `json:"checksum"` // FILE.sha256 was there, and fits
	Aside    string   `json:"aside,omitempty"`
	Verified verified `json:"verified"`
}

func (c *restoreCmd) Run(con *console) error {
	if err := embeddedOnly(c.DB, "put the base backup into a new data folder, name the archive in restore_command and start it"); err != nil {
		return err
	}
	if _, err := os.Stat(c.keyFile()); errors.Is(err, fs.ErrNotExist) {
		return withHint(fmt.Errorf("the master key %s is missing; a backup does not hold it, and its keys do not open without", c.keyFile()),
			"Put the installation's own master.key there, or give --key-file")
	}
	contents, known, err := sqlite.ReadBackup(con.ctx, c.File)
	if errors.Is(err, fiscal.Corrupt) {
		return withHint(err, "This backup is no good: take another one")
	}
	if err != nil {
		return err
	}
	r, err := sqlite.BeginRestore(c.Data, c.Force, time.Now())
	switch {
	case errors.Is(err, fiscal.AlreadyThere):
		return withHint(err, "Give an empty folder, or --force to move the installation aside")
	case errors.Is(err, fiscal.Conflict):
		return withHint(err, "Stop the server first")
	case err != nil:
		return err
	}
	done := restored{Data: c.Data, holds: holding(&contents), Checksum: known, Aside: r.Aside()}
	if done.Verified, err = c.take(con, r, contents.Head); err != nil {
		return errors.Join(fmt.Errorf("nothing is restored: %w", err), r.Abandon())
	}
	if err := r.Finish(); err != nil {
		return withHint(fmt.Errorf("put the database in its place: %w", err), "Run the same command again")
	}
	return con.result(done, func(w io.Writer) { c.words(con, w, &done) })
}

// take copies the backup beside the place where it will stand, and verifies
// there what verify does.
func (c *restoreCmd) take(con *console, r *sqlite.Restore, head journal.Head) (v verified, err error) {
	bar := newProgress(con, "bytes")
	err = r.Take(con.ctx, c.File, bar.show)
	bar.end()
	if err != nil {
		return v, err
	}
	core, err := startCore(con.ctx, coreConfig{
		Dir: r.Folder(), KeyFile: c.keyFile(), KKM: con.file.KKM, Operator: con.file.Operator.At(con.file.Site),
	})
	if err != nil {
		return v, err
	}
	bar = newProgress(con, "entries")
	v, err = verifyStore(con.ctx, core, func(_ fiscal.Partition, seq, of journal.Seq) { bar.show(int64(seq), int64(of)) })
	bar.end()
	heads, e := core.store.Heads(con.ctx)
	if err = errors.Join(err, e, core.stop()); err != nil {
		return v, err
	}
	if heads[0] != head {
		return v, &fiscal.Error{Of: fiscal.Corrupt, Msg: "the copy does not end where the backup does"}
	}
	v.OK = true
	return v, nil
}

func (c *restoreCmd) words(con *console, w io.Writer, r *restored) {
	facts(w, "restored", r.Data, "as of", r.instant(), "chain", r.Chain,
		"verified", fmt.Sprintf("%d entries, %d fiscal signs, %d registers", r.Verified.Entries, r.Verified.Signs, r.Verified.Registers),
		"old files", r.Aside)
	if !r.Checksum {
		con.hint("No %s.sha256 stood beside the backup; the registry's own tables were checked by structure alone.", c.File)
	}
	con.hint("%s", afterRestore)
}

// afterRestore is what has to be done after a restore, for the registers know
// more than the database does now.
const afterRestore = `What was accepted after that entry is not here. Registers that were silent since go on as if nothing had
happened. One that has exchanged documents since carries a newer token: it is answered code 2 and stands still.
  1. Start the server. ` + "`ofd register refused ID`" + ` shows what such a register sends and that its token is stale.
  2. ` + "`ofd register token ID`" + ` gives it a new token, to be typed into the device; then it goes on.
  3. Its receipts of the lost time keep their printed signs, which the check page does not find. Their numbers will be
     given again, with other signs. Shift totals here lack them: compare the device's next Z report with ours, and keep
     the device's own record of that time.`
