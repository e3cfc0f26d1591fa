package delivery

import (
	"context"
	"fmt"
	"time"

	"openofd/internal/fiscal"
)

// BatchTerm is how long the record of a batch is kept. It is for whoever looks
// into the last days; that a document was taken stands in the cursor, that it
// was not in the list of those put aside, and both stay for ever.
const BatchTerm = 8 * 24 * time.Hour

// clockSlack is how much longer records are kept, for an engine that refuses to
// remove younger ones looks at a clock of its own.
const clockSlack = 10 * time.Minute

// tidyStep is how many records one transaction removes at most.
const tidyStep = 2000

// Tidier is what tidying asks of an engine.
type Tidier interface {
	// ForgetBatches removes the oldest records of batches that were sent to an
	// authority before an instant, most of them at most. None is removed before its
	// BatchTerm, whatever is asked.
	ForgetBatches(ctx context.Context, authority string, p fiscal.Partition, before time.Time, most int) (int, error)
}

// Tidy removes the records of batches whose term is over, and tells how many
// they were. It may run on any node, at any time.
func (d *Delivery) Tidy(ctx context.Context) (removed int, err error) {
	positions, err := d.store.Cursors(ctx, d.ID())
	if err != nil {
		return 0, err
	}
	before := d.now().UTC().Add(-BatchTerm - clockSlack)
	for p := range positions {
		for {
			n, err := d.store.ForgetBatches(ctx, d.authority.Name(), p, before, tidyStep)
			if removed += n; err != nil {
				return removed, fmt.Errorf("forget batches of partition %d: %w", p, err)
			}
			if n < tidyStep {
				break
			}
		}
	}
	return removed, nil
}
