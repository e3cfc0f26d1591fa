package storetest

import (
	"context"
	"testing"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/delivery"
	"openofd/internal/follow"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/registry"
)

// Engine is an engine under test, on data of its own.
type Engine interface {
	journal.Store
	journal.SegmentStore
	intake.Store
	registry.OfficeStore
	registry.ContractFeed
	keyring.Store
	follow.Store
	delivery.Store
	delivery.ReportStore
	delivery.CourierStore
	access.Store
	cabinet.Tables

	// Shelf is what the cabinet reads, with the rights of pages.
	Shelf() cabinet.Shelf
	// DropCabinet empties the cabinet's tables.
	DropCabinet(ctx context.Context) error
	// Close ends the use of this handle.
	Close() error
	// Beside opens another handle on the same data, as another process would;
	// also after Close. It is closed when the test ends.
	Beside(t *testing.T) Engine
	// Exec runs a statement with the rights of the service.
	Exec(ctx context.Context, sql string) error
	// QueryInt is the one number that a statement gives.
	QueryInt(ctx context.Context, sql string) (int64, error)
}

// Run shows that an engine keeps its promises. open makes an empty installation
// and closes it when the test ends.
func Run(t *testing.T, open func(t *testing.T) Engine) {
	for _, test := range []struct {
		name string
		run  func(*world)
	}{
		{"ReadsBackWhatWasAppended", readsBack},
		{"OrderAndChains", orderAndChains},
		{"StaleIsLeftOutAlone", staleAlone},
		{"OneRegisterTwiceInABatch", twiceInABatch},
		{"UnknownRegisterIsStale", unknownIsStale},
		{"GapIsInvalid", gapIsInvalid},
		{"BadCommitStoresNothing", badCommit},
		{"StateMoves", stateMoves},
		{"CardComesWithItsCommit", cardWithCommit},
		{"NumbersLeadToEntries", numbersLead},
		{"DeviceNumbers", deviceNumbers},
		{"DriveNumbers", driveNumbers},
		{"Signs", signs},
		{"ScanPages", scanPages},
		{"MonthNeverGoesBack", monthForward},
		{"Fence", fence},
		{"SurvivesReopening", survives},
		{"TwoHandlesLoseNothing", twoHandles},
		{"ManyPartitionsInABatch", manyPartitions},
		{"CrossedBatchesDoNotBlock", crossed},
		{"ManyRegistrationsAtOnce", manyRegistrations},
		{"NothingCanBeChanged", nothingChanges},
		{"NothingAfterClose", nothingAfterClose},
		{"Taxpayers", taxpayers},
		{"Outlets", outlets},
		{"AddRegister", addRegister},
		{"AddRegisterIsAtomic", addRegisterAtomic},
		{"OldNumbersLead", oldNumbers},
		{"RegistersList", registersList},
		{"Cashiers", cashiers},
		{"Catalogs", catalogs},
		{"Keys", keys},
		{"RefusedIsBounded", refusedBounded},
		{"ContactsNewestWins", contactsNewest},
		{"People", people},
		{"Firsts", firsts},
		{"Proofs", proofs},
		{"Places", places},
		{"AuditChains", auditChains},
		{"APIKeys", apiKeys},
		{"Replies", replies},
		{"Inspectors", inspectors},
		{"Office", office},
		{"Applications", applications},
		{"ApplicationsOnTheirWay", applicationsOnTheirWay},
		{"PagesAreBounded", pagesBounded},
		{"CursorsMove", cursorsMove},
		{"OneFollowerMoves", oneMoves},
		{"Batches", batches},
		{"Leases", leases},
		{"Documents", documents},
		{"SearchesWalkByParts", searches},
		{"DocumentsScoped", documentsScoped},
		{"DocumentsAgain", documentsAgain},
		{"DaySummaries", daySummaries},
		{"SummariesGo", summariesGo},
		{"Reconciles", reconciles},
		{"Evenings", evenings},
		{"MonthsRetire", retires},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(newWorld(t, open(t))) })
	}
}
