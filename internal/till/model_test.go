package till_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/till"
)

// model is what a register must come to, reckoned beside it.
type model struct {
	*shop
	cash    fiscal.Money
	drafts  []*till.Draft // that made a receipt
	number  uint64        // of the last document
	sold    map[uint64]fiscal.Money
	shift   bool
	n       int
	refused uint64           // documents that the operator refused: they stay in the file
	promise map[string]int64 // draft to its document
}

// TestModel: whatever cashiers do, with links cut and processes restarted in
// between, the drawer is what was put in less what was taken out, documents are
// numbered without a gap, and in the end the operator has each of them once.
//
// Req: E-001, E-014, E-015, E-019, E-115, E-129, E-135, E-143, E-145
func TestModel(t *testing.T) {
	s := openShop(t)
	m := &model{shop: s, sold: map[uint64]fiscal.Money{}, promise: map[string]int64{}}
	ctx := t.Context()
	made := func(t *rapid.T, what string, d till.Document, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if d.Number != m.number+1 {
			t.Fatalf("%s has the number %d after %d", what, d.Number, m.number)
		}
		if d.Fate != till.Accepted && d.Fate != till.Autonomous {
			t.Fatalf("%s is %s", what, d.Fate)
		}
		m.number++
		m.shift = d.Kind != till.KindZ
	}
	// Each step is durable on disk and on a socket: 15 runs unless somebody asks
	// for another number.
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set("15"); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = checks.Value.Set(checks.DefValue) }()
	}
	// The register goes on from run to run: each begins where the last ended.
	rapid.Check(t, func(t *rapid.T) {
		t.Repeat(map[string]func(*rapid.T){
			"sale": func(t *rapid.T) {
				d := m.draft(fiscal.OpSale, fiscal.Money(rapid.Int64Range(1, 1e6).Draw(t, "price")))
				if rapid.Bool().Draw(t, "card") {
					d.Paid.Card = d.Lines[0].Price
				} else {
					m.cash += d.Lines[0].Price
				}
				doc, err := m.Form(ctx, m.seat(), m.id, d, false)
				made(t, "a sale", doc, err)
				m.drafts, m.promise[d.ID] = append(m.drafts, d), doc.ID
				m.sold[doc.Number] = d.Lines[0].Price
			},
			"again": func(t *rapid.T) {
				if len(m.drafts) == 0 {
					t.Skip("nothing was sold")
				}
				d := rapid.SampledFrom(m.drafts).Draw(t, "draft")
				if doc, err := m.Form(ctx, m.seat(), m.id, d, false); err != nil || doc.ID != m.promise[d.ID] {
					t.Fatalf("a draft that was formed, again: document %d, %v; want %d", doc.ID, err, m.promise[d.ID])
				}
			},
			"return": func(t *rapid.T) {
				if len(m.drafts) == 0 {
					t.Skip("nothing was sold")
				}
				parent := uint64(rapid.Int64Range(1, int64(m.number)).Draw(t, "parent"))
				left := m.sold[parent]
				d := m.draft(fiscal.OpSaleReturn, fiscal.Money(rapid.Int64Range(1, 1e6).Draw(t, "sum")))
				d.Parent = parent
				doc, err := m.Form(ctx, m.seat(), m.id, d, false)
				switch sum := d.Lines[0].Price; {
				case sum > left:
					if !errors.Is(err, fiscal.Invalid) && !errors.Is(err, fiscal.NotFound) {
						t.Fatalf("a return of %v with %v left: %v", sum, left, err)
					}
				case sum > m.cash:
					if !errors.Is(err, fiscal.NotEnoughCash) {
						t.Fatalf("a return of %v with %v in the drawer: %v", sum, m.cash, err)
					}
					if refusal := new(kkm.Refusal); errors.As(err, &refusal) {
						m.refused++
					}
				default:
					made(t, "a return", doc, err)
					m.cash -= sum
					m.sold[parent] -= sum
				}
			},
			"cash in": func(t *rapid.T) {
				sum := fiscal.Money(rapid.Int64Range(1, 1e6).Draw(t, "sum"))
				doc, err := m.Move(ctx, m.seat(), m.id, m.name(), fiscal.OpCashIn, sum)
				made(t, "a deposit", doc, err)
				m.cash += sum
			},
			"cash out": func(t *rapid.T) {
				sum := fiscal.Money(rapid.Int64Range(1, 1e6).Draw(t, "sum"))
				doc, err := m.Move(ctx, m.seat(), m.id, m.name(), fiscal.OpCashOut, sum)
				if sum > m.cash {
					if !errors.Is(err, fiscal.NotEnoughCash) {
						t.Fatalf("%v taken out of %v: %v", sum, m.cash, err)
					}
					return
				}
				made(t, "a withdrawal", doc, err)
				m.cash -= sum
			},
			"Z": func(t *rapid.T) {
				doc, err := m.Z(ctx, m.seat(), m.id, m.name())
				if !m.shift {
					if !errors.Is(err, fiscal.Conflict) {
						t.Fatalf("Z without a shift: %v", err)
					}
					return
				}
				made(t, "Z", doc, err)
			},
			"cable": func(t *rapid.T) { m.cut.Store(rapid.Bool().Draw(t, "cut")) },
			"restart": func(t *rapid.T) {
				if err := m.Close(); err != nil {
					t.Fatal(err)
				}
				m.open()
			},
			"": func(t *rapid.T) {
				if st, err := m.Standing(ctx, m.seat(), m.id); err != nil || st.Counters.Cash != m.cash {
					t.Fatalf("the drawer has %v, %v; want %v", st.Counters.Cash, err, m.cash)
				}
			},
		})
	})
	s.cut.Store(false)
	eventually(t, "all is delivered", func() bool {
		st, err := s.Standing(ctx, s.seat(), s.id)
		return err == nil && st.Waiting == 0
	})
	m.atOperator(t)
}

func (m *model) name() string {
	m.n++
	return fmt.Sprintf("draft-%d", m.n)
}

func (m *model) draft(op fiscal.Op, price fiscal.Money) *till.Draft {
	return &till.Draft{ID: m.name(), Op: op, Lines: []till.Line{{Quantity: fiscal.OneUnit, Price: price}}, Paid: till.Paid{Chosen: true}}
}

// atOperator compares the history with what the operator has.
func (m *model) atOperator(t *testing.T) {
	t.Helper()
	l, err := m.operator.registry.Show(context.Background(), m.id)
	if err != nil {
		t.Fatal(err)
	}
	if l.State.Counters.Cash != m.cash {
		t.Errorf("the operator counts %v in the drawer, want %v", l.State.Counters.Cash, m.cash)
	}
	f, err := m.Figures(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(m.number + m.refused); f.Documents != want {
		t.Errorf("%d documents in the file, %d were made and %d refused", f.Documents, m.number, m.refused)
	}
	if want := m.number + 2; uint64(l.State.LastNumber) != want { // behind registration and token
		t.Errorf("the operator has %d entries, want %d", l.State.LastNumber, want)
	}
	t.Logf("%d documents, each once at the operator", m.number)
}
