package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"openofd/internal/authority/kgd"
	"openofd/internal/cabinet"
	"openofd/internal/config"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// dayOf is whose days an authority hears of, and when they are over.
func dayOf(authority string) (delivery.DayConfig, error) {
	c := fiscal.Russia
	if authority == kgd.Name {
		c = fiscal.Kazakhstan
	}
	zone, err := time.LoadLocation(registry.ZoneOf(c))
	return delivery.DayConfig{Authority: authority, Country: c, Tables: cabinet.FollowerID(), Zone: zone}, err
}

// evenings are what is done after each day, for every authority that documents
// are forwarded to. Summaries, counts and reports are Kazakhstan's; of what goes
// to Russia the report is made and kept.
func (f *forwarding) evenings(c *core, log *slog.Logger, observer delivery.EveningObserver, holder string) (all []*delivery.Evening, err error) {
	for _, d := range f.all {
		name := d.ID().Name
		day, err := dayOf(name)
		if err != nil {
			return nil, err
		}
		var summaries *delivery.Summaries
		var sender delivery.ReportSender
		if name == kgd.Name {
			summaries, sender = delivery.NewSummaries(day, c.store, f.kgd, log, c.now), f.kgd
		}
		reconciler, err := f.reconciler(c, name, log)
		if err != nil {
			return nil, err
		}
		all = append(all, delivery.NewEvening(delivery.EveningConfig{Day: day, Holder: holder}, c.store, summaries, reconciler,
			delivery.NewReporter(day, c.store, sender, c.now), observer, log, c.now))
	}
	return all, nil
}

// reconciler compares days with an authority; nil for one that tells no counts,
// or to which the way is not known.
func (f *forwarding) reconciler(c *core, authority string, log *slog.Logger) (*delivery.Reconciler, error) {
	d := f.of(authority)
	if authority != kgd.Name || d == nil || f.kgd == nil {
		return nil, nil
	}
	day, err := dayOf(authority)
	if err != nil {
		return nil, err
	}
	return delivery.NewReconciler(day, c.store, f.kgd, d, log, c.now), nil
}

type reconcileCmd struct {
	place
	KGD config.Far `embed:"" prefix:"kgd-" envprefix:"OFD_KGD_" set:"far=Kazakhstan's tax authority"`
	Day string     `required:"" placeholder:"2026-03-14" help:"Which day, by the registers' clocks. It has to be over."`
}

// shownReconciliation is one comparison of a day.
type shownReconciliation struct {
	ID          int64                 `json:"id"`
	Authority   string                `json:"authority"`
	Day         string                `json:"day"`
	Began       time.Time             `json:"began"`
	Ended       time.Time             `json:"ended"`
	By          string                `json:"by,omitempty"`
	Registers   int                   `json:"registers"`
	Documents   int64                 `json:"documents"`
	Differences int                   `json:"differences"`
	Open        int                   `json:"open"`
	Resent      int                   `json:"resent"`
	Failure     string                `json:"failure,omitempty"`
	Found       []delivery.Difference `json:"found"`
}

func showReconciliation(r *delivery.Reconciliation) shownReconciliation {
	s := shownReconciliation{r.ID, r.Authority, r.Day.UTC().Format(time.DateOnly), r.Began, r.Ended, r.By, r.Registers, r.Documents, r.Differences, r.Open, r.Resent, r.Failure, r.Found}
	if s.Found == nil {
		s.Found = []delivery.Difference{}
	}
	return s
}

// parseDay reads a day as commands and forms write it.
func parseDay(s string) (fiscal.WallTime, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, &fiscal.Error{Reason: fiscal.BadValue, Field: "day", Msg: fmt.Sprintf("%q is not a day like 2026-03-14", s)}
	}
	return fiscal.WallTime(t.Unix()), nil
}

// Run compares a day with what the authority counts, and sends again what is
// missing there. A difference that is left is a finding: exit code 1.
func (c *reconcileCmd) Run(con *console) error {
	day, err := parseDay(c.Day)
	if err != nil {
		return err
	}
	if c.KGD.URL.URL == "" {
		return withHint(errors.New("nobody knows the way to the tax authority"), "Give --kgd-url, as the server has it")
	}
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	var s config.Serve
	s.KGD = c.KGD
	ways, err := openForwarding(core, &s, nil)
	if err != nil {
		return err
	}
	r, err := ways.reconciler(core, kgd.Name, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	one, err := r.Reconcile(con.ctx, day, byCommandLine)
	if err != nil {
		return err
	}
	shown := showReconciliation(&one)
	if err := con.result(shown, func(w io.Writer) { shown.words(w) }); err != nil {
		return err
	}
	if one.Open > 0 {
		return &found{"the two sides differ"}
	}
	return nil
}

// words prints it for people.
func (s *shownReconciliation) words(w io.Writer) {
	if s.Differences == 0 {
		fmt.Fprintf(w, "%s: %d registers, %d documents. Both sides agree.\n", s.Day, s.Registers, s.Documents)
		return
	}
	fmt.Fprintf(w, "%s: %d registers, %d documents. %d differ, %d documents were sent again, %d differ still.\n\n", s.Day, s.Registers, s.Documents, s.Differences, s.Resent, s.Open)
	rows := make([][]string, 0, len(s.Found))
	for i := range s.Found {
		d := &s.Found[i]
		state := "open"
		if d.Settled {
			state = "settled"
		}
		rows = append(rows, []string{fmt.Sprint(d.Register), string(d.Kind), side(&d.Ours), side(&d.Theirs), strconv.Itoa(d.Resent), state, d.Detail})
	}
	table(w, []string{"REGISTER", "DIFFERS IN", "OURS", "THEIRS", "SENT AGAIN", "NOW", "DETAIL"}, rows)
}

// side is one side's word in short: how many documents, what sales came to less
// their returns, the last entry.
func side(s *delivery.Side) string {
	if s.Documents == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%d, %s, last %d", s.Documents, s.Receipts[0].Sum-s.Receipts[1].Sum, s.Last)
}
