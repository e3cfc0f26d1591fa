package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// startCouriers carries applications to the authorities whose way is known.
func (o *operator) startCouriers(ctx context.Context, s *settings, ways *forwarding) error {
	metrics := newApplicationMetrics(s.Metrics, o.store, s.Now)
	for country, far := range ways.registrars() {
		name, err := o.installation(ctx)
		if err != nil {
			return err
		}
		cfg := s.Courier
		cfg.Installation, cfg.Country = name, country
		c := delivery.NewCourier(cfg, far, o.store, o.registry, o.log, metrics, s.Now, rand.Int64N)
		o.followers.running.Go(func() { c.Run(ctx) })
	}
	return nil
}

// installation is the name by which authorities tell this installation's
// applications from another's. It is made once, by chance, and never changes.
func (c *core) installation(ctx context.Context) (string, error) {
	const bookmark = "installation"
	for {
		name, err := c.store.BookmarkOf(ctx, bookmark)
		if err != nil || name != "" {
			return name, err
		}
		var b [8]byte
		if _, err := io.ReadFull(c.rand, b[:]); err != nil {
			return "", fmt.Errorf("name the installation: %w", err)
		}
		err = c.store.MoveBookmark(ctx, registry.Bookmark{Name: bookmark, To: hex.EncodeToString(b[:]), At: c.now()})
		if err != nil && !errors.Is(err, fiscal.StateMoved) { // another node was faster: its name holds
			return "", err
		}
	}
}
