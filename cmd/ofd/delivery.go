package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
)

type deliveryCmd struct {
	Status deliveryStatusCmd `cmd:"" help:"How far documents were forwarded, and how many wait for a person."`
	List   deliveryListCmd   `cmd:"" help:"Documents that were put aside and wait for a person."`
	Again  deliveryAgainCmd  `cmd:"" help:"Try documents that were put aside once more."`
}

// authorityFlag names one authority.
type authorityFlag struct {
	Authority string `enum:",kgd,fns" default:"" placeholder:"NAME" help:"Which: kgd or fns; all of them without it."`
}

// names are the authorities that are asked of.
func (f authorityFlag) names() []string {
	if f.Authority != "" {
		return []string{f.Authority}
	}
	return authorities
}

type deliveryStatusCmd struct {
	place
	authorityFlag
	Limit int `default:"20" help:"How many documents that wait are listed at most, of each authority."`
}

// shownDeliveries is how delivery stands to all authorities that anything goes
// to.
type shownDeliveries struct {
	Authorities []shownDelivery `json:"authorities"`
}

// shownDelivery is how delivery to an authority stands.
type shownDelivery struct {
	Authority  string           `json:"authority"`
	LagEntries uint64           `json:"lag_entries"`
	LagSeconds int64            `json:"lag_seconds"`
	Waiting    int64            `json:"waiting"`
	Stuck      []shownStuck     `json:"stuck"`
	Positions  []shownPosition  `json:"positions"`
	Documents  []shownForwarded `json:"documents"` // those that wait
}

type shownPosition struct {
	Partition fiscal.Partition `json:"partition"`
	Entry     uint64           `json:"entry"` // the last one followed
	Head      uint64           `json:"head"`  // the last one there is
	MovedAt   *time.Time       `json:"moved_at,omitempty"`
}

type shownStuck struct {
	Partition fiscal.Partition `json:"partition"`
	Entry     uint64           `json:"entry"`
	Since     time.Time        `json:"since"`
	Why       string           `json:"why"`
}

// shownForwarded is a document that was put aside.
type shownForwarded struct {
	ID       int64             `json:"id"`
	Register fiscal.RegisterID `json:"register"`
	Entry    fiscal.Number     `json:"entry"` // its number in the register
	Document string            `json:"document"`
	Reason   delivery.Reason   `json:"reason"`
	Detail   string            `json:"detail"`
	Parked   time.Time         `json:"parked"`
	Tries    int               `json:"tries"`
	Settled  *time.Time        `json:"settled,omitempty"`
}

func showForwarded(p *delivery.Parked) shownForwarded {
	return shownForwarded{
		ID: p.ID, Register: p.Place.Register, Entry: p.Number, Document: p.Document, Reason: p.Reason, Detail: p.Detail,
		Parked: p.At, Tries: p.Tries, Settled: stated(p.Settled),
	}
}

// stated is nil for the zero time.
func stated(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Run prints how delivery stands. An entry that is not got past is a finding:
// exit code 1.
func (c *deliveryStatusCmd) Run(con *console) error {
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	shown, stuck := shownDeliveries{Authorities: []shownDelivery{}}, false
	for _, name := range c.names() {
		one, begun, err := showDelivery(con.ctx, core, name, c.Limit)
		if err != nil {
			return err
		}
		if begun || c.Authority != "" { // who was never forwarded to is not behind
			shown.Authorities = append(shown.Authorities, one)
			stuck = stuck || len(one.Stuck) > 0
		}
	}
	if err := con.result(shown, func(w io.Writer) { shown.words(w) }); err != nil {
		return err
	}
	if stuck {
		return &found{"delivery is stuck"}
	}
	return nil
}

// showDelivery looks how delivery to an authority stands; begun says that
// anything was ever looked at for it.
func showDelivery(ctx context.Context, core *core, name string, limit int) (shown shownDelivery, begun bool, err error) {
	shown = shownDelivery{Authority: name, Stuck: []shownStuck{}, Positions: []shownPosition{}, Documents: []shownForwarded{}}
	s, err := follow.Stands(ctx, core.store, delivery.IDOf(name))
	if err != nil {
		return shown, false, err
	}
	shown.LagEntries, shown.LagSeconds = s.Entries, int64(lagOf(&s, core.now()).Seconds())
	for _, p := range s.Positions {
		begun = begun || p.Seq > 0 || p.Failure.Seq > 0
		shown.Positions = append(shown.Positions, shownPosition{p.Partition, uint64(p.Seq), uint64(p.Head), stated(p.MovedAt)})
	}
	for _, p := range s.Stuck() {
		shown.Stuck = append(shown.Stuck, shownStuck{p.Partition, uint64(p.Failure.Seq), p.Failure.At, p.Failure.Why})
	}
	if shown.Waiting, err = core.store.CountWaiting(ctx, name); err != nil {
		return shown, begun, err
	}
	waiting, err := core.store.Waiting(ctx, name, 0, limit)
	for i := range waiting {
		shown.Documents = append(shown.Documents, showForwarded(&waiting[i]))
	}
	return shown, begun, err
}

// words prints all of them.
func (s *shownDeliveries) words(w io.Writer) {
	if len(s.Authorities) == 0 {
		fmt.Fprintln(w, "Nothing was ever forwarded to an authority.")
	}
	for i := range s.Authorities {
		if i > 0 {
			fmt.Fprintln(w)
		}
		s.Authorities[i].words(w)
	}
}

// words prints it for people.
func (s *shownDelivery) words(w io.Writer) {
	behind := "nothing: all of the journal is forwarded"
	if s.LagEntries > 0 {
		behind = fmt.Sprintf("%d entries, the oldest %s old", s.LagEntries, time.Duration(s.LagSeconds)*time.Second)
	}
	facts(w, "Authority", s.Authority, "Behind", behind, "Put aside", strconv.FormatInt(s.Waiting, 10))
	for _, at := range s.Stuck {
		fmt.Fprintf(w, "\nNot got past entry %d of partition %d since %s UTC:\n  %s\n", at.Entry, at.Partition, at.Since.Format(time.DateTime), at.Why)
	}
	if len(s.Documents) == 0 {
		return
	}
	fmt.Fprintln(w)
	putAside(w, s.Documents)
	fmt.Fprintln(w, "\n`ofd delivery again ID` tries one once more.")
}

// putAside prints documents that were put aside as a table.
func putAside(w io.Writer, all []shownForwarded) {
	rows := make([][]string, 0, len(all))
	for _, d := range all {
		rows = append(rows, []string{strconv.FormatInt(d.ID, 10), fmt.Sprint(d.Register), d.Document, string(d.Reason), d.Parked.Format(time.DateTime), d.Detail})
	}
	table(w, []string{"ID", "REGISTER", "DOCUMENT", "WHY", "SINCE (UTC)", "DETAIL"}, rows)
}
