package cabinet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
)

// FollowerID names the follower that fills the cabinet's tables.
func FollowerID() follow.ID { return follow.ID{Name: "cabinet", Generation: 1} }

// Page is what the tables get of a page of entries.
type Page struct {
	Documents []Document
	Canceled  []Canceled     // documents of this page or of earlier ones
	Shifts    []Shift        // added to what is there
	Days      []Day          // likewise
	Away      []Away         // see Away.Joins
	Summaries []DaySummary   // as they are now
	Latest    []fiscal.DayOf // registers that are on another day now
}

// Canceled is a document that was taken back.
type Canceled struct {
	Taxpayer  fiscal.TaxpayerID
	Partition fiscal.Partition
	Place
}

// Tables are what the follower asks of an engine.
type Tables interface {
	// KeepPage adds a page to the tables and makes the move, in one transaction.
	KeepPage(ctx context.Context, m follow.Move, p *Page) error
	// Entry reads one entry of a register; NotFound if there is none.
	Entry(ctx context.Context, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (journal.Entry, error)
	// DaySummaries reads those of a partition that are there, in any order.
	DaySummaries(ctx context.Context, p fiscal.Partition, of []fiscal.DayOf) ([]fiscal.DaySummary, error)
	// Card reads one version of a register's card.
	Card(ctx context.Context, r fiscal.RegisterID, version uint32) (fiscal.Card, error)
}

// Follower fills the cabinet's tables from the journal. What it makes can be
// dropped and made again. Safe for concurrent use.
type Follower struct {
	tables Tables
	read   Read
	latest latest

	mu      sync.Mutex
	outlets map[cardID]fiscal.OutletID // guarded by mu
}

type cardID struct {
	register fiscal.RegisterID
	version  uint32
}

// maxOutlets bounds what a follower remembers of cards.
const maxOutlets = 1 << 16

// NewFollower makes a follower. It does no I/O.
func NewFollower(tables Tables, read Read) *Follower {
	return &Follower{tables: tables, read: read, outlets: make(map[cardID]fiscal.OutletID), latest: latest{all: make(map[fiscal.RegisterID]stood)}}
}

// ID implements follow.Follower.
func (f *Follower) ID() follow.ID { return FollowerID() }

// Apply implements follow.Follower. A document that cannot be opened is listed
// as far as its columns tell: it must not hold the others up.
func (f *Follower) Apply(ctx context.Context, m follow.Move, entries []journal.Entry) error {
	s := sheet{page: &Page{}, shifts: make(map[ShiftID]int), days: make(map[dayID]int), away: make(map[fiscal.RegisterID]*run)}
	canceled := make(map[int]*journal.Entry)
	for i := range entries {
		e := &entries[i]
		if e.Kind != fiscal.DocCancel || e.Refers == 0 {
			continue
		}
		was, err := f.tables.Entry(ctx, e.Partition, e.Register, e.Refers)
		if errors.Is(err, fiscal.NotFound) {
			continue
		}
		if err != nil {
			return &follow.EntryError{Seq: e.Seq, Err: fmt.Errorf("read the document that was canceled: %w", err)}
		}
		canceled[i] = &was
	}
	book, err := f.openBook(ctx, m.Partition, entries, canceled)
	if err != nil {
		return err
	}
	for i := range entries {
		e := &entries[i]
		outlet, err := f.outlet(ctx, e)
		if err != nil {
			return &follow.EntryError{Seq: e.Seq, Err: err}
		}
		var back *fiscal.Document
		if was := canceled[i]; was != nil {
			d := content(f.read, was)
			back = &d
			s.cancel(was, outlet)
		}
		doc := content(f.read, e)
		s.add(e, &doc, outlet)
		book.count(e, &doc, back)
	}
	s.endRuns()
	book.fill(s.page)
	if err := f.tables.KeepPage(ctx, m, s.page); err != nil {
		return err
	}
	f.latest.remember(book)
	return nil
}

// content opens a document whose content is counted; what cannot be opened has
// none.
func content(read Read, e *journal.Entry) fiscal.Document {
	if e.Kind == fiscal.DocReceipt || e.Kind == fiscal.DocCashMove {
		if doc, err := read(e.Record); err == nil {
			doc.Record = e.Record
			return doc
		}
	}
	return fiscal.Document{Record: e.Record}
}

// outlet is where the register stood when an entry was made, 0 if no card says
// so.
func (f *Follower) outlet(ctx context.Context, e *journal.Entry) (fiscal.OutletID, error) {
	id := cardID{e.Register, e.CardVersion}
	f.mu.Lock()
	o, ok := f.outlets[id]
	f.mu.Unlock()
	if ok {
		return o, nil
	}
	card, err := f.tables.Card(ctx, e.Register, e.CardVersion)
	if err != nil && !errors.Is(err, fiscal.NotFound) {
		return 0, fmt.Errorf("read card %d of register %d: %w", e.CardVersion, e.Register, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.outlets) >= maxOutlets {
		clear(f.outlets)
	}
	f.outlets[id] = card.Outlet
	return card.Outlet, nil
}

// sheet gathers a page.
type sheet struct {
	page   *Page
	shifts map[ShiftID]int // place in page.Shifts
	days   map[dayID]int
	away   map[fiscal.RegisterID]*run
}

type dayID struct {
	day      fiscal.WallTime
	register fiscal.RegisterID
	outlet   fiscal.OutletID
}

// listed are the kinds that lists show. Notices, acts and questions to the
// marking system are no documents of a shop.
func listed(k fiscal.DocumentKind) bool {
	switch k {
	case fiscal.DocNone, fiscal.DocNotice, fiscal.DocAct, fiscal.DocMarkRequest, fiscal.DocMarkNotice:
		return false
	}
	return true
}

// cancel takes the sums of the document back that a cancellation names.
func (s *sheet) cancel(was *journal.Entry, outlet fiscal.OutletID) {
	s.page.Canceled = append(s.page.Canceled, Canceled{was.Taxpayer, was.Partition, Place{was.DeviceTime, was.Seq}})
	if !was.Flags.Has(fiscal.FlagUncounted) {
		s.tally(was, outlet, -1)
	}
}

func (s *sheet) add(e *journal.Entry, doc *fiscal.Document, outlet fiscal.OutletID) {
	s.run(e, outlet)
	if !listed(e.Kind) {
		return
	}
	d := Document{
		Taxpayer: e.Taxpayer, Partition: e.Partition, Seq: e.Seq, Time: e.DeviceTime, ReceivedAt: e.ReceivedAt,
		Register: e.Register, Number: e.Number, CardVersion: e.CardVersion, Outlet: outlet, Kind: e.Kind, Op: e.Op, Shift: e.Shift,
		Flags: e.Flags, DeviceNumber: e.DeviceNumber, FiscalSign: e.FiscalSign,
		Total: e.Total, Cash: e.Cash, Cashless: e.Cashless, OtherPaid: e.OtherPaid,
	}
	d.fill(doc)
	s.page.Documents = append(s.page.Documents, d)
	if !e.Flags.Has(fiscal.FlagUncounted) {
		s.tally(e, outlet, 1)
	}
}

// fill adds what only the document itself says.
func (d *Document) fill(doc *fiscal.Document) {
	var who fiscal.Cashier
	switch {
	case doc.Receipt != nil:
		who = doc.Receipt.Cashier
		found := Found{Document: *doc}
		if n := found.ReceiptNumber(); n != strconv.FormatUint(uint64(d.Number), 10) {
			d.Printed = cut(n, maxPrinted)
		}
		d.Goods = goods(doc.Receipt.Items)
	case doc.Move != nil:
		who = doc.Move.Cashier
	}
	d.Cashier = cut(who.Name, maxCashier)
	if d.Cashier == "" && who.Code != 0 {
		d.Cashier = strconv.FormatUint(uint64(who.Code), 10)
	}
}

// goods are the names of items, lower case, as far as there is room.
func goods(items []fiscal.Item) string {
	var b strings.Builder
	for i := range items {
		name := strings.ToLower(cmp.Or(items[i].Name, items[i].Barcode))
		if name == "" || items[i].Kind != fiscal.ItemGoods {
			continue
		}
		if b.Len()+len(name) >= maxGoods {
			break
		}
		b.WriteString(clean(name))
		b.WriteByte('\n')
	}
	return b.String()
}

// cut is a text that fits, whole characters of it.
func cut(s string, most int) string {
	s = clean(s)
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// clean is a text that every engine stores.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// tally adds an entry to its shift and day, or takes one back.
func (s *sheet) tally(e *journal.Entry, outlet fiscal.OutletID, dir fiscal.Money) {
	switch e.Kind {
	case fiscal.DocReceipt, fiscal.DocCashMove, fiscal.DocShiftOpen, fiscal.DocShiftClose:
	default:
		return
	}
	if e.Shift != 0 {
		id := ShiftID{e.Register, e.Shift}
		i, ok := s.shifts[id]
		if !ok {
			i = len(s.page.Shifts)
			s.shifts[id] = i
			s.page.Shifts = append(s.page.Shifts, Shift{ShiftID: id, Taxpayer: e.Taxpayer, Partition: e.Partition, Opened: e.DeviceTime, Last: e.DeviceTime})
		}
		shift := &s.page.Shifts[i]
		shift.Outlet, shift.CardVersion = outlet, e.CardVersion
		shift.Opened, shift.Last = min(shift.Opened, e.DeviceTime), max(shift.Last, e.DeviceTime)
		if e.Kind == fiscal.DocShiftClose {
			shift.Closed, shift.Z = e.DeviceTime, e.Number
		}
		shift.count(&e.Record, dir)
	}
	id := dayID{e.DeviceTime.Day(), e.Register, outlet}
	i, ok := s.days[id]
	if !ok {
		i = len(s.page.Days)
		s.days[id] = i
		s.page.Days = append(s.page.Days, Day{Day: id.day, Register: id.register, Outlet: outlet, Taxpayer: e.Taxpayer, Partition: e.Partition})
	}
	s.page.Days[i].count(&e.Record, dir)
}
