package fiscal

// Op is what a document does with money.
type Op uint8

// The operations. The first four are settlements, the last two move cash into
// and out of the drawer.
const (
	OpNone Op = iota
	OpSale
	OpSaleReturn
	OpPurchase
	OpPurchaseReturn
	OpCashIn
	OpCashOut
	opCount
)

// OpSettlements and OpMoves count the operations of either sort.
const (
	OpSettlements = 4
	OpMoves       = 2
)

var opNames = [opCount]string{"none", "sale", "sale_return", "purchase", "purchase_return", "cash_in", "cash_out"}

func (o Op) String() string {
	if o < opCount {
		return opNames[o]
	}
	return "unknown"
}

// MarshalText gives an operation to JSON by its name.
func (o Op) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Settlement reports whether o is one of the four settlements; Index is then
// its place, 0 to 3, in an array of all of them.
func (o Op) Settlement() bool { return o >= OpSale && o <= OpPurchaseReturn }

// Index is the place of a settlement among the settlements, and of a move
// among the moves.
func (o Op) Index() int {
	if o >= OpCashIn {
		return int(o - OpCashIn)
	}
	return int(o - OpSale)
}

// Inflow is +1 when the operation brings money to the drawer and to revenue,
// −1 when it takes money out.
func (o Op) Inflow() Money {
	switch o {
	case OpSale, OpPurchaseReturn, OpCashIn:
		return 1
	case OpSaleReturn, OpPurchase, OpCashOut:
		return -1
	}
	return 0
}

// Return reports whether the operation gives back an earlier one.
func (o Op) Return() bool { return o == OpSaleReturn || o == OpPurchaseReturn }

// PayKind is a way of paying.
type PayKind uint8

// The ways of paying.
const (
	PayNone PayKind = iota
	PayCash
	PayCard
	PayMobile
	PayCredit
	PayTare
	PayAdvance
	PayProvision // goods or work of the buyer's own; no counter counts it apart
	payCount
)

// PayKinds is the number of ways of paying that are counted apart, for arrays
// indexed by Index.
const PayKinds = int(PayAdvance)

var payNames = [payCount]string{"none", "cash", "card", "mobile", "credit", "tare", "advance", "provision"}

func (p PayKind) String() string {
	if p < payCount {
		return payNames[p]
	}
	return "unknown"
}

// MarshalText gives a way of paying to JSON by its name.
func (p PayKind) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Ways lists the ways of paying, for tests and locales.
func Ways() []PayKind {
	var all []PayKind
	for p := PayCash; p < payCount; p++ {
		all = append(all, p)
	}
	return all
}

// Index is the place of p in an array of PayKinds, −1 for what is not counted
// apart.
func (p PayKind) Index() int {
	if p > PayKind(PayKinds) {
		return -1
	}
	return int(p) - 1
}
