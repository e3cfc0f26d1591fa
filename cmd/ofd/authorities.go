package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"openofd/internal/authority/fns"
	"openofd/internal/authority/kgd"
	"openofd/internal/authority/link"
	"openofd/internal/config"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkt"
)

// forwarding is delivery to the authorities whose ways are known.
type forwarding struct {
	all []*delivery.Delivery
	kgd *kgd.Client // nil: its way is not known
	fns *fns.Client // likewise; a folder takes no applications
}

// registrars are the authorities that take applications, by whose registers they
// are about.
func (f *forwarding) registrars() map[fiscal.Country]delivery.Registrar {
	all := map[fiscal.Country]delivery.Registrar{}
	if f.kgd != nil {
		all[fiscal.Kazakhstan] = f.kgd
	}
	if f.fns != nil {
		all[fiscal.Russia] = f.fns
	}
	return all
}

// of is delivery to an authority; nil if its way is not known.
func (f *forwarding) of(authority string) *delivery.Delivery {
	for _, d := range f.all {
		if d.ID().Name == authority {
			return d
		}
	}
	return nil
}

// openForwarding opens the ways that the settings name. It does not connect.
func openForwarding(c *core, s *config.Serve, observer delivery.Observer) (f forwarding, err error) {
	if s.KGD.URL.URL != "" {
		if f.kgd, err = kgd.Open(linkTo(s.KGD), c.now); err != nil {
			return f, err
		}
		words := kgd.NewWording(c.openKazakh, c.store)
		f.all = append(f.all, delivery.New(words, f.kgd, c.store, observer, c.now))
	}
	var way delivery.Sender
	switch {
	case s.FNS.URL.URL != "" && s.FNSDir != "":
		return f, withHint(errors.New("two ways lead to Russia's tax service, and a document goes by one"), "Give --fns-url or --fns-dir")
	case s.FNS.URL.URL != "":
		f.fns, err = fns.Open(linkTo(s.FNS), c.now)
		way = f.fns
	case s.FNSDir != "":
		way, err = fns.OpenFiles(s.FNSDir)
	default:
		return f, nil
	}
	if err != nil {
		return f, err
	}
	words := fns.Wording{Documents: c.drives(), NoKey: noKey}
	f.all = append(f.all, delivery.New(words, way, c.store, observer, c.now))
	return f, nil
}

// openKazakh opens an entry of a register of Kazakhstan.
func (*core) openKazakh(rec *fiscal.Record) (fiscal.Document, error) { return kkm.Read(rec) }

func linkTo(f config.Far) link.Config {
	return link.Config{URL: f.URL.URL, Cert: f.Cert, Key: f.Key, CA: f.CA}
}

// noKey reports whether a document cannot be opened because no module of ours
// has its key, which no waiting changes.
func noKey(err error) bool {
	return errors.Is(err, kkt.ErrKeyUnavailable) || errors.Is(err, kkt.ErrUnknownDrive)
}

// farFlags are the ways to authorities, for commands that send by hand. The
// names are those of serve.
type farFlags struct {
	KGD       config.Far    `embed:"" prefix:"kgd-" envprefix:"OFD_KGD_" set:"far=Kazakhstan's tax authority"`
	FNS       config.Far    `embed:"" prefix:"fns-" envprefix:"OFD_FNS_" set:"far=Russia's tax service"`
	FNSDir    string        `name:"fns-dir" env:"OFD_FNS_DIR" type:"path" placeholder:"DIR" help:"Folder where documents for Russia's tax service are written."`
	KKTCrypto config.Crypto `name:"kkt-crypto" env:"OFD_KKT_CRYPTO" placeholder:"NAME" help:"Keys of fiscal drives, as ofd serve is told."`
}

// tidyEvery is how often the record of batches is cut.
const tidyEvery = time.Hour

// tidy cuts the record of batches that went to authorities until ctx ends.
func (f *forwarding) tidy(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		for _, d := range f.all {
			if n, err := d.Tidy(ctx); err != nil && ctx.Err() == nil {
				log.Warn("old records of batches stay for now", "authority", d.ID().Name, "err", err)
			} else if n > 0 {
				log.Debug("old records of batches are gone", "authority", d.ID().Name, "batches", n)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
