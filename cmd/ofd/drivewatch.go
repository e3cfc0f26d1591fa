package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	"openofd/internal/registry"
)

// silentDays are the days of silence at which somebody should call the owner: on
// the 31st the drive stops. Source: KKT reference §8.2.
var silentDays = [...]int64{3, 10, 20, 25, 30}

// Between two looks at all drives. Days are counted, so an hour is often enough
// for a million registers.
const (
	watchEvery = time.Hour
	watchAgain = time.Minute // after a look that failed
)

// driveWatch counts the fiscal drives that have gone silent. A look reads every
// register, so it is taken beside the scrapes and not by them; each node sees
// all of them, and an alert takes the greatest number.
type driveWatch struct {
	registry interface {
		Registers(ctx context.Context, t fiscal.TaxpayerID, after fiscal.RegisterID, limit int) ([]registry.Listed, error)
	}
	now func() time.Time

	inUse, missing, marking, looked prometheus.Gauge
	silent                          [len(silentDays)]prometheus.Gauge
}

func newDriveWatch(r *registry.Service, reg prometheus.Registerer, now func() time.Time) *driveWatch {
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
		reg.MustRegister(g)
		return g
	}
	w := &driveWatch{
		registry: r, now: now,
		inUse:   gauge("ofd_kkt_drives", "Fiscal drives in use, of registers that are active."),
		missing: gauge("ofd_kkt_drives_missing_documents", "Fiscal drives in use of which documents have been missing for a day."),
		marking: gauge("ofd_kkt_drives_marking_overdue", "Fiscal drives in use in which notifications about marked goods wait for too long."),
		looked:  gauge("ofd_kkt_drives_looked_timestamp_seconds", "When the fiscal drives were last counted; Unix time, 0 not yet."),
	}
	silent := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "ofd_kkt_drives_silent", Help: "Fiscal drives in use of which nothing has come for so many days or longer.",
	}, []string{"days"})
	reg.MustRegister(silent)
	for i, n := range silentDays {
		w.silent[i] = silent.WithLabelValues(strconv.FormatInt(n, 10))
	}
	return w
}

// run looks again and again until ctx ends.
func (w *driveWatch) run(ctx context.Context, log *slog.Logger) {
	for {
		wait := watchEvery
		if err := w.look(ctx, log); err != nil && ctx.Err() == nil {
			log.Warn("fiscal drives not counted", "err", err)
			wait = watchAgain
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// look counts all drives.
func (w *driveWatch) look(ctx context.Context, log *slog.Logger) error {
	now, law := w.now(), policy.For(fiscal.Russia)
	var inUse, missing, marking float64
	var silent [len(silentDays)]float64
	for after := fiscal.RegisterID(0); ; {
		page, err := w.registry.Registers(ctx, 0, after, listPage)
		if err != nil {
			return fmt.Errorf("list the registers: %w", err)
		}
		for i := range page {
			l := &page[i]
			if l.Card.Country != fiscal.Russia {
				continue
			}
			drives, err := shownDrives(&l.Card, l.State, now, law)
			if err != nil { // the others are counted all the same
				log.Warn("fiscal drives of a register not counted", "register", l.Card.Register, "err", err)
				continue
			}
			for j := range drives {
				d := &drives[j]
				if d.SilentDays == nil {
					continue
				}
				inUse++
				missing += oneIf(d.Missing)
				marking += oneIf(d.MarkingOverdue)
				for k, n := range silentDays {
					silent[k] += oneIf(*d.SilentDays >= n)
				}
			}
		}
		if len(page) < listPage {
			break
		}
		after = page[len(page)-1].Card.Register
	}
	w.inUse.Set(inUse)
	w.missing.Set(missing)
	w.marking.Set(marking)
	for k := range silent {
		w.silent[k].Set(silent[k])
	}
	w.looked.Set(float64(now.Unix()))
	return nil
}

func oneIf(v bool) float64 {
	if v {
		return 1
	}
	return 0
}
