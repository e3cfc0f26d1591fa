package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/mail"
	"openofd/internal/registry"
	"openofd/internal/signature"
	"openofd/internal/web"
	"openofd/internal/web/room"
)

// rooms are the people's side of an operator: who they are, and the letters to
// them.
type rooms struct {
	access *access.Service
	mailer *mail.Mailer
	end    context.CancelFunc
	ended  chan struct{}
	judge  *signature.Verifier // nil: no roots are set
	office *registry.Office
	// evenings are what staff see of days that are over.
	evenings *eveningRoom
}

// openRooms makes what stands behind the pages of people who sign in.
func (o *operator) openRooms(s *settings, self fiscal.Operator) (web.Rooms, error) {
	sender, err := sender(s)
	if err != nil {
		return web.Rooms{}, err
	}
	r := &o.rooms
	if r.mailer, err = mail.New(sender, self, o.Site, s.Log, s.Now); err != nil {
		return web.Rooms{}, err
	}
	var judge registry.Judge
	if roots := s.Signature.Roots; roots != "" {
		cfg := signature.Config{Roots: os.DirFS(roots), Now: s.Now}
		if s.Signature.CRL != "" {
			cfg.CRLs = os.DirFS(s.Signature.CRL)
		}
		if r.judge, err = signature.Open(cfg); err != nil {
			r.mailer.Close()
			return web.Rooms{}, fmt.Errorf("read [signature]: %w", withHint(err, "docs/signatures.md says where the authorities publish their certificates and lists"))
		}
		judge = r.judge
	}
	r.access, err = access.New(access.Config{Issuer: self.Title.In("ru"), Closed: s.Access.Closed, Site: o.Site, Judge: judge, HideInspections: s.Access.HideInspections}, o.store, r.mailer, access.NewPasswords(0, s.Rand), o.ring, s.Now, s.Rand)
	if err != nil {
		r.mailer.Close()
		return web.Rooms{}, fmt.Errorf("open the rooms: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.end, r.ended = cancel, make(chan struct{})
	go o.sweep(ctx)
	w := web.Rooms{
		Access: r.access, Known: known{o.store}, Zone: almaty,
		NoMail: s.Letters == nil && s.Mail.Server == "", Secure: strings.HasPrefix(o.Site, "https://"),
	}
	w.Office, w.DemoSign = registry.NewOffice(o.registry, o.store, r.access, judge, self, s.Now), s.DemoSign
	own, err := models(s.Service.Models)
	if err != nil {
		r.close()
		return web.Rooms{}, err
	}
	w.Office.AddModels(own)
	r.office = w.Office
	fresh := &freshness{store: o.store, now: s.Now}
	w.Documents = room.Documents{Questions: cabinet.NewQuestions(o.store.shelf, o.read), AsOf: fresh.AsOf, Outlets: o.store.Outlets, Example: s.DemoSign != nil}
	w.Desk = staffDesk{o.core}
	w.Archive = inspectDesk{staffDesk{o.core}}
	ways, err := openForwarding(o.core, &s.Serve, nil)
	if err != nil {
		r.close()
		return web.Rooms{}, err
	}
	w.Forwarding = &forwardingRoom{o.core, ways}
	if r.evenings, err = o.openEvenings(s); err != nil {
		r.close()
		return web.Rooms{}, err
	}
	w.Evenings = r.evenings
	if s.Letters != nil {
		w.Letters = func() (all []room.Letter) {
			for _, l := range s.Letters.Letters() {
				all = append(all, room.Letter(l))
			}
			return all
		}
	}
	return w, nil
}

// sender hands letters over as the settings say.
func sender(s *settings) (mail.Sender, error) {
	if s.Letters != nil {
		return s.Letters, nil
	}
	if err := s.Mail.Check(); err != nil {
		return nil, withHint(err, "Write server = \"host:587\" and from = \"…@…\" under [mail] in ofd.toml")
	}
	if s.Mail.Server == "" {
		return noMail{}, nil
	}
	password, err := s.Mail.Password()
	if err != nil {
		return nil, err
	}
	return mail.SMTP{Addr: s.Mail.Server, From: s.Mail.From, User: s.Mail.User, Password: password, Plain: s.Mail.Plain}, nil
}

// noMail is an installation that can send no letters.
type noMail struct{}

func (noMail) Deliver(context.Context, mail.Letter) error {
	return errors.New("no mail server is set: write server and from under [mail] in ofd.toml")
}

// sweepEvery is how often sessions that ended are removed.
const sweepEvery = 10 * time.Minute

// sweep removes sessions that ended, and reads the authorities' lists again.
func (o *operator) sweep(ctx context.Context) {
	defer close(o.rooms.ended)
	for tick := time.NewTicker(sweepEvery); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
			if _, err := o.rooms.access.Sweep(ctx); err != nil {
				o.log.Warn("ended sessions not removed", "err", err)
			}
			if o.rooms.judge == nil {
				continue
			}
			if err := o.rooms.judge.Reload(); err != nil { // lists are issued every day
				o.log.Warn("authorities of signatures not read again", "err", err)
			}
		}
	}
}

// close ends what runs behind the rooms.
func (r *rooms) close() {
	if r.access == nil {
		return
	}
	r.end()
	<-r.ended
	if r.evenings != nil {
		r.evenings.close()
	}
	r.mailer.Close()
}

// known names organizations.
type known struct{ store database }

// Organization reads a taxpayer as pages show it.
func (k known) Organization(ctx context.Context, t fiscal.TaxpayerID) (room.Organization, error) {
	of, err := k.store.TaxpayerOf(ctx, t)
	if err != nil {
		return room.Organization{}, err
	}
	zone, err := time.LoadLocation(registry.ZoneOf(of.Country))
	if err != nil {
		return room.Organization{}, err
	}
	return room.Organization{Title: of.Title, Zone: zone}, nil
}
