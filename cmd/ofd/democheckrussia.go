package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
)

// russianWalk is the part of the walk that goes through Russia: two shops with
// a drive each, of two versions of the format and in two time zones.
type russianWalk struct {
	*walk
	counters []*russianCounter
	made     []russianReceipt
}

// russianReceipt is a receipt of one of the counters.
type russianReceipt struct {
	russianMade
	of *russianCounter
}

func (w *russianWalk) steps() []walkStep {
	return []walkStep{
		{"Russia: two drives registered by their first report", w.open},
		{"Russia: sales, returns, purchases, advances, agents, corrections", w.sell},
		{"Russia: link cut: documents wait, then delivered in order", w.offline},
		{"Russia: the same document twice gives the same acknowledgement", w.repeat},
		{"Russia: shifts closed: the operator counted what drives did", w.close},
		{"Russia: buyer's check: page and JSON", w.look},
		{"Russia: a wrong sum is named, an invented receipt is not found", w.forge},
		{"Russia: a register enrolled, changed, taken off by the tax service", w.office},
		{"Russia: every document forwarded once as the tax service's JSON", w.forward},
	}
}

func (w *russianWalk) open() (string, error) {
	var said []string
	for _, shop := range russianShops()[:2] {
		d, err := openRussianCounter(w.ctx, w.o, shop, w.dir)
		if err != nil {
			return "", fmt.Errorf("the shop in %s: %w", shop.city, err)
		}
		w.counters = append(w.counters, d)
		if s := d.reg.Standing(); s.Acks != 2 || s.Unsent != 0 {
			return "", fmt.Errorf("drive %s has %d acknowledgements and %d documents that wait, want 2 and 0", d.card.Drive, s.Acks, s.Unsent)
		}
		said = append(said, "drive "+d.card.Drive)
	}
	return strings.Join(said, ", "), nil
}

// end gives the drives up.
func (w *russianWalk) end() (err error) {
	for _, d := range w.counters {
		err = errors.Join(err, d.close())
	}
	return err
}

// trade makes the documents of a deal, each of which must be answered at once
// or, without a link, must wait.
func (w *russianWalk) trade(d *russianCounter, deals []russianDeal, waits bool) error {
	all, err := d.trade(w.ctx, deals)
	for _, m := range all {
		if answered := len(m.sent) > 0; answered == waits {
			return fmt.Errorf("document %d of drive %s: answered %v, want %v", m.made.Numbers.Number, d.card.Drive, answered, !waits)
		}
		d.remember(&m)
		w.made = append(w.made, russianReceipt{m, d})
	}
	return err
}

func (w *russianWalk) sell() (string, error) {
	for _, d := range w.counters {
		for i := range 40 {
			deals := d.sale()
			if i%10 == 9 {
				deals = d.givenBack()
			}
			if err := w.trade(d, deals, false); err != nil {
				return "", err
			}
		}
		for _, deal := range d.shop.deals {
			if err := w.trade(d, deal(&d.shop, d.rand, d.day()), false); err != nil {
				return "", err
			}
		}
	}
	kinds := map[string]bool{}
	for _, m := range w.made {
		kinds[m.what] = true
	}
	return fmt.Sprintf("%d receipts of %d kinds", len(w.made), len(kinds)), nil
}

func (w *russianWalk) offline() (string, error) {
	const sales = 5
	for _, d := range w.counters {
		d.link.cut(time.Hour)
		for range sales {
			if err := w.trade(d, d.sale(), true); err != nil {
				return "", err
			}
		}
		first := d.reg.Standing().FirstUnsent
		d.link.mend()
		done, err := d.reg.Deliver(w.ctx, device.QueueDocuments)
		if err != nil || len(done) != sales {
			return "", fmt.Errorf("%d documents delivered, want %d: %w", len(done), sales, err)
		}
		for i, a := range done {
			if a.Number != first+uint32(i) || !a.Ack.Accepted() {
				return "", fmt.Errorf("acknowledgement %d is of document %d (accepted %v), want %d", i+1, a.Number, a.Ack.Accepted(), first+uint32(i))
			}
		}
	}
	return fmt.Sprintf("%d receipts", sales*len(w.counters)), nil
}

// repeat loses the answer to a receipt. The drive sends it again at once; it is
// stored once.
func (w *russianWalk) repeat() (string, error) {
	for _, d := range w.counters {
		before, err := w.o.store.Row(w.ctx, d.place)
		if err != nil {
			return "", err
		}
		d.link.loseAnswer(0)
		if err := w.trade(d, d.sale(), false); err != nil {
			return "", err
		}
		after, err := w.o.store.Row(w.ctx, d.place)
		if err != nil {
			return "", err
		}
		documents := 0
		for n := before.State.LastNumber + 1; n <= after.State.LastNumber; n++ {
			e, err := w.o.store.Entry(w.ctx, d.place.Partition, d.place.Register, n)
			if err != nil {
				return "", err
			}
			if !e.Kind.Marking() { // what is sold may bear a code
				documents++
			}
		}
		if documents != 1 {
			return "", fmt.Errorf("register %d has %d documents more, want one", d.card.Register, documents)
		}
	}
	return fmt.Sprintf("%d receipts, kept once", len(w.counters)), nil
}

func (w *russianWalk) close() (string, error) {
	documents := 0
	for _, d := range w.counters {
		if _, err := d.make(w.ctx, russianDeal{}, d.words.CloseShift()); err != nil {
			return "", err
		}
		row, err := w.o.store.Row(w.ctx, d.place)
		if err != nil {
			return "", err
		}
		drive := d.reg.Standing()
		for op, operator := range row.State.Counters.GrandTotals {
			if own := drive.Counters.Receipts[op].Total + drive.Counters.Corrections[op].Total; own != operator {
				return "", fmt.Errorf("register %d, operation %d: the drive has %v, the operator %v", d.card.Register, op+1, own, operator)
			}
		}
		if row.State.Shift.Open || drive.Unsent != 0 {
			return "", fmt.Errorf("register %d: shift open %v, %d documents wait", d.card.Register, row.State.Shift.Open, drive.Unsent)
		}
		n, err := w.unblemished(d.place, fiscal.FlagCardMade) // the registration report completes the card
		if err != nil {
			return "", err
		}
		documents += n
	}
	return fmt.Sprintf("%d documents, no finding", documents), nil
}

// query is what stands in the QR code of a receipt.
func (m *russianReceipt) query() (url.Values, error) { return url.ParseQuery(m.made.QR()) }

func (w *russianWalk) look() (string, error) {
	seen := map[string]bool{}
	for i := range w.made {
		m := &w.made[i]
		kind := m.of.shop.city + m.what
		if seen[kind] && i != len(w.made)-1 {
			continue
		}
		seen[kind] = true
		q, err := m.query()
		if err != nil {
			return "", err
		}
		if err := w.says(q, "genuine"); err != nil {
			return "", fmt.Errorf("the receipt %s: %w", m.made.QR(), err)
		}
		page, err := w.get("/check?"+m.made.QR()+"&lang=ru", "text/html")
		if err != nil {
			return "", err
		}
		if sign := strconv.FormatUint(uint64(m.made.Sign), 10); !strings.Contains(string(page), sign) {
			return "", fmt.Errorf("the page of %s does not show the fiscal sign", m.made.QR())
		}
	}
	return fmt.Sprintf("%d receipts genuine", len(seen)), nil
}

func (w *russianWalk) forge() (string, error) {
	m := &w.made[0]
	q, err := m.query()
	if err != nil {
		return "", err
	}
	q.Set("s", (m.total() + 1).String())
	if err := w.says(q, "differs"); err != nil {
		return "", fmt.Errorf("another sum: %w", err)
	}
	q.Set("i", strconv.Itoa(999_999))
	if err := w.says(q, "not_yet"); err != nil { // it may wait in its drive
		return "", fmt.Errorf("a receipt of today that is not there: %w", err)
	}
	q.Set("t", "20200101T1200")
	if err := w.says(q, "none"); err != nil {
		return "", fmt.Errorf("an old receipt that is not there: %w", err)
	}
	return "", nil
}
