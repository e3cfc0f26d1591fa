package fiscal

import (
	"math/bits"
	"strings"
)

// Flags are the findings with which a document was accepted. Acceptance reads
// one register only; findings that need other documents are the cabinet's.
type Flags uint64

// The findings. Values are stored: append, never renumber.
const (
	FlagReplay            Flags = 1 << iota // made in autonomous mode
	FlagLateReplay                          // older than autonomous work may last
	FlagLineSum                             // a line's sum is not price × quantity
	FlagTotal                               // the total does not follow from the lines
	FlagRounded                             // the total fits within the tolerance of rounded lines
	FlagPayments                            // payments do not make the total
	FlagChange                              // taken, change and cash do not fit
	FlagTaxSum                              // a tax deviates from its rate
	FlagTaxLevels                           // taxes on lines and on the receipt at once, or one percent twice
	FlagTaxRate                             // an odd rate or an unknown tax
	FlagClockAhead                          // more than a day ahead of our clock
	FlagClockBehind                         // online, yet more than a day old
	FlagClockBackwards                      // before the register's previous document
	FlagDomain                              // block of the trade missing
	FlagRegisterData                        // the device states other registration data
	FlagServiceMissing                      // mandatory service part, report or cashier missing
	FlagPosition                            // position or its source missing
	FlagParentMissing                       // a return without its parent receipt
	FlagBuyer                               // the buyer's number has a wrong check digit or is the seller's
	FlagBuyerContact                        // contact longer than it can be
	FlagMissing                             // a mandatory requisite missing
	FlagUnit                                // unknown unit of measure
	FlagQuantity                            // quantity not positive
	FlagCashNegative                        // the drawer went below zero
	FlagShiftTooLong                        // in a shift longer than allowed
	FlagShiftGap                            // the device skipped shift numbers
	FlagShiftNumber                         // the device states another shift number
	FlagShiftEmpty                          // closes a shift without documents
	FlagReportDiffers                       // the device's report differs from ours
	FlagOfflineCodeReused                   // an autonomous code used for another document
	FlagRepeated                            // the same document came before
	FlagTimeInvalid                         // no such date; the time of receipt stands in
	FlagSumDropped                          // an impossible taken or change was dropped
	FlagCountersFull                        // too many sections or taxes in one shift; counted together
	FlagPaymentKind                         // a way of paying this version does not know
	FlagItem                                // a line without the body of its type
	FlagShiftCloseEarly                     // closed before its last document
	FlagUncounted                           // does not enter the register's shift and counters
	FlagDocumentGap                         // earlier documents of the drive have not come
	FlagDocumentLate                        // came after later documents of the register
	FlagShiftNotOpened                      // no report opened the shift it stands in
	FlagUnregistered                        // of a drive whose registration has not come
	FlagSign                                // the fiscal sign on the paper is not the drive's
	FlagReregistered                        // registration data changed in an open shift, or with documents not delivered
	FlagMarkingOverdue                      // marked goods, while notifications of earlier sales wait in the drive for too long
	FlagGapFilled                           // the last of the missing documents before another one: its document_gap is settled
	FlagCardMade                            // gave the register a new version of its card
	FlagCorrection                          // corrects a receipt that is not there, that has other sums, or out of turn
	FlagFormat                              // a format that the register or its fiscal drive does not have
	FlagNoService                           // after the contract was over, and taken all the same
	flagEnd
)

var flagNames = []string{
	"replay", "late_replay", "line_sum", "total", "rounded", "payments", "change", "tax_sum", "tax_levels", "tax_rate",
	"clock_ahead", "clock_behind", "clock_backwards", "domain", "register_data", "service_missing", "position",
	"parent_missing", "buyer", "buyer_contact", "missing", "unit", "quantity", "cash_negative", "shift_too_long",
	"shift_gap", "shift_number", "shift_empty", "report_differs", "offline_code_reused", "repeated", "time_invalid",
	"sum_dropped", "counters_full", "payment_kind", "item", "shift_close_early", "uncounted", "document_gap", "document_late",
	"shift_not_opened", "unregistered", "sign", "reregistered", "marking_overdue",
	"gap_filled", "card_made", "correction", "format", "no_service",
}

// Has reports whether every flag of g is set.
func (f Flags) Has(g Flags) bool { return f&g == g }

// Names lists the set flags by their stable names.
func (f Flags) Names() []string {
	names := make([]string, 0, bits.OnesCount64(uint64(f)))
	for i, n := range flagNames {
		if f&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

// String is the names, joined by commas.
func (f Flags) String() string { return strings.Join(f.Names(), ",") }

// AllFlags lists every flag, for tests and locales.
func AllFlags() []Flags {
	var all []Flags
	for f := Flags(1); f < flagEnd; f <<= 1 {
		all = append(all, f)
	}
	return all
}
