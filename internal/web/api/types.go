package api

import "time"

// CheckResult is the answer to a check.
type CheckResult struct {
	Verdict        string   `json:"verdict" enum:"genuine,differs,not_yet,none" doc:"genuine: all that was given fits. differs: the receipt is known, other fields are not what it says. not_yet: nothing found so far, but the receipt may be on its way. none: no such receipt."`
	Message        string   `json:"message" doc:"The verdict in words, in the language asked for."`
	Differs        []string `json:"differs,omitempty" nullable:"false" enum:"s,t,n,fp" doc:"With differs: the parameters that do not fit."`
	LookAgainAfter string   `json:"look_again_after,omitempty" doc:"With not_yet: when the receipt must have arrived. Wall time of the register, without a zone." example:"2026-03-17T09:12:41"`
	Receipt        *Receipt `json:"receipt,omitempty" doc:"With genuine: the receipt."`
}

// Receipt is a receipt with what belongs to it, as of its own day.
type Receipt struct {
	Country     string        `json:"country" enum:"kz,ru" doc:"Under whose law it was made."`
	Currency    string        `json:"currency" enum:"KZT,RUB" doc:"Of all amounts."`
	Operation   string        `json:"operation" enum:"sale,sale_return,purchase,purchase_return" doc:"purchase: the register bought from the public."`
	Time        string        `json:"time" doc:"Wall time of the register, without a zone; outlet.zone names it." example:"2026-03-14T09:12:41"`
	ReceivedAt  time.Time     `json:"received_at" doc:"When the operator received it, UTC."`
	FiscalSign  string        `json:"fiscal_sign" doc:"In digits: in Kazakhstan the operator's sign, in Russia that of the drive." example:"362397639340"`
	OfflineCode string        `json:"offline_code,omitempty" doc:"The autonomous code that the paper bears instead of the sign."`
	Offline     bool          `json:"offline" doc:"The register made it without a link."`
	Canceled    *Cancellation `json:"canceled,omitempty" doc:"Set if the register took the receipt back."`
	Number      string        `json:"number" doc:"Consecutive number of the receipt." example:"17"`
	Shift       uint32        `json:"shift" doc:"Number of the shift."`
	Cashier     Cashier       `json:"cashier"`
	Seller      Seller        `json:"seller"`
	Outlet      Outlet        `json:"outlet"`
	Register    Register      `json:"register"`
	Items       []Item        `json:"items" nullable:"false"`
	Discount    *Modifier     `json:"discount,omitempty" doc:"On the whole receipt, beside the lines."`
	Markup      *Modifier     `json:"markup,omitempty" doc:"On the whole receipt, beside the lines."`
	Total       string        `json:"total" example:"1777.50"`
	Taxes       []Tax         `json:"taxes" nullable:"false" doc:"By rate, over the whole receipt."`
	Payments    []Payment     `json:"payments" nullable:"false"`
	Taken       string        `json:"taken,omitempty" doc:"What the buyer handed over."`
	ChangeDue   string        `json:"change_due,omitempty" doc:"What the buyer got back."`
	BuyerXIN    string        `json:"buyer_xin,omitempty" doc:"IIN or BIN of the buyer; all but the last four digits are hidden." example:"••••••••0642"`
	Parent      *Parent       `json:"parent,omitempty" doc:"The receipt that a return refers to."`
	Requisites  []Requisite   `json:"requisites,omitempty" nullable:"false" doc:"What only one trade has; in Russia every requisite that has no field here, under its name in the tax service's JSON."`
	Operator    Operator      `json:"operator"`
	Link        string        `json:"link" doc:"The address of the check, which is the text of the QR code."`
}

// Cancellation is when a receipt was taken back.
type Cancellation struct {
	Time       string    `json:"time" doc:"Wall time of the register."`
	ReceivedAt time.Time `json:"received_at" doc:"UTC."`
}

// Text is something worded in up to three languages.
type Text struct {
	KK string `json:"kk,omitempty"`
	RU string `json:"ru,omitempty"`
	EN string `json:"en,omitempty"`
}

// Cashier is the person at the register.
type Cashier struct {
	Code uint32 `json:"code"`
	Name string `json:"name,omitempty"`
}

// Seller is the taxpayer.
type Seller struct {
	XIN            string `json:"xin" doc:"IIN or BIN, in Russia INN." example:"960624350642"`
	Title          Text   `json:"title"`
	VATCertificate string `json:"vat_certificate,omitempty" doc:"Series and number, if the seller pays VAT."`
}

// Outlet is where the register stood.
type Outlet struct {
	Title   Text   `json:"title"`
	Address Text   `json:"address"`
	Zone    string `json:"zone" doc:"IANA name." example:"Asia/Almaty"`
}

// Register is the cash register.
type Register struct {
	RegistrationNumber string `json:"registration_number" doc:"Given by the authority (РНМ, in Russia РН ККТ)." example:"010101907421"`
	Provisional        bool   `json:"provisional,omitempty" doc:"The registration number is a stand-in of the operator's."`
	SerialNumber       string `json:"serial_number" doc:"Given by the maker (ЗНМ)."`
	Model              string `json:"model,omitempty"`
	FiscalDrive        string `json:"fiscal_drive,omitempty" doc:"Russia: number of the fiscal drive that made the receipt." example:"9999078902001234"`
	FiscalDocument     uint64 `json:"fiscal_document,omitempty" doc:"Russia: number of the receipt in its drive."`
}

// Item is a line of a receipt.
type Item struct {
	Kind         string   `json:"kind" enum:"goods,discount,markup" doc:"A discount or markup changes the price of the goods before it and is no goods itself."`
	Storno       bool     `json:"storno,omitempty" doc:"Takes an earlier line of the same receipt back."`
	Name         string   `json:"name,omitempty"`
	Code         string   `json:"code,omitempty" doc:"In the operator's catalog."`
	Section      string   `json:"section,omitempty"`
	Quantity     string   `json:"quantity,omitempty" example:"2.5"`
	Unit         string   `json:"unit,omitempty" doc:"Code of the e-invoice system, in Russia of OKEI: 796 is a piece." example:"796"`
	UnitTitle    string   `json:"unit_title,omitempty" doc:"The unit in the language asked for."`
	Price        string   `json:"price,omitempty" doc:"Per unit." example:"1200.00"`
	Cost         string   `json:"cost" doc:"Of the line, as it enters the total: discounts and storno are negative." example:"3000.00"`
	Taxes        []Tax    `json:"taxes,omitempty" nullable:"false"`
	Barcode      string   `json:"barcode,omitempty" doc:"GTIN."`
	NTIN         string   `json:"ntin,omitempty" doc:"Number in the National Catalog of Goods."`
	ProductID    string   `json:"product_id,omitempty" doc:"In the virtual warehouse."`
	ExciseStamps []string `json:"excise_stamps,omitempty" nullable:"false" doc:"Identification marks of marked goods."`
	PaperStamp   string   `json:"paper_stamp,omitempty" doc:"Series and number of a paper excise stamp."`

	Requisites []Requisite `json:"requisites,omitempty" nullable:"false" doc:"What has no field here."`
}

// Tax is one tax at one rate.
type Tax struct {
	Kind     uint32 `json:"kind" doc:"100 is VAT."`
	Percent  string `json:"percent" doc:"The rate." example:"16"`
	Included bool   `json:"included" doc:"Contained in the price, not on top of it."`
	Sum      string `json:"sum" example:"245.17"`
}

// Payment is one way in which the receipt was paid.
type Payment struct {
	Kind       string      `json:"kind" enum:"none,cash,card,mobile,credit,tare,advance,provision" doc:"Cash is net of change; card is whatever is cashless in Russia; provision is counter-provision; none is a kind we do not know."`
	Sum        string      `json:"sum"`
	Requisites []Requisite `json:"requisites,omitempty" nullable:"false" doc:"Of the card terminal or the mobile payment."`
}

// Modifier is a discount or a markup on the whole receipt.
type Modifier struct {
	Name string `json:"name,omitempty"`
	Sum  string `json:"sum" doc:"Never negative."`
}

// Parent is the receipt that a return refers to, as the register named it.
type Parent struct {
	Code               string `json:"code" doc:"Fiscal sign or autonomous code."`
	Offline            bool   `json:"offline" doc:"The code is an autonomous one."`
	Time               string `json:"time,omitempty" doc:"Wall time of its register."`
	RegistrationNumber string `json:"registration_number"`
	Total              string `json:"total"`
}

// Requisite is something only one trade has.
type Requisite struct {
	Key   string `json:"key" doc:"Stable name."`
	Title string `json:"title" doc:"In the language asked for."`
	Value string `json:"value" doc:"In words; an amount with a point, a time without a zone. Data of the buyer are masked. Empty for a group."`
	Code  string `json:"code,omitempty" doc:"The value as the register wrote it, where value words it: a number of an enumeration, the bits of a mask."`

	Requisites []Requisite `json:"requisites,omitempty" nullable:"false" doc:"Of a group."`
}

// Operator is the fiscal data operator.
type Operator struct {
	Title Text   `json:"title"`
	BIN   string `json:"bin,omitempty"`
	INN   string `json:"inn,omitempty"`
	Site  string `json:"site,omitempty"`
}
