package ffd

import "openofd/internal/fiscal"

// MarkRequest asks the marking system about a code (form 81).
type MarkRequest struct {
	Number   uint32          `ffd:"2001"`
	INN      string          `ffd:"1018"`
	Time     fiscal.WallTime `ffd:"2114"`
	Drive    string          `ffd:"1041"`
	Checked  uint8           `ffd:"2004"` // mask
	Planned  uint8           `ffd:"2003"`
	Quantity *Decimal        `ffd:"1023"`
	Measure  *uint8          `ffd:"2108"`
	Fraction *Fraction       `ffd:"1291"`
	CodeKind uint8           `ffd:"2100"`
	Code     string          `ffd:"2000"`
	CodeMode uint8           `ffd:"2102"`
	Rest     []Raw
}

// MarkAnswer is what the marking system says of a code (form 83).
type MarkAnswer struct {
	Number   uint32          `ffd:"2001"`
	Time     fiscal.WallTime `ffd:"2114"`
	CodeMode *uint8          `ffd:"2102"`
	CodeKind *uint8          `ffd:"2100"`
	Status   *uint8          `ffd:"2109"`
	Product  string          `ffd:"2101"`
	Outcome  uint8           `ffd:"2105"`
	Checked  *uint8          `ffd:"2005"` // mask
	Rest     []Raw
}

// MarkNotice tells the marking system of a sale (form 82).
type MarkNotice struct {
	Number    uint32          `ffd:"2002"`
	Time      fiscal.WallTime `ffd:"1012"`
	Drive     string          `ffd:"1041"`
	INN       string          `ffd:"1018"`
	Address   string          `ffd:"1009"`
	TaxSystem uint8           `ffd:"1055"`
	Operation uint8           `ffd:"1054"`
	Kind      uint8           `ffd:"2116"` // mask
	Zone      uint8           `ffd:"1011"` // n is UTC+(n+1)
	Receipt   uint32          `ffd:"2040"` // number of its fiscal document
	Internet  bool            `ffd:"1125"`
	BuyerINN  string          `ffd:"1228"`
	UserExtra *UserExtra      `ffd:"1084"`
	Industry  []Industry      `ffd:"1261"`
	Goods     []MarkedGood    `ffd:"2007"`
	Rest      []Raw
}

// MarkedGood is one marked good of a notification.
type MarkedGood struct {
	Code        string       `ffd:"2000"`
	CodeKind    uint8        `ffd:"2100"`
	Product     string       `ffd:"2101"`
	Control     string       `ffd:"2115"`
	Status      uint8        `ffd:"2110"`
	Checked     uint8        `ffd:"2106"` // mask
	CodeMode    uint8        `ffd:"2102"`
	PaymentType uint8        `ffd:"1214"`
	Quantity    *Decimal     `ffd:"1023"`
	Measure     *uint8       `ffd:"2108"`
	Fraction    *Fraction    `ffd:"1291"`
	Name        string       `ffd:"1030"`
	Price       fiscal.Money `ffd:"1079"`
	Sum         fiscal.Money `ffd:"1043"`
	Rate        uint8        `ffd:"1199"`
	VAT         fiscal.Money `ffd:"1200"`
	Agent       uint8        `ffd:"1222"`
	AgentData   *Agent       `ffd:"1223"`
	Supplier    *Supplier    `ffd:"1224"`
	SupplierINN string       `ffd:"1226"`
	Industry    []Industry   `ffd:"1260"`
	Rest        []Raw
}

// MarkReceipt is what the marking system says of a notification (form 84).
type MarkReceipt struct {
	Number  uint32          `ffd:"2002"`
	Time    fiscal.WallTime `ffd:"1012"`
	Outcome uint8           `ffd:"2111"`
	Result  *uint8          `ffd:"2006"`
	Rest    []Raw
}
