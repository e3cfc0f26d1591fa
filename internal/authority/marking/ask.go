package marking

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

// Table is the stand-in. Safe for concurrent use.
type Table struct {
	module kkt.CryptoModule
	rows   []Row
	now    func() time.Time

	mu      sync.Mutex // guards what follows
	answers map[notice][]byte
	sold    map[string]int // product identifiers that are out of circulation, with how often they were sold
}

// notice names a notification.
type notice struct {
	drive  kkt.DriveNumber
	number uint32
}

// remembered is how many notifications and how many goods are remembered; when
// there are more, all are forgotten.
const remembered = 100_000

// New makes a stand-in. Its module needs the keys of the marking channel.
func New(module kkt.CryptoModule, rows []Row, now func() time.Time) *Table {
	return &Table{module: module, rows: rows, now: now, answers: map[notice][]byte{}, sold: map[string]int{}}
}

var errUnreachable = errors.New("the table says that the marking system cannot be reached")

// Ask answers a message of the marking channel with the container of document 83
// or 84.
//
// Errors: what cannot be opened, what the table says is not answered, and the
// module's.
func (t *Table) Ask(ctx context.Context, message []byte) ([]byte, error) {
	h, err := kkt.ParseHeader(message)
	if err != nil {
		return nil, err
	}
	f, err := kkt.ParseRequest(h, message[kkt.HeaderLen:])
	if err != nil {
		return nil, err
	}
	o, err := t.module.OpenMarking(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("open a marking document: %w", err)
	}
	doc, broken := ffd.Parse(o.Document, ffd.V120)
	wellFormed := broken == nil && sound(doc)
	if f.Code == kkt.CodeMarkingRequest {
		return t.request(ctx, o, doc, wellFormed)
	}
	return t.notification(ctx, o, doc, wellFormed)
}

// sound reports whether a document has what it must have, with values that there
// are.
func sound(doc *ffd.Document) bool {
	v := doc.Check(ffd.Circumstances{})
	for _, f := range v.Findings {
		if f.Severity >= ffd.Refuse || f.Key == "enum" {
			return false
		}
	}
	return true
}

// The outcomes of a request (2105), and what is said of the goods (2109).
const (
	outcomeGood      uint8 = 0
	outcomeMalformed uint8 = 1
	outcomeUnknown   uint8 = 2

	statusCorrect   uint8 = 1
	statusIncorrect uint8 = 2
	statusSuspended uint8 = 3
)

// The bits of 2005 that are the marking system's.
const (
	bitStatusChecked uint8 = 4
	bitStatusCorrect uint8 = 8
)

// request answers document 81.
//
// Source: KKT reference §6.12.4, §10.2.
func (t *Table) request(ctx context.Context, o kkt.Opened, doc *ffd.Document, wellFormed bool) ([]byte, error) {
	var q ffd.MarkRequest
	doc.Read(&q)
	a := ffd.MarkAnswer{Number: o.Frame.Number, Time: q.Time}
	code := ffd.ParseMarkingCode(q.Code)
	verdict := of(t.rows, code.Product)
	if done, answer, err := t.fails(ctx, verdict); done {
		return answer, err
	}
	switch {
	case !wellFormed || verdict == Refused:
		a.Outcome = outcomeMalformed
	case code.Kind == ffd.CodeUnknown || verdict == Unknown:
		a.Outcome = outcomeUnknown
	default:
		status := statusCorrect
		switch {
		case verdict == Suspended:
			status = statusSuspended
		case verdict == Incorrect, sells(q.Planned) && t.gone(code.Product):
			status = statusIncorrect
		}
		checked := q.Checked | bitStatusChecked
		if status == statusCorrect {
			checked |= bitStatusCorrect
		}
		a.CodeMode, a.CodeKind, a.Product, a.Status, a.Checked = &q.CodeMode, &code.Kind, code.Product, &status, &checked
	}
	return t.seal(ctx, o, ffd.FormMarkAnswer, &a)
}

// notification answers document 82, and remembers what was sold.
//
// Source: KKT reference §6.12.5, §10.2.
func (t *Table) notification(ctx context.Context, o kkt.Opened, doc *ffd.Document, wellFormed bool) ([]byte, error) {
	var n ffd.MarkNotice
	doc.Read(&n)
	verdict := Correct
	for i := range n.Goods {
		verdict = heavier(verdict, of(t.rows, n.Goods[i].Product))
	}
	if done, answer, err := t.fails(ctx, verdict); done {
		return answer, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	key := notice{o.Frame.Drive, o.Frame.Number}
	if had := t.answers[key]; had != nil {
		return had, nil
	}
	r := ffd.MarkReceipt{Number: o.Frame.Number, Time: fiscal.WallIn(t.now(), zoneOf(n.Zone)), Outcome: outcomeGood}
	if !wellFormed || verdict == Refused {
		r.Outcome = outcomeMalformed
	} else {
		var negative uint8
		if verdict != Correct {
			negative = 1
		}
		r.Result = &negative
	}
	answer, err := t.seal(ctx, o, ffd.FormMarkReceipt, &r)
	if err != nil {
		return nil, err
	}
	if r.Outcome == outcomeGood {
		t.take(n.Goods)
	}
	if len(t.answers) >= remembered {
		clear(t.answers)
	}
	t.answers[key] = answer
	return answer, nil
}

// fails does what a verdict says of the answer itself.
func (t *Table) fails(ctx context.Context, v Verdict) (done bool, answer []byte, err error) {
	switch v {
	case Slow:
		<-ctx.Done()
		return true, nil, ctx.Err()
	case Unreachable:
		return true, nil, errUnreachable
	case Rubbish:
		return true, []byte("neither a container nor a document"), nil
	}
	return false, nil, nil
}

func (t *Table) seal(ctx context.Context, o kkt.Opened, form ffd.Form, doc any) ([]byte, error) {
	const head = 4 // tag and length of the whole, which the module writes
	document, err := ffd.Append(nil, form, ffd.V120, doc)
	if err != nil {
		return nil, err
	}
	return t.module.SealMarking(ctx, nil, o, document[head:])
}

// sells and returns tell the statuses of goods apart (2003, 2110).
func sells(status uint8) bool   { return status == 1 || status == 6 }
func returns(status uint8) bool { return status == 3 || status == 4 }

// take notes what a notification does to its goods. The caller holds mu.
func (t *Table) take(goods []ffd.MarkedGood) {
	if len(t.sold) >= remembered {
		clear(t.sold)
	}
	for i := range goods {
		switch g := &goods[i]; {
		case sells(g.Status):
			t.sold[g.Product]++
		case returns(g.Status):
			delete(t.sold, g.Product)
		}
	}
}

// gone reports whether goods were sold and not returned since.
func (t *Table) gone(product string) bool { return t.Sold(product) > 0 }

// Sold is how many notifications have said that a product was sold, since it was
// last returned.
func (t *Table) Sold(product string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sold[product]
}

// zoneOf is the zone that tag 1011 names; where it does not, that of Moscow.
func zoneOf(n uint8) *time.Location {
	if n < 1 || n > 11 {
		n = 2
	}
	return time.FixedZone("", (int(n)+1)*60*60)
}
