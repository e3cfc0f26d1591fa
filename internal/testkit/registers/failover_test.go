package registers

import (
	"context"
	"testing"
	"time"

	"openofd/internal/store/postgres"
	"openofd/internal/testkit/pgcluster"
)

// TestFailover: the primary is killed under load and its standby promoted. The
// nodes find it by themselves, and nothing that was answered is lost.
func TestFailover(t *testing.T) {
	primary := pgcluster.Start(t, pgcluster.Options{})
	standby := primary.Standby(t)
	url := "postgres://postgres@" + primary.Addr() + "," + standby.Addr() + "/postgres?sslmode=disable"
	if err := postgres.Migrate(t.Context(), postgres.MigrateOptions{URL: url, Partitions: 8}); err != nil {
		t.Fatal(err)
	}
	direct, err := postgres.Open(t.Context(), postgres.Options{URL: url})
	o := &operator{store: closing(t, direct, err)}
	for range 2 {
		db, err := postgres.Open(t.Context(), postgres.Options{URL: url, Committers: 2})
		node := closing(t, db, err)
		o.node(t, node, node, 2)
	}
	c := o.crowd(t, 12, 0, o.addrs, o.drives)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		c.Run(ctx)
	}()
	wait := func(more int) time.Duration {
		t.Helper()
		began := time.Now()
		_, had := c.Recorder().Exchanges()
		for {
			if _, now := c.Recorder().Exchanges(); now >= had+more {
				return time.Since(began)
			}
			if time.Since(began) > time.Minute {
				t.Fatal("nothing is answered any more")
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	wait(200)
	primary.Kill()
	if err := standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	took := wait(100)
	cancel()
	<-ran
	n := o.settle(t, c)
	if took > 30*time.Second {
		t.Errorf("100 answers took %v after the promotion, want 30 s at most", took)
	}
	t.Logf("100 answers within %v of the promotion; %v", took, n)
}
