package ffd

import "openofd/internal/fiscal"

// Base is what every document of a register begins with. The numbers are
// tags; Append writes them and Read reads them.
type Base struct {
	Drive              string          `ffd:"1041"`
	RegistrationNumber string          `ffd:"1037"`
	INN                string          `ffd:"1018"`
	Number             uint32          `ffd:"1040"` // of the document, from 1 in its drive
	Time               fiscal.WallTime `ffd:"1012"`
	Version            Version         `ffd:"1209"`
}

// End is what every document of a register ends with.
type End struct {
	Rest []Raw  // requisites that have no field
	Sign []byte `ffd:"1077"` // of six bytes; nil is not written
}

// Registration is a registration report or a report on changed registration
// data (forms 1 and 11).
type Registration struct {
	Base
	User             string       `ffd:"1048"`
	TaxSystems       uint8        `ffd:"1062"` // mask
	Offline          bool         `ffd:"1002"`
	Encryption       bool         `ffd:"1056"`
	Automatic        bool         `ffd:"1001"`
	Internet         bool         `ffd:"1108"` // to 1.1
	Services         bool         `ffd:"1109"` // to 1.1
	BSO              bool         `ffd:"1110"` // to 1.1
	Lotteries        bool         `ffd:"1126"` // 1.05, 1.1
	Gambling         bool         `ffd:"1193"` // 1.05, 1.1
	Excise           bool         `ffd:"1207"` // 1.05, 1.1
	PrinterInMachine bool         `ffd:"1221"` // 1.05, 1.1
	Conditions       uint32       `ffd:"1290"` // mask, 1.2; the signs of 1.05 and 1.1 and more
	Agents           uint8        `ffd:"1057"` // mask, to 1.1
	Serial           string       `ffd:"1013"`
	Machine          string       `ffd:"1036"` // number of a vending machine
	Cashier          string       `ffd:"1021"`
	CashierINN       string       `ffd:"1203"`
	Address          string       `ffd:"1009"`
	OFDINN           string       `ffd:"1017"`
	OFDName          string       `ffd:"1046"`
	FNSSite          string       `ffd:"1060"`
	Sender           string       `ffd:"1117"` // e-mail from which receipts are sent
	Place            string       `ffd:"1187"`
	RegisterVersion  string       `ffd:"1188"`
	RegisterFormat   uint8        `ffd:"1189"`
	DriveFormat      uint8        `ffd:"1190"`
	KeyDays          uint16       `ffd:"1213"`
	ExtraText        string       `ffd:"1274"` // 1.2
	ExtraData        []byte       `ffd:"1275"` // 1.2
	Reasons          []ReasonCode `ffd:"1101"` // form 11, to 1.05
	Changes          uint32       `ffd:"1205"` // form 11, mask, from 1.1
	DriveTotals      *Totals      `ffd:"1157"` // form 11
	End
}

// ReasonCode is why a register was registered anew, in 1.0 and 1.05.
type ReasonCode uint8

// OpenShift is a shift opening report (form 2).
type OpenShift struct {
	Base
	Cashier         string `ffd:"1021"`
	CashierINN      string `ffd:"1203"`
	Shift           uint32 `ffd:"1038"`
	RegisterVersion string `ffd:"1188"`
	RegisterFormat  uint8  `ffd:"1189"`
	DriveState
	OperatorMessage uint8  `ffd:"1206"` // mask
	ExtraText       string `ffd:"1276"`
	ExtraData       []byte `ffd:"1277"`
	End
}

// DriveState are the warnings of a drive. 1.0 requires them of a closing.
type DriveState struct {
	NoAnswer      bool `ffd:"1053"` // from the operator for too long
	ReplaceAtOnce bool `ffd:"1051"`
	MemoryFull    bool `ffd:"1052"` // to nine tenths
	KeysSpent     bool `ffd:"1050"` // nearly
}

// CloseShift is a shift closing report (form 5).
type CloseShift struct {
	Base
	Cashier          string           `ffd:"1021"`
	CashierINN       string           `ffd:"1203"`
	Shift            uint32           `ffd:"1038"`
	Receipts         uint32           `ffd:"1118"`
	Documents        uint32           `ffd:"1111"`
	Undelivered      *uint32          `ffd:"1097"`
	UndeliveredSince *fiscal.WallTime `ffd:"1098"`
	DriveState
	OperatorMessage    uint8   `ffd:"1206"` // mask
	KeyDays            uint16  `ffd:"1213"`
	ShiftTotals        *Totals `ffd:"1194"` // from 1.1
	DriveTotals        *Totals `ffd:"1157"` // from 1.1
	UndeliveredNotices uint32  `ffd:"2104"` // 1.2
	BadCodes           uint8   `ffd:"2112"` // mask, 1.2
	BadRequests        uint8   `ffd:"2113"` // mask, 1.2
	ExtraText          string  `ffd:"1278"`
	ExtraData          []byte  `ffd:"1279"`
	End
}

// State is a report on the state of settlements (form 21).
type State struct {
	Base
	Offline            bool             `ffd:"1002"`
	Shift              uint32           `ffd:"1038"`
	FirstUndelivered   uint32           `ffd:"1116"`
	Undelivered        *uint32          `ffd:"1097"`
	UndeliveredSince   *fiscal.WallTime `ffd:"1098"`
	UndeliveredNotices uint32           `ffd:"2104"` // 1.2
	KeyDays            uint16           `ffd:"1213"` // 1.2
	DriveTotals        *Totals          `ffd:"1157"`
	UndeliveredTotals  *CorrectionTally `ffd:"1158"`
	ExtraText          string           `ffd:"1280"`
	ExtraData          []byte           `ffd:"1281"`
	End
}

// CloseDrive is the report on closing the drive (form 6).
type CloseDrive struct {
	Base
	User        string  `ffd:"1048"`
	Cashier     string  `ffd:"1021"`
	CashierINN  string  `ffd:"1203"`
	Address     string  `ffd:"1009"`
	Place       string  `ffd:"1187"`
	Shift       uint32  `ffd:"1038"`
	DriveTotals *Totals `ffd:"1157"`
	ExtraText   string  `ffd:"1282"`
	ExtraData   []byte  `ffd:"1283"`
	End
}

// Totals are the totals of a shift (1194) or of a drive (1157).
type Totals struct {
	Receipts        uint32           `ffd:"1134"`
	Sales           *Tally           `ffd:"1129"`
	SaleReturns     *Tally           `ffd:"1130"`
	Purchases       *Tally           `ffd:"1131"`
	PurchaseReturns *Tally           `ffd:"1132"`
	Corrections     *CorrectionTally `ffd:"1133"`
}

// CorrectionTally counts corrections, or documents not yet delivered.
type CorrectionTally struct {
	Count           *uint32 `ffd:"1144"`
	Sales           *Tally  `ffd:"1145"`
	SaleReturns     *Tally  `ffd:"1232"`
	Purchases       *Tally  `ffd:"1146"`
	PurchaseReturns *Tally  `ffd:"1233"`
}

// Tally is how often and how much. Within CorrectionTally it has no taxes.
type Tally struct {
	Count    *uint32       `ffd:"1135"`
	Cash     *fiscal.Money `ffd:"1136"`
	Cashless *fiscal.Money `ffd:"1138"`
	Prepaid  *fiscal.Money `ffd:"1218"`
	Credit   *fiscal.Money `ffd:"1219"`
	InKind   *fiscal.Money `ffd:"1220"`
	Total    *fiscal.Money `ffd:"1201"`
	VAT20    *fiscal.Money `ffd:"1139"`
	VAT10    *fiscal.Money `ffd:"1140"`
	VAT20120 *fiscal.Money `ffd:"1141"`
	VAT10110 *fiscal.Money `ffd:"1142"`
	Turnover *fiscal.Money `ffd:"1143"` // at 0 %
	Untaxed  *fiscal.Money `ffd:"1183"`
}

// Acknowledgement is the operator's answer (form 7). OperatorSign is made by
// the crypto module over the requisites before it.
type Acknowledgement struct {
	OFDINN  string          `ffd:"1017"`
	Drive   string          `ffd:"1041"`
	Number  uint32          `ffd:"1040"`
	Time    fiscal.WallTime `ffd:"1012"`
	Message *DriveMessage   `ffd:"1068"` // to 1.05
	Mask    uint8           `ffd:"1206"` // from 1.1
	Rest    []Raw
	Sign    []byte `ffd:"1078"` // of the operator; nil is not written
}

// DriveMessage is what the operator tells the drive.
type DriveMessage struct {
	Code uint8 `ffd:"1022"` // 0 accepted, 11 not recognized, 14 a rule is broken
}
