package ffd

import "openofd/internal/fiscal"

// Receipt is a receipt, a strict reporting form or a correction of either
// (forms 3, 4, 31 and 41).
type Receipt struct {
	Base
	User          string        `ffd:"1048"`
	Shift         uint32        `ffd:"1038"`
	ReceiptNumber uint32        `ffd:"1042"` // in the shift
	Operation     uint8         `ffd:"1054"`
	TaxSystem     uint8         `ffd:"1055"` // mask of one bit
	Cashier       string        `ffd:"1021"`
	CashierINN    string        `ffd:"1203"`
	Address       string        `ffd:"1009"`
	Place         string        `ffd:"1187"`
	Items         []Item        `ffd:"1059"`
	Total         fiscal.Money  `ffd:"1020"`
	Cash          fiscal.Money  `ffd:"1031"`
	Cashless      fiscal.Money  `ffd:"1081"`
	Prepaid       fiscal.Money  `ffd:"1215"`
	Credit        fiscal.Money  `ffd:"1216"`
	InKind        fiscal.Money  `ffd:"1217"`
	VAT20         *fiscal.Money `ffd:"1102"`
	VAT10         *fiscal.Money `ffd:"1103"`
	Turnover0     *fiscal.Money `ffd:"1104"` // at 0 %; not tax
	Untaxed       *fiscal.Money `ffd:"1105"` // turnover without VAT; not tax
	VAT20120      *fiscal.Money `ffd:"1106"`
	VAT10110      *fiscal.Money `ffd:"1107"`
	VAT           *VAT          `ffd:"1115"` // at the rates that have no tag of their own
	Correction    *uint8        `ffd:"1173"`
	Ground        *Ground       `ffd:"1174"`
	InternetOnly  bool          `ffd:"1108"`
	Internet      bool          `ffd:"1125"`
	Payments      *Payments     `ffd:"1234"`
	BuyerContact  string        `ffd:"1008"`
	Sender        string        `ffd:"1117"`
	Buyer         string        `ffd:"1227"` // 1.05, 1.1
	BuyerINN      string        `ffd:"1228"` // 1.05, 1.1
	BuyerInfo     *Buyer        `ffd:"1256"` // 1.2
	Machine       string        `ffd:"1036"` // number of a vending machine
	Agents        uint8         `ffd:"1057"` // mask, 1.05 and 1.1
	Extra         string        `ffd:"1192"` // in a correction: the sign of the wrong receipt
	UserExtra     *UserExtra    `ffd:"1084"`
	Industry      []Industry    `ffd:"1261"` // 1.2
	Operational   *Operational  `ffd:"1270"` // 1.2
	MarksChecked  *uint8        `ffd:"2107"` // 1.2
	FNSSite       string        `ffd:"1060"`
	End
}

// Item is a line of a receipt.
type Item struct {
	Name        string        `ffd:"1030"`
	Price       fiscal.Money  `ffd:"1079"`
	Quantity    Decimal       `ffd:"1023"`
	Sum         fiscal.Money  `ffd:"1043"`
	PaymentType uint8         `ffd:"1214"`
	ProductType uint8         `ffd:"1212"`
	Rate        uint8         `ffd:"1199"`
	Measure     uint8         `ffd:"2108"` // 1.2
	VAT         *fiscal.Money `ffd:"1200"`
	UnitVAT     *fiscal.Money `ffd:"1198"`
	Unit        string        `ffd:"1197"` // 1.05, 1.1
	Code        []byte        `ffd:"1162"` // 1.05, 1.1
	Codes       *ProductCode  `ffd:"1163"` // 1.2
	Fraction    *Fraction     `ffd:"1291"` // 1.2
	CodeMode    *uint8        `ffd:"2102"` // 1.2
	Checked     *uint8        `ffd:"2106"` // mask, 1.2
	Agent       uint8         `ffd:"1222"` // mask of one bit
	AgentData   *Agent        `ffd:"1223"`
	Supplier    *Supplier     `ffd:"1224"`
	SupplierINN string        `ffd:"1226"`
	Excise      *fiscal.Money `ffd:"1229"`
	Country     string        `ffd:"1230"`
	Declaration string        `ffd:"1231"`
	Extra       string        `ffd:"1191"`
	Industry    []Industry    `ffd:"1260"` // 1.2
	Rest        []Raw
}

// ProductCode is the code of a good, of exactly one kind.
type ProductCode struct {
	Unknown string `ffd:"1300"`
	EAN8    string `ffd:"1301"`
	EAN13   string `ffd:"1302"`
	ITF14   string `ffd:"1303"`
	GS1     string `ffd:"1304"`
	GS1M    string `ffd:"1305"`
	Short   string `ffd:"1306"`
	Fur     string `ffd:"1307"`
	EGAIS2  string `ffd:"1308"`
	EGAIS3  string `ffd:"1309"`
	Form1   string `ffd:"1320"`
	Form2   string `ffd:"1321"`
	Form3   string `ffd:"1322"`
	Form4   string `ffd:"1323"`
	Form5   string `ffd:"1324"`
	Form6   string `ffd:"1325"`
}

// Fraction is the part of a pack that is sold.
type Fraction struct {
	Numerator   uint64 `ffd:"1293"`
	Denominator uint64 `ffd:"1294"`
}

// Agent is whom the seller acts for.
type Agent struct {
	TransferPhones  []string `ffd:"1075"`
	Operation       string   `ffd:"1044"`
	Phones          []string `ffd:"1073"`
	OperatorPhones  []string `ffd:"1074"`
	TransferName    string   `ffd:"1026"`
	TransferAddress string   `ffd:"1005"`
	TransferINN     string   `ffd:"1016"`
}

// Supplier is whose goods they are.
type Supplier struct {
	Phones []string `ffd:"1171"`
	Name   string   `ffd:"1225"`
}

// VAT is the VAT of a receipt by rate. Since 01.01.2025.
type VAT struct {
	Rates []RateSum `ffd:"1119"`
}

// RateSum is the VAT at one rate.
type RateSum struct {
	Rate uint8        `ffd:"1199"`
	Sum  fiscal.Money `ffd:"1120"`
}

// Payments are the cashless payments of a receipt. Since 01.09.2025.
type Payments struct {
	All []Payment `ffd:"1235"`
}

// Payment is one cashless payment. The tax service has not published the ways.
type Payment struct {
	Sum         fiscal.Money `ffd:"1082"`
	Way         uint8        `ffd:"1236"`
	Identifiers string       `ffd:"1237"`
	More        string       `ffd:"1238"`
}

// Ground is why a correction is made.
type Ground struct {
	Description string          `ffd:"1177"` // old firmware
	Date        fiscal.WallTime `ffd:"1178"` // of the corrected settlement, at midnight
	Order       string          `ffd:"1179"` // number of the tax authority's order
}

// Buyer is the buyer of a receipt in 1.2. It is personal data.
type Buyer struct {
	Name         string `ffd:"1227"`
	INN          string `ffd:"1228"`
	Birthday     string `ffd:"1243"` // DD.MM.YYYY
	Citizenship  string `ffd:"1244"`
	DocumentKind string `ffd:"1245"`
	Document     string `ffd:"1246"`
	Address      string `ffd:"1254"`
}

// UserExtra is a requisite of the user's own.
type UserExtra struct {
	Name  string `ffd:"1085"`
	Value string `ffd:"1086"`
}

// Industry is a requisite of a trade, as its authority asks for it.
type Industry struct {
	Authority string `ffd:"1262"`
	Date      string `ffd:"1263"` // DD.MM.YYYY
	Document  string `ffd:"1264"`
	Value     string `ffd:"1265"`
}

// Operational is a requisite of the operation.
type Operational struct {
	Operation uint8           `ffd:"1271"`
	Data      string          `ffd:"1272"`
	Time      fiscal.WallTime `ffd:"1273"`
}
