package marking

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/testkit"
)

func sim1() *kkt.SIM1 { return kkt.NewSIM1(kkt.SIM1TestKey()) }

// moment is when the marking system of the vectors answers, in Moscow 10:50.
func moment() time.Time { return time.Unix(1763722200-3*60*60, 0) }

const good = "0104605035006964215OoyE8qxeIOn>"

// The documents of the vectors are answered as the vectors say, byte for byte.
//
// Req: F-020, F-021
func TestVectors(t *testing.T) {
	for request, tt := range map[string]struct {
		rows   string
		answer string
	}{
		"mark-request-81":          {"", "mark-answer-83-ok"},
		"mark-request-81-fraction": {good + " unknown", "mark-answer-83-bad"},
		"mark-notification-82":     {"", "mark-receipt-84"},
	} {
		rows, err := ParseRows("rows", []byte(tt.rows))
		if err != nil {
			t.Fatal(err)
		}
		got, err := New(sim1(), rows, moment).Ask(t.Context(), testkit.KKTVectorNamed(t, request).Message)
		if want := []byte(testkit.KKTVectorNamed(t, tt.answer).Message[kkt.HeaderLen:]); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, %v\nwant %x", request, got, err, want)
		}
	}
}

// sealed makes a message of a marking document.
func sealed(t testing.TB, form ffd.Form, number uint32, doc any) []byte {
	t.Helper()
	drive, err := kkt.ParseDriveNumber("9999078902001234")
	if err != nil {
		t.Fatal(err)
	}
	document, err := ffd.Append(nil, form, ffd.V120, doc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sim1().SealDocument(drive, kkt.DocCode(form), number, document[4:], false)
	if err != nil {
		t.Fatal(err)
	}
	m, err := kkt.AppendMessage(nil, kkt.Header{Service: kkt.ServiceMarking, Version: kkt.PMarked, Drive: drive, Flags: kkt.FlagsDocument}, s.Frame)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func request(t testing.TB, number uint32, code string, planned uint8) []byte {
	c := ffd.ParseMarkingCode(code)
	return sealed(t, ffd.FormMarkRequest, number, &ffd.MarkRequest{
		Number: number, INN: "7704358518", Time: 1763722100, Drive: "9999078902001234", Checked: 3, Planned: planned, CodeKind: c.Kind, Code: code,
	})
}

// notification is document 82 of some goods; change spoils it.
func notification(t testing.TB, number uint32, status uint8, change func(*ffd.MarkNotice), products ...string) []byte {
	n := ffd.MarkNotice{
		Number: number, Time: 1763722140, Drive: "9999078902001234", INN: "7704358518", TaxSystem: 1, Operation: 1, Kind: 1, Zone: 2, Receipt: 8,
	}
	for _, p := range products {
		n.Goods = append(n.Goods, ffd.MarkedGood{
			Code: p, CodeKind: 1, Product: p, Control: "EE06", Status: status, Checked: 15, PaymentType: 4, Name: "Вода", Price: 7699, Sum: 7699, Rate: 2, VAT: 700,
		})
	}
	if change != nil {
		change(&n)
	}
	return sealed(t, ffd.FormMarkNotice, number, &n)
}

func answer83(t testing.TB, container []byte, err error) (a ffd.MarkAnswer) {
	t.Helper()
	read(t, container, err).Read(&a)
	return a
}

func answer84(t testing.TB, container []byte, err error) (r ffd.MarkReceipt) {
	t.Helper()
	read(t, container, err).Read(&r)
	return r
}

func read(t testing.TB, container []byte, err error) *ffd.Document {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	f, err := kkt.ParseFrame(container)
	if err != nil {
		t.Fatal(err)
	}
	payload := f.Payload()
	doc, err := ffd.Parse(payload[:len(payload)-10], ffd.V120)
	if err != nil {
		t.Fatal(err)
	}
	if v := doc.Check(ffd.Circumstances{}); v.Worst != ffd.Off {
		t.Errorf("the answer breaks a rule: %+v", v.Findings)
	}
	return doc
}

// What the table says of a code is what is answered.
func TestVerdicts(t *testing.T) {
	rows, err := ParseRows("codes.txt", []byte(`
# what is said of which
010460503500696421sold*   suspended
010460503500696421wrong   incorrect
010460503500696421none    unknown
010460503500696421broken  refused
`))
	if err != nil {
		t.Fatal(err)
	}
	table := New(sim1(), rows, moment)
	for i, tt := range []struct {
		code                    string
		outcome, status, result uint8
	}{
		{good, 0, 1, 15},
		{"010460503500696421sold17", 0, 3, 7},
		{"010460503500696421wrong", 0, 2, 7},
		{"010460503500696421none", 2, 0, 0},
		{"010460503500696421broken", 1, 0, 0},
		{"not a code", 2, 0, 0},
	} {
		got, err := table.Ask(t.Context(), request(t, uint32(i)+1, tt.code, 1))
		a := answer83(t, got, err)
		status, result := uint8(0), uint8(0)
		if a.Status != nil && a.Checked != nil {
			status, result = *a.Status, *a.Checked
		}
		if a.Number != uint32(i)+1 || a.Outcome != tt.outcome || status != tt.status || result != tt.result {
			t.Errorf("%q: number %d, outcome %d, status %d, result %d; want %+v", tt.code, a.Number, a.Outcome, status, result, tt)
		}
	}
}

// A sold good is out of circulation until it is returned; a notification that
// comes again gets the same answer and counts once.
//
// Req: F-024
func TestSoldOnce(t *testing.T) {
	table := New(sim1(), nil, time.Now)
	status := func(number uint32) uint8 {
		got, err := table.Ask(t.Context(), request(t, number, good, 1))
		return *answer83(t, got, err).Status
	}
	if got := status(1); got != statusCorrect {
		t.Errorf("before the sale: status %d", got)
	}
	sale := notification(t, 1, 1, nil, good, good+"1")
	var mu sync.Mutex
	answers := map[string]bool{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			got, err := table.Ask(t.Context(), sale)
			mu.Lock()
			defer mu.Unlock()
			answers[string(got)] = err == nil
		})
	}
	all.Wait()
	if len(answers) != 1 {
		t.Errorf("%d different answers to one notification", len(answers))
	}
	for _, product := range []string{good, good + "1"} {
		if got := table.Sold(product); got != 1 {
			t.Errorf("%s is sold %d times, want once", product, got)
		}
	}
	if got := status(2); got != statusIncorrect {
		t.Errorf("after the sale: status %d, want %d", got, statusIncorrect)
	}
	got, err := table.Ask(t.Context(), notification(t, 2, 3, nil, good))
	if r := answer84(t, got, err); r.Outcome != 0 || *r.Result != 0 {
		t.Errorf("the return: %+v", r)
	}
	if got := status(3); got != statusCorrect {
		t.Errorf("after the return: status %d", got)
	}
}

// A notification without its time, without the number of its receipt, without a
// status of the goods or with one that there is not is incorrect, and changes
// nothing.
//
// Req: F-066, F-067, F-068, F-069
func TestNotificationIncorrect(t *testing.T) {
	without := func(tag uint16, in []byte) []byte { // takes a requisite out of a document
		var out []byte
		for len(in) > 0 {
			size := 4 + int(in[2]) + int(in[3])<<8
			if uint16(in[0])|uint16(in[1])<<8 != tag {
				out = append(out, in[:size]...)
			}
			in = in[size:]
		}
		return out
	}
	document := func(n *ffd.MarkNotice) []byte {
		b, err := ffd.Append(nil, ffd.FormMarkNotice, ffd.V120, n)
		if err != nil {
			t.Fatal(err)
		}
		return b[4:]
	}
	whole := ffd.MarkNotice{
		Number: 1, Time: 1763722140, Drive: "9999078902001234", INN: "7704358518", TaxSystem: 1, Operation: 1, Kind: 1, Zone: 2, Receipt: 8, Internet: true,
		Goods: []ffd.MarkedGood{{Code: good, CodeKind: 1, Product: good, Control: "EE06", Status: 1, Checked: 15, PaymentType: 4, Name: "Вода", Price: 100, Sum: 100, Rate: 6}},
	}
	status := func(s uint8) []byte {
		n := whole
		n.Goods = append([]ffd.MarkedGood{}, whole.Goods...)
		n.Goods[0].Status = s
		return document(&n)
	}
	for name, tt := range map[string]struct {
		requisites []byte
		want       uint8
	}{
		"whole":                  {document(&whole), outcomeGood},
		"without its time":       {without(1012, document(&whole)), outcomeMalformed},
		"without the receipt":    {without(2040, document(&whole)), outcomeMalformed},
		"without any goods":      {without(2007, document(&whole)), outcomeMalformed},
		"without the zone":       {without(1011, document(&whole)), outcomeMalformed},
		"an unknown status":      {status(7), outcomeMalformed},
		"no status":              {status(0), outcomeMalformed},
		"piece being sold":       {status(5), outcomeGood},
		"measured, sold":         {status(6), outcomeGood},
		"the status as it was":   {status(255), outcomeGood},
		"part of it came back":   {status(4), outcomeGood},
		"measured goods in sale": {status(2), outcomeGood},
	} {
		table := New(sim1(), nil, moment)
		drive, _ := kkt.ParseDriveNumber("9999078902001234")
		s, err := sim1().SealDocument(drive, kkt.CodeNotification, 1, tt.requisites, false)
		if err != nil {
			t.Fatal(err)
		}
		m, err := kkt.AppendMessage(nil, kkt.Header{Service: kkt.ServiceMarking, Version: kkt.PMarked, Drive: drive, Flags: kkt.FlagsDocument}, s.Frame)
		if err != nil {
			t.Fatal(err)
		}
		got, err := table.Ask(t.Context(), m)
		if r := answer84(t, got, err); r.Outcome != tt.want || tt.want != 0 && table.Sold(good) != 0 {
			t.Errorf("%s: outcome %d, sold %d times; want outcome %d", name, r.Outcome, table.Sold(good), tt.want)
		}
	}
}

// Faults that are asked for, and messages that nobody can answer.
func TestFaults(t *testing.T) {
	rows, err := ParseRows("codes.txt", []byte("01046050350069642151* slow\n01046050350069642152* unreachable\n01046050350069642153* rubbish\n01046050350069642154* refused"))
	if err != nil {
		t.Fatal(err)
	}
	table := New(sim1(), rows, moment)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := table.Ask(ctx, request(t, 1, "01046050350069642151x", 1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("slow: %v", err)
	}
	if _, err := table.Ask(t.Context(), notification(t, 1, 1, nil, good, "01046050350069642152x")); !errors.Is(err, errUnreachable) {
		t.Errorf("unreachable: %v", err)
	}
	if got, err := table.Ask(t.Context(), request(t, 2, "01046050350069642153x", 1)); err != nil || kkt.ReactionTo(second(kkt.ParseFrame(got))) == kkt.ReactNothing {
		t.Errorf("rubbish: %x, %v", got, err)
	}
	got, err := table.Ask(t.Context(), notification(t, 2, 1, nil, good, "01046050350069642154x"))
	if r := answer84(t, got, err); r.Outcome != 1 || table.Sold(good) != 0 {
		t.Errorf("refused: %+v, sold %d times", r, table.Sold(good))
	}
	whole := request(t, 1, good, 1)
	forged := bytes.Clone(whole)
	forged[len(forged)-4] ^= 1
	for name, message := range map[string][]byte{
		"nothing": nil, "a header alone": whole[:kkt.HeaderLen], "cut": whole[:len(whole)-1], "forged": forged,
		"a receipt": testkit.KKTVectorNamed(t, "receipt-1.2-measure-kg").Message,
	} {
		if got, err := table.Ask(t.Context(), message); err == nil {
			t.Errorf("%s: answered %x", name, got)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// An error in the table names its line.
func TestParseRows(t *testing.T) {
	for text, want := range map[string]string{
		"\n\n0104 sold":         "codes.txt:3: \"sold\" is none of correct, incorrect,",
		"0104":                  "codes.txt:1: a line is",
		"# x\n0104 correct now": "codes.txt:2: a line is",
	} {
		if rows, err := ParseRows("codes.txt", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("ParseRows(%q) = %v, %v; want %s", text, rows, err, want)
		}
	}
	rows, err := ParseRows("codes.txt", []byte("0104*\tsuspended\r\n* unknown\n"))
	if err != nil || of(rows, "01046") != Suspended || of(rows, "0105") != Unknown || of(nil, "0105") != Correct {
		t.Errorf("rows %+v, %v", rows, err)
	}
}

// The zone of a receipt's time is that of the notification.
func TestZone(t *testing.T) {
	for n, want := range map[uint8]string{0: "13:00", 1: "12:00", 2: "13:00", 11: "22:00", 12: "13:00"} {
		at := fiscal.WallIn(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), zoneOf(n))
		if got := at.String(); !strings.Contains(got, want) {
			t.Errorf("zone %d: %s, want %s", n, got, want)
		}
	}
}
