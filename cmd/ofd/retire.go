package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	"openofd/internal/journal"
)

type retireCmd struct {
	place
	Before    string `required:"" placeholder:"2021-04" help:"The first month that stays."`
	Archive   string `type:"path" placeholder:"FILE" help:"Write what leaves to this file first. One that is there already has to hold it."`
	NoArchive bool   `help:"Nobody needs what leaves: write no file."`
	KeepYears int    `env:"OFD_KEEP_YEARS" placeholder:"YEARS" help:"Keep documents longer than the law asks."`
	DryRun    bool   `help:"Say what would leave, and change nothing."`
}

// Help is shown by --help below the flags.
func (retireCmd) Help() string {
	return `Lets go of the months before one, when the law no longer asks for them. All
entries are verified, written to an archive that proves itself, and summed up in
a signed segment for each month, at which verification begins from then on.

It works beside a running server and can be run again when it was interrupted.
An embedded database uses the room again; on PostgreSQL the months' tables are
detached and left to the owner as retired_yyyymm, to be dropped.`
}

// retirement is the result of the command.
type retirement struct {
	Before  string          `json:"before"`
	Done    bool            `json:"done"` // false: only said
	Archive string          `json:"archive,omitempty"`
	Entries uint64          `json:"entries"`
	Months  []retiredMonth  `json:"months"`
	Parts   []retiredOfPart `json:"segments"`
}

// retiredMonth is a month of all partitions.
type retiredMonth struct {
	Month   string    `json:"month"`
	Entries uint64    `json:"entries"`
	Until   time.Time `json:"kept_until"`
}

// retiredOfPart is a month of one partition.
type retiredOfPart struct {
	Month string `json:"month"`
	*journal.SegmentFacts
}

func (c *retireCmd) Run(con *console) error {
	last, err := monthBefore(c.Before)
	if err != nil {
		return err
	}
	switch {
	case c.KeepYears < 0:
		return &coded{exitUsage, errors.New("--keep-years is not below 0")}
	case c.Archive == "" && !c.NoArchive && !c.DryRun:
		return &coded{exitUsage, withHint(errors.New("what leaves has to be written to a file first"), "Give --archive FILE, or --no-archive if nobody needs it")}
	}
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	r, err := core.retire(con, c, last)
	if err != nil {
		return err
	}
	return con.result(r, func(w io.Writer) { r.words(con, w, c) })
}

// monthBefore is the month before "2021-04": 202103.
func monthBefore(text string) (int32, error) {
	t, err := time.Parse("2006-01", text)
	if err != nil {
		return 0, &coded{exitUsage, fmt.Errorf("%q is no month like 2021-04", text)}
	}
	return monthNumber(t.AddDate(0, -1, 0)), nil
}

func monthNumber(t time.Time) int32 { return int32(t.Year()*100 + int(t.Month())) }

func monthName(month int32) string { return fmt.Sprintf("%04d-%02d", month/100, month%100) }

// mayGo refuses months that have to be kept, and says which need not.
func mayGo(last int32, now time.Time, years int) error {
	until := policy.KeptUntil(last, now, years)
	if !now.Before(until) {
		return nil
	}
	free := time.Date(int(last/100), time.Month(last%100), 1, 0, 0, 0, 0, time.UTC)
	for now.Before(policy.KeptUntil(monthNumber(free), now, years)) {
		free = free.AddDate(0, -1, 0)
	}
	return withHint(fmt.Errorf("documents of %s have to be kept until %s", monthName(last), until.Format(time.DateOnly)),
		"Today --before "+free.AddDate(0, 1, 0).Format("2006-01")+" is the latest that may be given")
}

// retire does the work; see journal.Retirement. Each step can be the last one
// that was done: the next run goes on from there.
func (c *core) retire(con *console, cmd *retireCmd, last int32) (retirement, error) {
	r := retirement{Before: cmd.Before, Months: []retiredMonth{}, Parts: []retiredOfPart{}}
	now := c.now()
	if err := mayGo(last, now, cmd.KeepYears); err != nil {
		return r, err
	}
	seal := func(f journal.SegmentFacts) (journal.Segment, error) {
		key, err := c.ring.At(fiscal.KeyForSign, now)
		if err != nil {
			return journal.Segment{}, err
		}
		f.Until, f.Made, f.By = policy.KeptUntil(f.Month, now, cmd.KeepYears), now.UTC().Truncate(time.Microsecond), byCommandLine
		return journal.SealSegment(f, &key)
	}
	file, err := openRetired(cmd)
	if err != nil {
		return r, err
	}
	defer file.discard()
	segments, err := c.leave(con, last, seal, file.entry, file.segment, nil)
	if err != nil {
		return r, fmt.Errorf("nothing was retired: %w", err)
	}
	r.add(segments)
	if err := c.hindered(con.ctx, segments); err != nil {
		return r, err
	}
	if cmd.DryRun {
		return r, nil
	}
	if err := c.finishRetired(con.ctx); err != nil { // of a run that was killed
		return r, err
	}
	r.Done = true
	if len(segments) == 0 {
		return r, nil
	}
	if err := file.finish(); err != nil {
		return r, fmt.Errorf("nothing was retired: %w", err)
	}
	if r.Archive = cmd.Archive; r.Archive != "" {
		if err := c.holdsAll(r.Archive, segments); err != nil {
			return r, fmt.Errorf("nothing was retired: %w", err)
		}
	}
	prepare := func(s *journal.Segment, ends iter.Seq2[journal.End, error]) error {
		return journal.Prepare(con.ctx, c.store, c.ring.ByID, s, ends)
	}
	if _, err := c.leave(con, last, seal, nil, nil, prepare); err != nil {
		return r, fmt.Errorf("nothing was retired: %w", err)
	}
	people, err := c.people()
	if err != nil {
		return r, err
	}
	what := r.Months[0].Month + " – " + r.Months[len(r.Months)-1].Month
	detail := fmt.Sprintf("%d entries, archive %s", r.Entries, strconv.Quote(r.Archive))
	if err := people.Note(con.ctx, 0, access.ActRetired, what, detail); err != nil { // before, so that none goes unnoted
		return r, fmt.Errorf("nothing was retired: %w", err)
	}
	for _, month := range monthsOf(segments) {
		if err := c.store.RetireMonth(con.ctx, month); err != nil {
			return r, withHint(err, "Months before it are retired. Run the same command again to go on")
		}
		con.say("%s is retired", monthName(month))
	}
	return r, nil
}

// leave walks what leaves and gives the segments.
func (c *core) leave(con *console, last int32, seal func(journal.SegmentFacts) (journal.Segment, error),
	entry func(e *journal.Entry, prev, before *journal.Hash) error, archived func(*journal.Segment) error,
	prepare func(*journal.Segment, iter.Seq2[journal.End, error]) error,
) (all []journal.Segment, err error) {
	bar := newProgress(con, "entries")
	defer bar.end()
	v, keyless := c.verification(nil)
	v.Progress = func(_ fiscal.Partition, seq, of journal.Seq) { bar.show(int64(seq), int64(of)) }
	walk := journal.Retirement{
		Verification: v, Replay: c.replay(), Last: last, Seal: seal, Entry: entry,
		Segment: func(s *journal.Segment, ends iter.Seq2[journal.End, error]) error {
			all = append(all, *s)
			if archived != nil {
				if err := archived(s); err != nil {
					return err
				}
			}
			if prepare != nil {
				return prepare(s, ends)
			}
			return nil
		},
	}
	err = walk.Run(con.ctx)
	if *keyless != nil {
		err = *keyless
	}
	return all, err
}

// finishRetired deletes what a run that was killed has left of months that are
// retired.
func (c *core) finishRetired(ctx context.Context) error {
	gone, err := c.store.Retired(ctx)
	if err != nil || len(gone) == 0 {
		return err
	}
	var last int32
	for p := range gone {
		all, err := c.store.Segments(ctx, p)
		if err != nil {
			return err
		}
		for i := range all {
			if all[i].Gone {
				last = max(last, all[i].Month)
			}
		}
	}
	return c.store.RetireMonth(ctx, last)
}

// hindered refuses while somebody still needs what would leave.
func (c *core) hindered(ctx context.Context, segments []journal.Segment) error {
	last := map[fiscal.Partition]journal.Seq{}
	for i := range segments {
		last[segments[i].Partition] = max(last[segments[i].Partition], segments[i].Last)
	}
	var all []string
	for p, seq := range last {
		why, err := c.store.Hindrances(ctx, p, seq)
		if err != nil {
			return err
		}
		all = append(all, why...)
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	return withHint(fmt.Errorf("nothing was retired, these documents are still needed: %s", strings.Join(slices.Compact(all), "; ")),
		"Followers catch up while a server runs; `ofd delivery list` shows what waits for a person")
}

// monthsOf are the months of segments, oldest first.
func monthsOf(segments []journal.Segment) (months []int32) {
	for i := range segments {
		months = append(months, segments[i].Month)
	}
	slices.Sort(months)
	return slices.Compact(months)
}

// add tells of the segments.
func (r *retirement) add(segments []journal.Segment) {
	for _, m := range monthsOf(segments) {
		month := retiredMonth{Month: monthName(m)}
		for i := range segments {
			if s := &segments[i]; s.Month == m {
				month.Entries += s.Entries
				month.Until = s.Until
				r.Parts = append(r.Parts, retiredOfPart{monthName(m), &s.SegmentFacts})
			}
		}
		r.Months, r.Entries = append(r.Months, month), r.Entries+month.Entries
	}
}

// words tells people.
func (r *retirement) words(con *console, w io.Writer, c *retireCmd) {
	switch {
	case len(r.Months) == 0:
		fmt.Fprintf(w, "There is nothing from before %s.\n", r.Before)
		return
	case r.Done:
		fmt.Fprintf(w, "Retired: %d entries. Verification begins behind them.\n", r.Entries)
	default:
		fmt.Fprintf(w, "Would be retired: %d entries.\n", r.Entries)
	}
	rows := make([][]string, len(r.Months))
	for i, m := range r.Months {
		rows[i] = []string{m.Month, strconv.FormatUint(m.Entries, 10), m.Until.Format(time.DateOnly)}
	}
	table(w, []string{"MONTH", "ENTRIES", "KEPT UNTIL"}, rows)
	if !r.Done {
		return
	}
	if r.Archive != "" {
		con.hint("`ofd verify --archive %s` verifies the archive. Keep it as long as you wish; it holds personal data.", r.Archive)
	}
	if c.DB.URL != "" {
		con.hint("The detached tables take room until the owner of the database drops them: DROP TABLE retired_%s, and so on.", strings.ReplaceAll(r.Months[0].Month, "-", ""))
	}
}
