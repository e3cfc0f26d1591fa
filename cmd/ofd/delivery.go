package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"openofd/internal/authority/fns"
	"openofd/internal/config"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
)

type deliveryCmd struct {
	Status deliveryStatusCmd `cmd:"" help:"How far documents were forwarded, and which wait for a person."`
	Again  deliveryAgainCmd  `cmd:"" help:"Try a document that was put aside once more."`
}

type deliveryStatusCmd struct {
	place
	Limit int `default:"20" help:"How many documents that wait are listed at most."`
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
	shown := shownDelivery{Authority: fns.Name, Stuck: []shownStuck{}, Documents: []shownForwarded{}}
	s, err := follow.Stands(con.ctx, core.store, delivery.IDOf(fns.Name))
	if err != nil {
		return err
	}
	shown.LagEntries, shown.LagSeconds = s.Entries, int64(lagOf(&s, core.now()).Seconds())
	for _, p := range s.Positions {
		shown.Positions = append(shown.Positions, shownPosition{p.Partition, uint64(p.Seq), uint64(p.Head), stated(p.MovedAt)})
	}
	for _, p := range s.Stuck() {
		shown.Stuck = append(shown.Stuck, shownStuck{p.Partition, uint64(p.Failure.Seq), p.Failure.At, p.Failure.Why})
	}
	if shown.Waiting, err = core.store.CountWaiting(con.ctx, fns.Name); err != nil {
		return err
	}
	waiting, err := core.store.Waiting(con.ctx, fns.Name, 0, c.Limit)
	if err != nil {
		return err
	}
	for i := range waiting {
		shown.Documents = append(shown.Documents, showForwarded(&waiting[i]))
	}
	if err := con.result(shown, func(w io.Writer) { shown.words(w) }); err != nil {
		return err
	}
	if len(shown.Stuck) > 0 {
		return &found{"delivery is stuck"}
	}
	return nil
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
	rows := make([][]string, 0, len(s.Documents))
	for _, d := range s.Documents {
		rows = append(rows, []string{strconv.FormatInt(d.ID, 10), fmt.Sprint(d.Register), d.Document, string(d.Reason), d.Parked.Format(time.DateTime), d.Detail})
	}
	fmt.Fprintln(w)
	table(w, []string{"ID", "REGISTER", "DOCUMENT", "WHY", "SINCE (UTC)", "DETAIL"}, rows)
	fmt.Fprintln(w, "\n`ofd delivery again ID` tries one once more.")
}

type deliveryAgainCmd struct {
	place
	FNSDir    string        `name:"fns-dir" env:"OFD_FNS_DIR" type:"path" placeholder:"DIR" help:"Folder where documents for Russia's tax service are written."`
	KKTCrypto config.Crypto `name:"kkt-crypto" env:"OFD_KKT_CRYPTO" placeholder:"NAME" help:"Keys of fiscal drives, as ofd serve is told."`
	ID        int64         `arg:"" help:"Which; ofd delivery status lists them."`
}

// Run tries it. A document that is put aside again is a finding: exit code 1.
func (c *deliveryAgainCmd) Run(con *console) error {
	if c.FNSDir == "" {
		return withHint(errors.New("nobody knows the way to the tax service"), "Give --fns-dir, the folder of the server")
	}
	con.file.KKTCrypto = c.KKTCrypto
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	d, err := newDelivery(core, c.FNSDir, nil)
	if err != nil {
		return err
	}
	p, err := d.Again(con.ctx, c.ID)
	if err != nil {
		return err
	}
	shown := showForwarded(&p)
	if err := con.result(shown, func(w io.Writer) {
		if shown.Settled != nil {
			fmt.Fprintf(w, "Document %s was forwarded.\n", shown.Document)
			return
		}
		fmt.Fprintf(w, "Document %s is put aside still: %s. %s\n", shown.Document, shown.Reason, shown.Detail)
	}); err != nil {
		return err
	}
	if p.Settled.IsZero() {
		return &found{"not forwarded"}
	}
	return nil
}
