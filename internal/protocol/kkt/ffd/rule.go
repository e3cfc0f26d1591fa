package ffd

// Severity is what a finding costs.
type Severity uint8

// The severities, in the order of their weight.
const (
	Off        Severity = iota // the rule is not looked at
	Warn                       // accepted; the owner sees it
	Refuse                     // the acknowledgement says that a rule is broken: code 14
	Unreadable                 // the acknowledgement says that it cannot be read: code 11
	severityEnd
)

var severityNames = [severityEnd]string{"off", "warn", "refuse", "unreadable"}

func (s Severity) String() string {
	if s < severityEnd {
		return severityNames[s]
	}
	return "unknown"
}

// MarshalText gives a severity to JSON by its name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ParseSeverity reads what String writes.
func ParseSeverity(name string) (s Severity, ok bool) {
	for i, n := range severityNames {
		if n == name {
			return Severity(i), true
		}
	}
	return Off, false
}

// Rule is one row of the table of rules.
type Rule struct {
	ID         string // of the table of rules: "S1"; several rows may share one
	Key        string // names the row, and the sentence a screen shows: "items_total"
	Severities [versionEnd]Severity
	Incident   bool // somebody at the operator's has to look
	EN         string
}

// rule is the place of a row in the table.
type rule uint8

const (
	ruleForm rule = iota
	ruleLength
	ruleDepth
	ruleValue
	ruleUnpadded
	ruleRepeated
	rulePlace
	ruleUnknown
	ruleEarly
	ruleWithdrawn
	ruleCore
	ruleReceiptCore
	ruleReceiptINN
	ruleRequired
	ruleEnumCore
	ruleEnum
	ruleTaxBits
	ruleTaxRegistered
	ruleRateDate
	ruleImputed
	ruleTooOld
	ruleAhead
	ruleBackwards
	ruleCorrectedLater
	ruleINN
	ruleOtherINN
	ruleRegisterNumber
	ruleRegistered
	ruleItemsTotal
	rulePayments
	ruleLine
	ruleLineVAT
	ruleVATTotal
	ruleCashlessSum
	ruleRateTwice
	ruleCorrectionKind
	ruleOrderMissing
	ruleReverseSign
	ruleInternet
	ruleMachine
	ruleSender
	ruleSupplier
	ruleMarkCode
	ruleMarkResult
	ruleMarkVersion
	rulePhone
	ruleTally
	ruleCounters
	ruleDriveCounters
	ruleShiftDocuments
	ruleCorrectedUnknown
	ruleReverseDiffers
	ruleReverseMissing
	ruleReversedTwice
	ruleReasonDrive
	ruleReasonFormat
	ruleDriveFormat
	ruleRegisterFormat
	ruleDriveOld
	ruleCount
)

func always(s Severity) [versionEnd]Severity {
	return [versionEnd]Severity{V100: s, V105: s, V110: s, V120: s}
}

func since(v Version, before, then Severity) [versionEnd]Severity {
	s := always(then)
	for w := V100; w < v; w++ {
		s[w] = before
	}
	return s
}

// ruleTable says what each broken rule costs. The identifiers are those of the
// reference; rows marked "ours" are not in it. What needs the container (A1,
// A2) or the drive's earlier documents (N1) is judged by protocol/kkt and the
// cabinet.
var ruleTable = [ruleCount]Rule{
	ruleForm:           {"T1", "form", always(Unreadable), false, "the requisites do not make a document"},
	ruleLength:         {"T1", "length", always(Refuse), false, "longer than a document of this form may be"},
	ruleDepth:          {"T1", "depth", always(Refuse), false, "requisites nest too deep"},
	ruleValue:          {"T2", "value", always(Refuse), false, "the value does not have the form of its type"},
	ruleUnpadded:       {"T2", "unpadded", always(Warn), false, "a text of fixed length lacks its padding"},
	ruleRepeated:       {"T3", "repeated", always(Refuse), false, "a requisite that stands once is repeated"},
	rulePlace:          {"T4", "place", since(V105, Off, Warn), false, "a requisite that this version does not have here"},
	ruleUnknown:        {"T5", "unknown", always(Warn), false, "a requisite that nobody knows; it is kept"},
	ruleEarly:          {"T6", "early", always(Warn), false, "a requisite from before the day it came in force"},
	ruleWithdrawn:      {"V1", "withdrawn", [versionEnd]Severity{V100: Warn}, false, "FFD 1.0 was withdrawn on 01.01.2019"},
	ruleCore:           {"C1", "core", always(Refuse), false, "a requisite of every document is missing"},
	ruleReceiptCore:    {"C2", "receipt_core", always(Refuse), false, "a requisite of every receipt is missing"},
	ruleReceiptINN:     {"C2a", "receipt_inn", always(Warn), false, "the receipt does not name the user's INN"},
	ruleRequired:       {"C3", "required", since(V110, Warn, Refuse), false, "a required requisite is missing"},
	ruleEnumCore:       {"E1", "enum_core", always(Refuse), false, "no such value"},
	ruleEnum:           {"E1", "enum", always(Warn), false, "no such value is known"},
	ruleTaxBits:        {"E2", "tax_bits", always(Refuse), false, "a receipt applies exactly one tax system"},
	ruleTaxRegistered:  {"E2", "tax_registered", always(Refuse), false, "the register is not registered with this tax system"},
	ruleRateDate:       {"E3", "rate_date", always(Warn), false, "the VAT rate did not hold on the day of the sale"},
	ruleImputed:        {"E3", "imputed", always(Warn), false, "the tax on imputed income ended on 01.01.2021"},
	ruleTooOld:         {"D1", "too_old", always(Refuse), false, "dated before 01.09.2016"},
	ruleAhead:          {"D1", "ahead", always(Refuse), false, "dated more than a day ahead"},
	ruleBackwards:      {"D2", "backwards", always(Warn), false, "dated before the drive's previous document"},
	ruleCorrectedLater: {"D3", "corrected_later", always(Warn), false, "corrects a settlement that is later than itself"},
	ruleINN:            {"I1", "inn", always(Refuse), false, "the check digits of the INN are wrong"},
	ruleOtherINN:       {"I1", "other_inn", always(Warn), false, "the check digits of the INN are wrong"},
	ruleRegisterNumber: {"I2", "register_number", always(Refuse), false, "the check digits of the registration number do not fit INN and serial number"},
	ruleRegistered:     {"I3", "registered", always(Warn), true, "differs from the drive's registration"},
	ruleItemsTotal:     {"S1", "items_total", always(Refuse), false, "the items do not make the total"},
	rulePayments:       {"S2", "payments", always(Refuse), false, "the payments do not make the total"},
	ruleLine:           {"S3", "line", always(Warn), false, "price × quantity is not the sum of the item"},
	ruleLineVAT:        {"S4", "line_vat", always(Warn), false, "the VAT of the item does not follow from its rate"},
	ruleVATTotal:       {"S5", "vat_total", always(Warn), false, "the VAT of the receipt is not that of its items"},
	ruleCashlessSum:    {"S6", "cashless_sum", always(Warn), false, "the cashless payments do not make the cashless sum"},
	ruleRateTwice:      {"S7", "rate_twice", always(Warn), false, "a rate stands twice, or has a requisite of its own"},
	ruleCorrectionKind: {"K1", "correction_kind", [versionEnd]Severity{V100: Refuse, V105: Refuse}, false, "up to 1.05 a correction is a sale or a purchase"},
	ruleOrderMissing:   {"K2", "order_missing", always(Warn), false, "a correction by order does not name the order"},
	ruleReverseSign:    {"K3", "reverse_sign", since(V110, Off, Warn), false, "a correction that takes back does not name the sign of the wrong receipt"}, // ours
	ruleInternet:       {"O1", "internet", always(Warn), false, "a settlement on the Internet needs the buyer's contact and the site"},
	ruleMachine:        {"O2", "machine", always(Warn), false, "a vending machine's receipt does not name the machine"}, // ours
	ruleSender:         {"O3", "sender", since(V105, Off, Warn), false, "an e-mailed receipt does not name the sender"}, // ours
	ruleSupplier:       {"O4", "supplier", always(Warn), false, "an agent's item names no supplier"},                    // ours
	ruleMarkCode:       {"M1", "mark_code", [versionEnd]Severity{V120: Warn}, false, "the kind of the item and its marking code contradict each other"},
	ruleMarkResult:     {"M1", "mark_result", [versionEnd]Severity{V120: Warn}, false, "the receipt's marking result is not that of its items"},
	ruleMarkVersion:    {"M2", "mark_version", [versionEnd]Severity{V100: Refuse, V105: Refuse, V110: Refuse}, false, "marked goods need FFD 1.2"}, // ours
	rulePhone:          {"P1", "phone", always(Warn), false, "neither a phone number nor an e-mail address"},
	ruleTally:          {"N2", "tally", since(V110, Off, Warn), false, "the ways of paying do not make the total of the counters"},
	ruleCounters:       {"N2", "counters", since(V110, Off, Warn), true, "the shift's counters are not those of its receipts"},
	ruleDriveCounters:  {"N2", "drive_counters", since(V110, Off, Warn), true, "the drive's counters have not grown by those of the shift"},
	ruleShiftDocuments: {"N2", "shift_documents", always(Warn), true, "the shift has had another number of documents or receipts"},

	ruleCorrectedUnknown: {"K4", "corrected_unknown", always(Warn), false, "no receipt of the register has the sign that is corrected"},                 // ours
	ruleReverseDiffers:   {"K5", "reverse_differs", always(Warn), false, "takes back other sums than the wrong receipt has"},                            // ours
	ruleReverseMissing:   {"K5", "reverse_missing", always(Warn), false, "puts a receipt right that was not taken back before"},                         // ours
	ruleReversedTwice:    {"K5", "reversed_twice", always(Warn), false, "takes a receipt back that is taken back already"},                              // ours
	ruleReasonDrive:      {"R1", "reason_drive", always(Warn), false, "the drive is new, and the reasons of the report do not say so"},                  // ours
	ruleReasonFormat:     {"R1", "reason_format", since(V110, Off, Warn), false, "the format has changed, and the reasons of the report do not say so"}, // ours
	ruleDriveFormat:      {"R2", "drive_format", always(Warn), false, "a format that the fiscal drive does not have"},                                   // ours
	ruleRegisterFormat:   {"R2", "register_format", always(Warn), false, "a format that the register does not have"},                                    // ours
	ruleDriveOld:         {"R2", "drive_old", always(Off), false, "registers are no longer registered with such a drive"},                               // ours; off, for drives may state the format in use instead of their newest
}

// Rules lists the table of rules.
func Rules() []Rule { return append([]Rule(nil), ruleTable[:]...) }

// Severities is an operator's choice of what each rule costs. The zero value
// is the table's.
type Severities struct {
	changed map[rule][versionEnd]Severity
}

// Set changes what the rows with an identifier or a key cost in some versions,
// all if none is named; ok is false when there is no such row. Whoever sets
// does so before the first judgement.
func (s *Severities) Set(idOrKey string, to Severity, versions ...Version) (ok bool) {
	if s.changed == nil {
		s.changed = make(map[rule][versionEnd]Severity)
	}
	if len(versions) == 0 {
		versions = Versions()
	}
	for r := range ruleCount {
		if ruleTable[r].ID != idOrKey && ruleTable[r].Key != idOrKey {
			continue
		}
		now := s.of(r)
		for _, v := range versions {
			now[v] = to
		}
		s.changed[r] = now
		ok = true
	}
	return ok
}

func (s *Severities) of(r rule) [versionEnd]Severity {
	if s != nil {
		if changed, ok := s.changed[r]; ok {
			return changed
		}
	}
	return ruleTable[r].Severities
}
