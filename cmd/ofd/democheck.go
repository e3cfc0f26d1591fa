package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
)

// checkTime bounds the whole walk.
const checkTime = time.Minute

// demoCheck walks the way of a receipt once in each country, from the
// registration of a register to the buyer's check, and compares every figure on
// the way. It prints each step; the first that fails ends it.
func demoCheck(con *console, w *walk) error {
	ctx, cancel := context.WithTimeout(con.ctx, checkTime)
	defer cancel()
	began := time.Now()
	w.ctx, w.con = ctx, con
	russia, newcomer := &russianWalk{walk: w}, &newcomerWalk{walk: w}
	all := slices.Concat(w.steps(), newcomer.steps(), russia.steps(), newcomer.evening(), []walkStep{{"every entry, chain, sign and counter verified", w.verify}})
	done := w.take(all)
	if err := errors.Join(w.end(), russia.end(), newcomer.end()); err != nil {
		return err
	}
	last := done[len(done)-1]
	if err := con.result(done, func(out io.Writer) {
		if !last.OK {
			fmt.Fprintf(out, "FAIL %s: %s\n", last.Step, last.Said)
			return
		}
		fmt.Fprintf(out, "all well in %v\n", time.Since(began).Round(time.Millisecond))
	}); err != nil {
		return err
	}
	if !last.OK {
		return &found{last.Said}
	}
	return nil
}

// walkStep is one step: what it shows, and what does it and says what came of
// it.
type walkStep struct {
	name string
	do   func() (string, error)
}

// take takes the steps until one fails.
func (w *walk) take(all []walkStep) (done []walked) {
	for _, s := range all {
		step := time.Now()
		said, err := s.do()
		if err != nil {
			return append(done, walked{s.name, err.Error(), false})
		}
		done = append(done, walked{s.name, said, true})
		if !w.con.json {
			fmt.Fprintf(w.con.out, "ok   %-66s %s (%v)\n", s.name, said, time.Since(step).Round(time.Millisecond))
		}
	}
	return done
}

// steps are those through Kazakhstan.
func (w *walk) steps() []walkStep {
	return []walkStep{
		{"Kazakhstan: register added, token issued, first contact made", w.open},
		{"Kazakhstan: 100 receipts, returns among them", w.sell},
		{"Kazakhstan: link cut: autonomous receipts, then delivered in order", w.offline},
		{"Kazakhstan: the same request twice gives the same answer", w.repeat},
		{"Kazakhstan: shift closed: the Z report equals what was sold", w.close},
		{"Kazakhstan: a till on a phone: signed in, sold, shift closed", w.till},
		{"Kazakhstan: buyer's check: by sign and by autonomous code", w.look},
		{"Kazakhstan: a wrong sum is named, an invented receipt not found", w.forge},
	}
}

// end gives the register up.
func (w *walk) end() error {
	if w.counter == nil {
		return nil
	}
	return w.counter.reg.Close()
}

// walked is a step of the walk as it is printed.
type walked struct {
	Step string `json:"step"`
	Said string `json:"said"`
	OK   bool   `json:"ok"`
}

// walk is what the steps hand on to each other.
type walk struct {
	ctx      context.Context
	con      *console
	o        *operator
	dir      string
	settings *settings
	far      *demoFar
	past     bool // there is sample data
	counter  *demoCounter

	sales   []sold
	returns []kkm.Slip
	away    []kkm.Slip   // autonomous
	cash    fiscal.Money // what the drawer must hold
}

func (w *walk) open() (string, error) {
	shop := demoShops(standardVAT(w.o.now()))[0]
	var err error
	w.counter, err = openCounter(w.ctx, w.o, shop, w.dir, demoTimes{transaction: 500 * time.Millisecond, reconnect: time.Hour})
	if err != nil {
		return "", err
	}
	if _, err := w.counter.reg.Deposit(w.ctx, 50_000_00, shop.cashiers[0]); err != nil {
		return "", fmt.Errorf("deposit: %w", err)
	}
	w.cash = 50_000_00
	return fmt.Sprintf("register %d, number %s", w.counter.card.Register, w.counter.card.RegistrationNumber), nil
}

func (w *walk) sell() (string, error) {
	for i := range 100 {
		if i%10 == 9 {
			if err := w.giveBack(w.sales[len(w.sales)-1]); err != nil {
				return "", err
			}
			continue
		}
		rec := w.counter.shop.receipt(w.counter.rand)
		slip, err := w.counter.reg.Sell(w.ctx, rec)
		if err != nil {
			return "", fmt.Errorf("sale %d: %w", i+1, err)
		}
		if slip.Offline || len(slip.FiscalSign) != 12 {
			return "", fmt.Errorf("sale %d: autonomous %v, sign %q, want 12 digits", i+1, slip.Offline, slip.FiscalSign)
		}
		w.sales = append(w.sales, sold{rec, slip})
		w.cash += rec.CashPart()
	}
	return fmt.Sprintf("%d sales, %d returns", len(w.sales), len(w.returns)), nil
}

func (w *walk) giveBack(of sold) error {
	rec := w.counter.shop.back(of.receipt)
	rec.Parent = w.counter.reg.Parent(of.slip)
	slip, err := w.counter.reg.Ticket(w.ctx, rec)
	if err != nil {
		return fmt.Errorf("return of %s: %w", of.slip.FiscalSign, err)
	}
	w.returns = append(w.returns, slip)
	w.cash -= rec.CashPart()
	return nil
}

func (w *walk) offline() (string, error) {
	w.counter.link.cut(time.Hour)
	for range 5 {
		rec := w.counter.shop.receipt(w.counter.rand)
		slip, err := w.counter.reg.Sell(w.ctx, rec)
		if err != nil {
			return "", fmt.Errorf("autonomous sale: %w", err)
		}
		if !slip.Offline || slip.OfflineCode == 0 {
			return "", errors.New("a receipt without a link is not autonomous")
		}
		w.away = append(w.away, slip)
		w.sales = append(w.sales, sold{rec, slip})
		w.cash += rec.CashPart()
	}
	w.counter.link.mend()
	done, err := w.counter.reg.Deliver(w.ctx)
	if err != nil {
		return "", fmt.Errorf("deliver: %w", err)
	}
	if len(done) != len(w.away) {
		return "", fmt.Errorf("%d documents delivered, want %d", len(done), len(w.away))
	}
	for i := range done {
		if done[i].Code != w.away[i].OfflineCode || done[i].FiscalSign == "" {
			return "", fmt.Errorf("document %d delivered has code %d and sign %q, want code %d", i, done[i].Code, done[i].FiscalSign, w.away[i].OfflineCode)
		}
	}
	return fmt.Sprintf("%d receipts", len(done)), nil
}

// repeat loses the answers to two sales. The first is sent again at once and
// gets what was answered first. Behind the second the link stays cut, so it is
// printed with an autonomous code; delivered later, it is found to be there
// already. Each is counted once, and the buyer finds both.
func (w *walk) repeat() (string, error) {
	for _, cut := range []time.Duration{0, time.Hour} {
		w.counter.link.loseAnswer(cut)
		rec := w.counter.shop.receipt(w.counter.rand)
		slip, err := w.counter.reg.Sell(w.ctx, rec)
		if err != nil {
			return "", fmt.Errorf("sale with a lost answer: %w", err)
		}
		if autonomous := cut > 0; slip.Offline != autonomous {
			return "", fmt.Errorf("sale with a lost answer: autonomous %v, want %v", slip.Offline, autonomous)
		}
		w.sales = append(w.sales, sold{rec, slip})
		w.cash += rec.CashPart()
	}
	w.counter.link.mend()
	done, err := w.counter.reg.Deliver(w.ctx)
	if err != nil {
		return "", fmt.Errorf("deliver: %w", err)
	}
	if len(done) != 1 {
		return "", fmt.Errorf("%d documents delivered, want 1", len(done))
	}
	return "2 receipts, counted once", nil
}

func (w *walk) close() (string, error) {
	var sales, returns fiscal.Money
	for _, s := range w.sales {
		sales += s.slip.Total
	}
	for _, s := range w.returns {
		returns += s.Total
	}
	slip, err := w.counter.reg.CloseShift(w.ctx, w.counter.shop.cashiers[0], false)
	if err != nil {
		return "", err
	}
	if slip.Offline || slip.Report == nil {
		return "", errors.New("the operator did not answer")
	}
	c := &slip.Report.Counters
	got := [...]any{c.Receipts[fiscal.OpSale.Index()].Count, c.Receipts[fiscal.OpSale.Index()].Sum, c.Receipts[fiscal.OpSaleReturn.Index()].Count,
		c.Receipts[fiscal.OpSaleReturn.Index()].Sum, c.Receipts[fiscal.OpSale.Index()].Offline, c.Cash, c.Revenue}
	want := [...]any{int64(len(w.sales)), sales, int64(len(w.returns)), returns, int64(len(w.away)), w.cash, sales - returns}
	if got != want {
		return "", fmt.Errorf("the Z report has (sales, sum, returns, sum, autonomous, cash, revenue) %v, want %v", got, want)
	}
	listed, err := w.o.registry.Show(w.ctx, w.counter.card.Register)
	if err != nil {
		return "", err
	}
	place := fiscal.Place{Partition: listed.Partition, Register: w.counter.card.Register}
	n, err := w.unblemished(place, fiscal.FlagReplay|fiscal.FlagRepeated) // which the steps before made happen
	return fmt.Sprintf("Z %d, revenue %v, %d documents, no finding", slip.Shift, c.Revenue, n), err
}

// unblemished counts the documents of a register and reports the first one that
// was accepted with a finding other than allowed.
func (w *walk) unblemished(of fiscal.Place, allowed fiscal.Flags) (n int, err error) {
	row, err := w.o.store.Row(w.ctx, of)
	if err != nil {
		return 0, err
	}
	for number := fiscal.Number(1); number <= row.State.LastNumber; number++ {
		e, err := w.o.store.Entry(w.ctx, of.Partition, of.Register, number)
		switch {
		case err != nil:
			return n, err
		case e.Outcome != 0 || e.Flags&^allowed != 0:
			return n, fmt.Errorf("entry %d of register %d, %v: outcome %d, findings %v", number, of.Register, e.Kind, e.Outcome, e.Flags)
		case e.Kind != fiscal.DocAct:
			n++
		}
	}
	return n, nil
}

// says asks the buyer's check as a program would and compares its verdict.
func (w *walk) says(q url.Values, want string) error {
	body, err := w.get("/api/v1/check?"+q.Encode(), "application/json")
	if err != nil {
		return err
	}
	var said struct {
		Verdict string `json:"verdict"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return fmt.Errorf("answer of the check: %w", err)
	}
	if said.Verdict != want {
		return fmt.Errorf("the check says %q, want %s: %s", said.Verdict, want, body)
	}
	return nil
}

func (w *walk) get(path, accept string) ([]byte, error) {
	req, err := http.NewRequestWithContext(w.ctx, http.MethodGet, w.o.Site+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s: %s", path, resp.Status, body)
	}
	return body, nil
}

// query is what stands in the QR code of a slip.
func query(s kkm.Slip) (url.Values, error) {
	u, err := url.Parse(s.QR)
	if err != nil {
		return nil, fmt.Errorf("QR text %q: %w", s.QR, err)
	}
	return u.Query(), nil
}

func (w *walk) look() (string, error) {
	looked := []kkm.Slip{w.sales[0].slip, w.returns[0], w.away[0], w.sales[len(w.sales)-2].slip, w.sales[len(w.sales)-1].slip}
	for _, s := range looked {
		q, err := query(s)
		if err != nil {
			return "", err
		}
		if err := w.says(q, "genuine"); err != nil {
			return "", fmt.Errorf("the receipt %s: %w", s.QR, err)
		}
		if _, err := w.get("/?"+q.Encode()+"&lang=kk", "text/html"); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d receipts genuine", len(looked)), nil
}

func (w *walk) forge() (string, error) {
	q, err := query(w.sales[0].slip)
	if err != nil {
		return "", err
	}
	q.Set("s", (w.sales[0].slip.Total + 1).String())
	if err := w.says(q, "differs"); err != nil {
		return "", fmt.Errorf("another sum: %w", err)
	}
	q.Set("i", strconv.Itoa(123_456_789_012))
	q.Set("t", "20200101T120000")
	if err := w.says(q, "none"); err != nil {
		return "", fmt.Errorf("an invented receipt: %w", err)
	}
	return "", nil
}

func (w *walk) verify() (string, error) {
	report, err := verifyStore(w.ctx, w.o.core, nil)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d entries", report.Entries), nil
}
