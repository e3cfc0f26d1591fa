package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/registry"
)

// What is told of a drive's silence, day by day: how long, when it stops, and
// whether it is over. The metrics count the same.
func TestDriveSilence(t *testing.T) {
	o, made := russianOperator(t, "sqlite")
	r := virtualRegister(t, device.LinkConfig{Addr: o.KKTAddr}, device.DriveConfig{}, time.Now)
	shop := device.SampleShop(ffd.V120)
	for _, doc := range []device.Document{shop.Registration(0), shop.OpenShift()} {
		deliver(t, r, doc)
	}
	if _, err := r.Make(shop.Receipt(fiscal.OpSale, 100)); err != nil { // waits in the drive
		t.Fatal(err)
	}
	l, err := o.registry.Show(t.Context(), made.Card.Register)
	if err != nil {
		t.Fatal(err)
	}
	began, reg := time.Now(), prometheus.NewRegistry()
	now := began
	quiet := slog.New(slog.DiscardHandler)
	watch := newDriveWatch(o.registry, reg, func() time.Time { return now })
	for _, tt := range []struct {
		days, silent, left int64
		words              string
		counted            [len(silentDays)]float64
	}{
		{0, 0, 29, "document 2", [5]float64{}},
		{3, 3, 26, "for 3 days; it stops on", [5]float64{1}},
		{25, 25, 4, "for 25 days; it stops on", [5]float64{1, 1, 1, 1}},
		{29, 29, 0, "for 29 days; it stops on", [5]float64{1, 1, 1, 1}},
		{30, 30, -1, "it makes no documents, if one waits in it", [5]float64{1, 1, 1, 1, 1}},
		{40, 40, -11, "for 40 days; since", [5]float64{1, 1, 1, 1, 1}},
	} {
		now = began.Add(time.Duration(tt.days)*24*time.Hour + time.Minute)
		drives, err := shownDrives(&l.Card, l.State, now, policy.For(fiscal.Russia))
		if err != nil || len(drives) != 1 || *drives[0].SilentDays != tt.silent || *drives[0].DaysLeft != tt.left {
			t.Fatalf("after %d days: %+v, %v; want %d days silent, %d left", tt.days, drives, err, tt.silent, tt.left)
		}
		var words strings.Builder
		drives[0].words(&words)
		if !strings.Contains(words.String(), tt.words) {
			t.Errorf("after %d days: %q, want %q in it", tt.days, words.String(), tt.words)
		}
		if err := watch.look(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		for i, want := range tt.counted {
			if got := gaugeValue(t, reg, "ofd_kkt_drives_silent", i); got != want {
				t.Errorf("after %d days: %v drives silent for %d, want %v", tt.days, got, silentDays[i], want)
			}
		}
		if got := gaugeValue(t, reg, "ofd_kkt_drives", 0); got != 1 {
			t.Errorf("%v drives, want 1", got)
		}
	}
	watch.registry = withUnreadable{o.registry}
	if err := watch.look(t.Context(), quiet); err != nil || gaugeValue(t, reg, "ofd_kkt_drives", 0) != 1 {
		t.Errorf("with a register that cannot be read before it: %v, %v drives in use, want 1", err, gaugeValue(t, reg, "ofd_kkt_drives", 0))
	}
	line, err := inList(&l, began.Add(25*24*time.Hour+time.Minute), policy.For(fiscal.Russia))
	if err != nil || line.Drive != testDrive || *line.SilentDays != 25 || *line.DaysLeft != 4 {
		t.Errorf("in the list: %+v, %v", line, err)
	}
	if err := o.registry.Block(t.Context(), made.Card.Register, "test", "no contract"); err != nil {
		t.Fatal(err)
	}
	if err := watch.look(t.Context(), quiet); err != nil || gaugeValue(t, reg, "ofd_kkt_drives", 0) != 0 {
		t.Errorf("a blocked register: %v, %v drives in use, want none", err, gaugeValue(t, reg, "ofd_kkt_drives", 0))
	}
}

// gaugeValue is the value of a gauge's series; those of days are in the order of
// silentDays.
func gaugeValue(t *testing.T, reg *prometheus.Registry, name string, at int) float64 {
	t.Helper()
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m.GetName() != name {
			continue
		}
		if len(m.GetMetric()) == 1 {
			return m.GetMetric()[0].GetGauge().GetValue()
		}
		for _, series := range m.GetMetric() {
			if series.GetLabel()[0].GetValue() == []string{"3", "10", "20", "25", "30"}[at] {
				return series.GetGauge().GetValue()
			}
		}
	}
	t.Fatalf("there is no %s", name)
	return 0
}

// deliver makes and sends a document, and wants it accepted.
func deliver(t *testing.T, r *device.Register, doc device.Document) {
	t.Helper()
	if _, err := r.Make(doc); err != nil {
		t.Fatal(err)
	}
	done, err := r.Deliver(t.Context(), device.QueueDocuments)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range done {
		if !d.Ack.Accepted() {
			t.Errorf("document %d: acknowledgement %+v", d.Number, d.Ack)
		}
	}
}

// withUnreadable lists a register with a state that nobody can read before the
// others.
type withUnreadable struct{ *registry.Service }

func (w withUnreadable) Registers(ctx context.Context, t fiscal.TaxpayerID, after fiscal.RegisterID, limit int) ([]registry.Listed, error) {
	page, err := w.Service.Registers(ctx, t, after, limit)
	broken := registry.Listed{Card: fiscal.Card{Register: 1, Country: fiscal.Russia}, State: &fiscal.State{Protocol: []byte("rubbish")}}
	return append([]registry.Listed{broken}, page...), err
}
