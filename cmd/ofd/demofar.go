package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"openofd/internal/authority/marking"
	"openofd/internal/authority/sandbox"
	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/registry"
)

// demoFar is the authority that the demo's operator delivers to: that of
// `ofd authority`, in the same process and with a folder of its own.
type demoFar struct {
	*sandbox.Server
	URL string

	end     context.CancelFunc
	serving sync.WaitGroup
	err     error // of the door, once serving is over
}

// openDemoFar opens the authority and its door. An application waits for so long.
func openDemoFar(dir string, addr config.Addr, decide time.Duration, s *settings) (*demoFar, error) {
	if addr.HostPort == "" {
		return nil, withHint(errors.New("--authority-addr off: nobody would take what the demo delivers"), "Give an address like 127.0.0.1:7790")
	}
	known, err := demoKnown(s)
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", addr.HostPort)
	if err != nil {
		return nil, withHint(err, "Give --authority-addr another address")
	}
	server, err := sandbox.Open(context.Background(), sandbox.Config{
		Dir: filepath.Join(dir, "authority"), DecideAfter: decide, Known: known, Password: demoPassword,
		Marking: marking.New(kkt.NewSIM1(kkt.SIM1TestKey()), nil, time.Now), Log: s.Log,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("authority of the demo: %w", err), ln.Close())
	}
	f := &demoFar{Server: server, URL: localSite(ln)}
	ctx, end := context.WithCancel(context.Background())
	f.end = end
	f.serving.Go(func() { f.err = serveAuthority(ctx, server.Handler(), ln, s.Log) })
	return f, nil
}

// sendThere has an operator deliver to the authority by every way there is.
func (f *demoFar) sendThere(s *settings) {
	far := config.Far{URL: config.FarURL{URL: f.URL}}
	s.KGD, s.FNS, s.Marking = far, far, config.Marking{URL: f.URL}
}

// close comes after the operator has stopped.
func (f *demoFar) close() error {
	f.end()
	f.serving.Wait()
	return errors.Join(f.err, f.Close())
}

// Models of the demo's registers. They are invented, so that they stand in no
// register of models but the demo's own; those without a place on an
// authority's record are what it refuses.
const demoModels = `kz	Demo Market KZ	OpenOFD	device	2.0.3	wired
kz	Demo Pocket KZ	OpenOFD	device	2.0.3	wireless,wired
kz	` + demoUnknownModel + `	OpenOFD	device	2.0.2	wired
ru	Demo Grocery RU	OpenOFD	device	1.2	wired
ru	Demo Cafe RU	OpenOFD	device	1.05	wired
ru	` + demoUnknownRussian + `	OpenOFD	device	1.2	wired
`

const (
	demoUnknownModel   = "Demo Fort KZ"
	demoUnknownRussian = "Demo Kiosk RU"
)

// ownModels writes the demo's models where the operator reads its own.
func (s *settings) ownModels(dir string) error {
	s.Service.Models = filepath.Join(dir, "demo-models.tsv")
	return os.WriteFile(s.Service.Models, []byte(demoModels), 0o600)
}

// demoKnown are the models on the authority's record: those that everybody
// knows, and the demo's own but one in each country.
func demoKnown(s *settings) (known []sandbox.Known, err error) {
	own, err := models(s.Service.Models)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{demoUnknownModel: true, demoUnknownRussian: true}
	for _, m := range slices.Concat(own, registry.Models(fiscal.Kazakhstan), registry.Models(fiscal.Russia)) {
		if name := strings.TrimSpace(m.Name); !seen[name] {
			seen[name] = true
			known = append(known, sandbox.Known{Country: m.Country, Kind: "model", Name: name})
		}
	}
	return known, nil
}
