package main

import (
	"os"
	"os/signal"
	"syscall"

	"openofd/internal/config"
	"openofd/internal/observe"
)

type serveCmd struct {
	config.Serve
}

// Run serves until SIGINT or SIGTERM, then drains within 10 s; a second signal
// ends it at once. SIGHUP rereads the keys and the files of the TLS door.
func (c *serveCmd) Run(con *console) error {
	log, err := observe.NewLogger(con.talk, observe.LogConfig{})
	if err != nil {
		return err
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	file := *con.file
	file.Serve = c.Serve
	o, err := startOperator(con.ctx, settings{File: file, Log: log})
	if err != nil {
		return err
	}
	if c.Site.URL == "" {
		log.Warn("no site is set, so QR codes lead to this machine only; give --site", "site", o.Site)
	}
	log.Info("ready", "data", c.Data, "site", o.Site)

	for {
		select {
		case <-hup:
			if err := o.ports.reload(); err != nil {
				log.Error("files of the TLS door not taken over, the old ones hold", "err", err)
			}
			if err := o.ring.Reload(con.ctx); err != nil {
				log.Error("keys not reread, the old ones hold", "err", err)
				continue
			}
			log.Info("keys reread")
		case <-con.ctx.Done():
			log.Info("stopping")
			err := o.stop()
			log.Info("stopped")
			return err
		case err := <-o.failed:
			log.Error("a door failed, stopping", "err", err)
			if late := o.stop(); late != nil {
				log.Error("not stopped in good order", "err", late)
			}
			return err
		}
	}
}
