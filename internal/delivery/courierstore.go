package delivery

import (
	"context"
	"time"

	"openofd/internal/registry"
)

// CourierStore is what a courier asks of an engine. The applications themselves
// are the outbox: one that is signed is due in the very transaction that keeps
// its signature.
type CourierStore interface {
	registry.ApplicationStore
	// TakeApplications takes applications of a country whose time has come, with
	// their papers, the most overdue first. They are due again at until, so that
	// they go on if their taker dies; several nodes take different ones.
	TakeApplications(ctx context.Context, country string, now, until time.Time, limit int) ([]registry.Application, error)
	// KeepDecisions stores what decisions made of applications and how far they
	// have been read, in one transaction.
	//
	// Errors: StateMoved if an application, or the bookmark, has moved on.
	KeepDecisions(ctx context.Context, m registry.Bookmark, all []Decided) error
	// BookmarkOf is the place of a name; "" if it was never moved.
	BookmarkOf(ctx context.Context, name string) (string, error)
	// CountApplications counts a country's that are open; those signed before an
	// instant and not decided are overdue.
	CountApplications(ctx context.Context, country string, before time.Time) (ApplicationCounts, error)
}

// Decided is an application with its decision, and the event of it.
type Decided struct {
	Application registry.Application
	Event       registry.ApplicationEvent
}

// ApplicationCounts are for metrics.
type ApplicationCounts struct {
	Open    map[registry.ApplicationStatus]int64 // of Granted those whose register does not have it yet
	Overdue int64
}
