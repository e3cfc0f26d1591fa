package kkt_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

// wholeCode is a code that drives can check, with a serial number of its own.
func wholeCode(serial int) string {
	return fmt.Sprintf("010460503500696421%013d\x1d91EE06\x1d92ty6nIoq1w2xrmcVLmKc3+cnhZxS/kgAnq7Bf5FH0CRQ=", serial)
}

func markedShop() kkt.Shop {
	s := kkt.SampleShop(ffd.V120)
	s.Conditions = 1 << 8
	return s
}

// says seals what the marking system says of a document.
func says(t *testing.T, sent []byte, form ffd.Form, doc any) []byte {
	t.Helper()
	document, err := ffd.Append(nil, form, ffd.V120, doc)
	if err != nil {
		t.Fatal(err)
	}
	h, err := wire.ParseFrameHeader(sent)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := sim1().SealMarking(t.Context(), nil, wire.Opened{Frame: h}, document[4:])
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// ask has the drive ask about a code, and the marking system say this of it.
func ask(t *testing.T, d *kkt.Drive, c kkt.Code, outcome uint8, status, checked *uint8) {
	t.Helper()
	made, frame, err := d.Ask(spring, markedShop().AskAbout(c, kkt.PieceSold))
	if err != nil {
		t.Fatal(err)
	}
	if doc, err := ffd.Parse(made.Bytes, ffd.V120); err != nil || len(doc.Check(ffd.Circumstances{}).Findings) > 0 {
		t.Errorf("the request: %v, %+v", err, doc.Check(ffd.Circumstances{}).Findings)
	}
	a := ffd.MarkAnswer{Number: made.Numbers.Number, Time: spring, Outcome: outcome, Status: status, Checked: checked}
	if _, err := d.Answer(frame, says(t, frame, ffd.FormMarkAnswer, &a)); err != nil {
		t.Fatal(err)
	}
}

func ptr[T any](v T) *T { return &v }

func bread(codes ...kkt.Code) ffd.Receipt {
	r := ffd.Receipt{Operation: 1, Items: []ffd.Item{{Name: "Хлеб", Price: 54_90, Rate: 2}}}
	for i := range codes {
		r.Items = append(r.Items, ffd.Item{Name: fmt.Sprintf("Вода %d", i), Price: 76_99, Rate: 11})
	}
	return r
}

// A sale of marked goods from the scanner to the receipt of its notification:
// what was checked stands in both, each good once, and the sign on paper follows.
//
// Req: F-019, F-020, F-021, F-024, F-066, F-067, F-069
func TestMarkedSale(t *testing.T) {
	shop := markedShop()
	d, registered := inShift(t, shop)
	var codes []kkt.Code
	for i, tt := range []struct {
		outcome uint8
		status  *uint8
		checked *uint8
		want    uint8
		sign    ffd.Mark
	}{
		{0, ptr[uint8](1), ptr[uint8](15), 15, ffd.MarkPositive},
		{0, ptr[uint8](2), ptr[uint8](7), 7, ffd.MarkNegative},
		{2, nil, nil, 3, ffd.MarkUnknown},
	} {
		c, err := d.Check(spring, wholeCode(i))
		if err != nil || c.Checked != 3 {
			t.Fatalf("Check = %+v, %v; want a positive check of the drive's", c, err)
		}
		ask(t, d, c, tt.outcome, tt.status, tt.checked)
		kept := d.Standing().Codes[i]
		if kept.Checked != tt.want || kept.Mark() != tt.sign || !kept.Asked || kept.Outcome != tt.outcome {
			t.Errorf("code %d: %+v, sign %s; want result %d, %s", i, kept, kept.Mark(), tt.want, tt.sign)
		}
		codes = append(codes, kept)
	}
	all := append([]kkt.Code{{}}, codes...) // the bread has no mark
	m, doc := made(t, d, registered, shop.SettleMarked(ffd.FormReceipt, bread(codes...), all))
	var r ffd.Receipt
	doc.Read(&r)
	if r.MarksChecked == nil || *r.MarksChecked != 1 || r.Items[0].Checked != nil || r.Items[1].Checked == nil || *r.Items[1].Checked != 15 ||
		r.Items[1].ProductType != 33 || r.Items[1].Codes.GS1M != codes[0].Parsed().Product || *r.Items[2].Checked != 7 {
		t.Errorf("receipt %+v", r)
	}
	job, ok := d.Oldest(kkt.QueueNotifications)
	if !ok || job.Number != 1 {
		t.Fatalf("no notification was made with the receipt: %+v", d.Standing())
	}
	f, err := wire.ParseFrame(job.Frame)
	if err != nil {
		t.Fatal(err)
	}
	notice, err := ffd.Parse(f.Payload()[:len(f.Payload())-10], ffd.V120)
	if err != nil {
		t.Fatal(err)
	}
	if v := notice.Check(ffd.Circumstances{}); len(v.Findings) > 0 {
		t.Errorf("the notification: %+v", v.Findings)
	}
	var n ffd.MarkNotice
	notice.Read(&n)
	if n.Receipt != m.Numbers.Number || n.Number != 1 || n.Time != spring || n.Operation != 1 || n.Zone != 2 || len(n.Goods) != 3 {
		t.Fatalf("notification %+v", n)
	}
	for i, g := range n.Goods {
		if g.Code != wholeCode(i) || g.Status != kkt.PieceSold || g.Checked != codes[i].Checked || g.Sum != 76_99 || g.VAT == 0 || g.Control != "EE06" {
			t.Errorf("good %d: %+v", i, g)
		}
	}
	if left := d.Standing().Codes; len(left) != 0 {
		t.Errorf("%d codes are kept after their sale", len(left))
	}
	// What the marking system found wrong is told once, at the shift's end.
	negative := ffd.MarkReceipt{Number: 1, Time: spring, Result: ptr[uint8](1)}
	if _, err := d.Take(kkt.QueueNotifications, says(t, job.Frame, ffd.FormMarkReceipt, &negative)); err != nil {
		t.Fatal(err)
	}
	_, closing := made(t, d, registered, shop.CloseShift())
	if closing.Uint(2112) != 2|4 || closing.Has(2113) || closing.Has(2104) {
		t.Errorf("closing: 2112 = %d, 2113 %t, 2104 %t; want 6 and neither", closing.Uint(2112), closing.Has(2113), closing.Has(2104))
	}
	if _, err := d.Make(spring, shop.OpenShift()); err != nil {
		t.Fatal(err)
	}
	if _, closing = made(t, d, registered, shop.CloseShift()); closing.Has(2112) {
		t.Error("the next closing tells it again")
	}
}

// A drive refuses what a real one refuses: goods of a register that is not
// registered for them, a request or a notification about a code that was not
// checked, more codes than it keeps, and a notification that is not its
// receipt's.
//
// Req: F-023, F-068
func TestMarkingRefusals(t *testing.T) {
	unregistered, _ := inShift(t, kkt.SampleShop(ffd.V120))
	if _, err := unregistered.Check(spring, wholeCode(1)); code(t, err) != kkt.DriveMarkingForbidden {
		t.Errorf("not registered for marked goods: %v, want error 32", err)
	}
	old := markedShop()
	old.Version, old.Conditions = ffd.V110, 0
	d, _ := inShift(t, old)
	if _, err := d.Check(spring, wholeCode(1)); code(t, err) != kkt.DriveMarkingForbidden {
		t.Errorf("a register of 1.1: %v, want error 32", err)
	}
	shop := markedShop()
	d, _ = inShift(t, shop)
	stranger := kkt.Code{Text: wholeCode(9), Checked: 15}
	if _, _, err := d.Ask(spring, shop.AskAbout(stranger, kkt.PieceSold)); code(t, err) != kkt.DriveMarkingOrder {
		t.Errorf("a request about a code that was not checked: %v, want error 33", err)
	}
	sale := func(r ffd.Receipt, codes ...kkt.Code) kkt.Marked {
		return shop.SettleMarked(ffd.FormReceipt, r, append([]kkt.Code{{}}, codes...))
	}
	if _, err := d.Make(spring, sale(bread(stranger), stranger)); code(t, err) != kkt.DriveCodeNotChecked {
		t.Errorf("a sale of a code that was not checked: %v, want error 3E", err)
	}
	known, err := d.Check(spring, wholeCode(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Make(spring, sale(bread(known, known), known, known)); code(t, err) != kkt.DriveCodeNotChecked {
		t.Errorf("one code sold twice: %v, want error 3E", err)
	}
	remote := bread(known)
	remote.Internet = true
	change := func(what func(*ffd.MarkNotice)) kkt.Marked {
		m := sale(remote, known)
		notice := m.Notice
		m.Notice = func(receipt kkt.Numbers) kkt.Document {
			w := notice(receipt).(kkt.Written)
			fill := w.Fill
			w.Fill = func(n kkt.Numbers) any {
				doc := fill(n).(*ffd.MarkNotice)
				what(doc)
				return doc
			}
			return w
		}
		return m
	}
	for name, what := range map[string]func(*ffd.MarkNotice){
		"of another receipt":              func(n *ffd.MarkNotice) { n.Receipt++ },
		"without the sign of remote sale": func(n *ffd.MarkNotice) { n.Internet = false },
		"without its goods":               func(n *ffd.MarkNotice) { n.Goods = nil },
		"of another time":                 func(n *ffd.MarkNotice) { n.Time++ },
		"of another drive":                func(n *ffd.MarkNotice) { n.Drive = "1" },
	} {
		before := d.Standing()
		if _, err := d.Make(spring, change(what)); code(t, err) != kkt.DriveBadRequisite {
			t.Errorf("%s: %v, want error 18", name, err)
		}
		if after := d.Standing(); after.Documents != before.Documents || after.UnsentNotifications != 0 || len(after.Codes) != 1 {
			t.Errorf("%s: half of the sale was made: %+v", name, after)
		}
	}
	if _, err := d.Make(spring, sale(bread(known), known)); err != nil {
		t.Errorf("the same, right: %v", err)
	}
	for i := range 128 {
		if _, err := d.Check(spring, wholeCode(100+i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Check(spring, wholeCode(99)); code(t, err) != kkt.DriveMarkingFull {
		t.Errorf("more codes than a drive keeps: %v, want error 35", err)
	}
	if _, err := d.Check(spring, wholeCode(100)); err != nil {
		t.Errorf("one of them again: %v", err)
	}
}

// A drive whose notifications wait for more than thirty days sells other goods,
// and marked ones again when they are answered.
//
// Req: F-022
func TestMarkedReceiptsBlocked(t *testing.T) {
	const day = 24 * time.Hour
	shop := markedShop()
	d, err := kkt.NewDrive(kkt.DriveConfig{Number: number(t, testDrive), MaxWait: 90 * day, MaxShift: 90 * day}, new(kkt.Volatile), sim1())
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range []kkt.Document{shop.Registration(0), shop.OpenShift()} {
		if _, err := d.Make(spring, doc); err != nil {
			t.Fatal(err)
		}
	}
	sell := func(at fiscal.WallTime, serial int) error {
		c, err := d.Check(at, wholeCode(serial))
		if err != nil {
			return err
		}
		_, err = d.Make(at, shop.SettleMarked(ffd.FormReceipt, bread(c), []kkt.Code{{}, c}))
		return err
	}
	if err := sell(spring, 1); err != nil {
		t.Fatal(err)
	}
	if err := sell(spring.Add(30*day), 2); err != nil {
		t.Errorf("after 30 days: %v", err)
	}
	late := spring.Add(30*day + time.Second)
	if err := sell(late, 3); code(t, err) != kkt.DriveMarkingBlocked {
		t.Errorf("a second later: %v, want error 34", err)
	}
	marked := bread(kkt.Code{})
	marked.Items[1].ProductType, marked.Items[1].Checked = 33, ptr[uint8](0)
	if _, err := d.Make(late, shop.Settle(ffd.FormReceipt, marked)); code(t, err) != kkt.DriveMarkingBlocked {
		t.Errorf("a receipt of marked goods alone: %v, want error 34", err)
	}
	if _, err := d.Make(late, shop.Settle(ffd.FormReceipt, bread())); err != nil {
		t.Errorf("other goods: %v", err)
	}
	for range 2 {
		job, _ := d.Oldest(kkt.QueueNotifications)
		if _, err := d.Take(kkt.QueueNotifications, says(t, job.Frame, ffd.FormMarkReceipt, &ffd.MarkReceipt{Number: job.Number, Time: late})); err != nil {
			t.Fatal(err)
		}
	}
	if err := sell(late, 4); err != nil {
		t.Errorf("all answered: %v", err)
	}
}

// What a drive knows of marked goods survives a power cut: codes that were
// checked, notifications that wait.
func TestMarkingSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "drive")
	shop := markedShop()
	open := func() *kkt.Drive {
		memory, err := kkt.OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return newDrive(t, memory)
	}
	d := open()
	for _, doc := range []kkt.Document{shop.Registration(0), shop.OpenShift()} {
		if _, err := d.Make(spring, doc); err != nil {
			t.Fatal(err)
		}
	}
	c, err := d.Check(spring, wholeCode(1))
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	d = open()
	if got := d.Standing().Codes; len(got) != 1 || got[0] != c {
		t.Errorf("after the cut: codes %+v, want %+v", got, c)
	}
	if _, err := d.Make(spring, shop.SettleMarked(ffd.FormReceipt, bread(c), []kkt.Code{{}, c})); err != nil {
		t.Fatal(err)
	}
	d.Close()
	d = open()
	defer d.Close()
	if s := d.Standing(); s.UnsentNotifications != 1 || s.Unsent != 3 || !s.Marks || len(s.Codes) != 0 {
		t.Errorf("after the cut: %+v", s)
	}
}
