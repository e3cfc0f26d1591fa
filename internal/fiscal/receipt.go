package fiscal

// Receipt is the content of a receipt as people read it. What only one country
// has stands in Requisites.
type Receipt struct {
	Op         Op             `json:"operation"`
	Time       WallTime       `json:"time"`
	Cashier    Cashier        `json:"cashier"`
	Items      []Item         `json:"items"`
	Payments   []Payment      `json:"payments"`
	Taxes      []Tax          `json:"taxes,omitempty"` // on the whole receipt; excludes taxes of items
	Total      Money          `json:"total"`
	Taken      Money          `json:"taken,omitempty"`
	ChangeDue  Money          `json:"change_due,omitempty"`
	Discount   *Modifier      `json:"discount,omitempty"` // on the whole receipt
	Markup     *Modifier      `json:"markup,omitempty"`   // on the whole receipt
	Buyer      Buyer          `json:"buyer,omitzero"`
	Parent     *ParentReceipt `json:"parent,omitempty"`
	Requisites []Requisite    `json:"requisites,omitempty"`
}

// Cashier is the person at the register.
type Cashier struct {
	Code uint32 `json:"code"`
	Name string `json:"name,omitempty"`
}

// ItemKind says whether a line is goods or changes the price of goods.
type ItemKind uint8

// The kinds of lines.
const (
	ItemGoods ItemKind = iota + 1
	ItemDiscount
	ItemMarkup
)

func (k ItemKind) String() string {
	switch k {
	case ItemGoods:
		return "goods"
	case ItemDiscount:
		return "discount"
	case ItemMarkup:
		return "markup"
	}
	return "unknown"
}

// MarshalText gives the kind to JSON by its name.
func (k ItemKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Item is a line of a receipt. A line with Storno takes an earlier line of the
// same receipt back, before the receipt is complete.
type Item struct {
	Kind         ItemKind    `json:"kind"`
	Storno       bool        `json:"storno,omitempty"`
	Code         uint64      `json:"code,omitempty"`
	Name         string      `json:"name,omitempty"`
	Section      string      `json:"section,omitempty"`
	Quantity     Quantity    `json:"quantity,omitempty"`
	Unit         string      `json:"unit,omitempty"` // code of the e-invoice system: "796" is a piece
	Price        Money       `json:"price,omitempty"`
	Cost         Money       `json:"cost"`
	Taxes        []Tax       `json:"taxes,omitempty"`
	Barcode      string      `json:"barcode,omitempty"` // GTIN
	NTIN         string      `json:"ntin,omitempty"`    // national catalog number
	ProductID    string      `json:"product_id,omitempty"`
	ExciseStamps []string    `json:"excise_stamps,omitempty"` // identification marks of marked goods
	PaperStamp   string      `json:"paper_stamp,omitempty"`   // series and number of a paper excise stamp
	Requisites   []Requisite `json:"requisites,omitempty"`
}

// Tax is one tax of a line or of a receipt.
type Tax struct {
	Kind     uint32 `json:"kind"`    // 100 is VAT
	Percent  uint32 `json:"percent"` // thousandths of a percent: 16000 is 16 %
	Sum      Money  `json:"sum"`
	Included bool   `json:"included"` // contained in the price
}

// KindVAT is the Kind of value added tax.
const KindVAT uint32 = 100

// Payment is one way in which a receipt was paid. Cash is net of change.
type Payment struct {
	Kind       PayKind     `json:"kind"`
	Sum        Money       `json:"sum"`
	Requisites []Requisite `json:"requisites,omitempty"`
}

// Modifier is a discount or a markup on the whole receipt.
type Modifier struct {
	Name  string `json:"name,omitempty"`
	Sum   Money  `json:"sum"`
	Taxes []Tax  `json:"taxes,omitempty"`
}

// Buyer is what a receipt says of the buyer. It is personal data.
type Buyer struct {
	XIN   XIN    `json:"xin,omitempty"`
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// ParentReceipt is the receipt that a return refers to.
type ParentReceipt struct {
	FiscalSign         string   `json:"fiscal_sign"` // or the autonomous code
	Time               WallTime `json:"time"`
	RegistrationNumber string   `json:"registration_number"`
	Total              Money    `json:"total"`
	Offline            bool     `json:"offline,omitempty"`
}

// Requisite is something only one country or trade has: key, value, children.
// The door's locale words the key.
type Requisite struct {
	Key      string      `json:"key"`
	Value    string      `json:"value,omitempty"`
	Type     ValueType   `json:"-"` // how Value is worded
	Personal bool        `json:"-"` // data of the buyer: masked before others see it
	Children []Requisite `json:"children,omitempty"`
}

// ValueType says what the text of a Requisite's value is.
type ValueType uint8

// The types of values.
const (
	ValueText  ValueType = iota // for people, or a code
	ValueMoney                  // as Money writes it
	ValueTime                   // as WallTime writes it
	ValueMask                   // a number whose bits have words of their own
)

// CashMove is cash put into or taken out of the drawer.
type CashMove struct {
	Op      Op       `json:"operation"`
	Time    WallTime `json:"time"`
	Sum     Money    `json:"sum"`
	Cashier Cashier  `json:"cashier"`
	Auto    bool     `json:"auto,omitempty"` // at shift close
}

// CashPart is what the receipt did to the drawer, without its direction: cash
// payments net of change. Registers send cash net already; where the payments
// exceed the total by the change, the change is taken off here.
// Source: KKM reference §6.3.
func (r *Receipt) CashPart() Money {
	var cash, paid Money
	for _, p := range r.Payments {
		paid += p.Sum
		if p.Kind == PayCash {
			cash += p.Sum
		}
	}
	if cash > 0 && r.ChangeDue > 0 && paid != r.Total && paid-r.ChangeDue == r.Total {
		cash -= r.ChangeDue
	}
	return max(cash, 0)
}

// TaxSum is the sum of all taxes of the receipt: lines with their signs, then
// those on the whole.
func (r *Receipt) TaxSum() Money {
	var sum Money
	for i := range r.Items {
		it := &r.Items[i]
		for _, t := range it.Taxes {
			sum += it.Direction() * t.Sum
		}
	}
	for _, t := range r.Taxes {
		sum += t.Sum
	}
	if r.Discount != nil {
		for _, t := range r.Discount.Taxes {
			sum -= t.Sum
		}
	}
	if r.Markup != nil {
		for _, t := range r.Markup.Taxes {
			sum += t.Sum
		}
	}
	return sum
}

// Direction is the sign with which a line enters the total of its receipt: +1
// for goods and markups, −1 for discounts, turned by storno.
func (it *Item) Direction() Money {
	d := Money(1)
	if it.Kind == ItemDiscount {
		d = -1
	}
	if it.Storno {
		d = -d
	}
	return d
}
