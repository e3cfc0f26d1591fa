package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// byCommandLine is who acts when a command does.
const byCommandLine = "command line"

type registerCmd struct {
	Add        registerAddCmd        `cmd:"" help:"Register a device; prints its ID and token."`
	Token      registerTokenCmd      `cmd:"" help:"Give a register a new token; the old one is void at once."`
	Block      registerBlockCmd      `cmd:"" help:"Block a register; its device shows the text."`
	Unblock    registerUnblockCmd    `cmd:"" help:"Let a blocked register work again."`
	Deregister registerDeregisterCmd `cmd:"" help:"Take a register off the record for good; its data stay."`
	Card       registerCardCmd       `cmd:"" help:"Change what the registry says of a register."`
	Show       registerShowCmd       `cmd:"" help:"All that is known of a register."`
	Refused    registerRefusedCmd    `cmd:"" help:"What a register sent and was not accepted, newest first, and why."`
	List       registerListCmd       `cmd:"" help:"The registers, of one taxpayer or of all."`
}

// registerID is how the commands name a register.
type registerID struct {
	ID fiscal.RegisterID `arg:"" help:"The register's ID."`
}

type registerAddCmd struct {
	place
	Country string     `default:"kz" help:"Whose law the register lives under: kz or ru."`
	BIN     fiscal.XIN `name:"bin" aliases:"iin,inn" required:"" placeholder:"BIN" help:"BIN or IIN of the owner, in Russia --inn; who is new is made."`
	Model   string     `help:"Model of the device."`
	Serial  string     `help:"Factory number of the device; a register of Russia reports it."`
	cardFlags
}

// Validate asks for what nobody else will tell: a register of Russia reports
// itself.
func (c *registerAddCmd) Validate() error {
	var missing []string
	if c.Model == "" {
		missing = append(missing, "--model")
	}
	if c.Serial == "" {
		missing = append(missing, "--serial")
	}
	if len(missing) == 0 || fiscal.Country(c.Country) == fiscal.Russia {
		return nil
	}
	return fmt.Errorf("missing flags: %s", strings.Join(missing, ", "))
}

// token is what is typed into the device.
type issued struct {
	ID                 fiscal.RegisterID `json:"id"`
	Token              uint32            `json:"token,omitempty"`
	RegistrationNumber string            `json:"registration_number,omitempty"`
	Provisional        bool              `json:"provisional,omitempty"`
	Drive              string            `json:"drive,omitempty"`
	Taxpayer           fiscal.TaxpayerID `json:"taxpayer,omitempty"`
}

func (c *registerAddCmd) Run(con *console) error {
	card := fiscal.Card{}
	if err := c.apply(&card); err != nil {
		return err
	}
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	made, err := core.registry.AddRegister(con.ctx, registry.NewRegister{
		By: byCommandLine, Country: fiscal.Country(c.Country),
		XIN: c.BIN, Title: card.Title, LegalAddress: card.LegalAddress, OKED: card.OKED,
		TaxSystem: card.TaxSystem, VATPercent: card.VATPercent, VATCertificate: card.VATCertificate,
		OutletTitle: card.OutletTitle, OutletAddress: firstText(card.OutletAddress, card.LegalAddress),
		Latitude: card.Latitude, Longitude: card.Longitude, Zone: card.Zone,
		Name: card.Name, Model: c.Model, SerialNumber: c.Serial, Year: card.ManufactureYear,
		RegistrationNumber: card.RegistrationNumber, Drive: card.Drive, PaymentPoint: card.PaymentPoint, Terminal: card.Terminal,
		Options: card.Options,
	})
	switch {
	case err != nil && made.Card.Register != 0:
		return withHint(err, fmt.Sprintf("Issue a token with `ofd register token %d`", made.Card.Register))
	case err != nil:
		return told(err)
	}
	shown := issued{
		ID: made.Card.Register, Token: made.Token, RegistrationNumber: made.Card.RegistrationNumber,
		Provisional: made.Card.Provisional, Drive: made.Card.Drive, Taxpayer: made.Card.Taxpayer,
	}
	return con.result(shown, func(w io.Writer) {
		number := shown.RegistrationNumber
		if shown.Provisional {
			number += " (provisional)"
		}
		if shown.Drive != "" {
			facts(w, "register", strconv.FormatInt(int64(shown.ID), 10), "drive", shown.Drive, "registration number", number)
			con.hint("Documents of this drive are taken from now on; they come to --kkt-addr.")
			if shown.Provisional {
				con.hint("Its registration report tells registration number, factory number and address.")
			}
			return
		}
		facts(w, "register", strconv.FormatInt(int64(shown.ID), 10), "token", strconv.FormatUint(uint64(shown.Token), 10),
			"registration number", number, "server", reachable(con))
		con.hint("Type register, token and server into the device. The token is not shown again; `ofd register token %d` gives a new one.", shown.ID)
		if shown.Provisional {
			con.hint("When the authority has given its number: `ofd register card %d --rnm NUMBER`.", shown.ID)
		}
	})
}

// reachable guesses the address at which devices find this machine.
func reachable(con *console) string {
	host, port := "", "7777"
	if at := con.file.KKMAddr.HostPort; at != "" {
		host, port, _ = net.SplitHostPort(at)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		addrs, _ := net.InterfaceAddrs()
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
				host = n.IP.String()
				break
			}
		}
	}
	return net.JoinHostPort(host, port)
}

type registerTokenCmd struct {
	place
	registerID
}

func (c *registerTokenCmd) Run(con *console) error {
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	if _, err := core.register(con, c.ID); err != nil {
		return err
	}
	token, err := core.registry.Token(con.ctx, c.ID, byCommandLine)
	if err != nil {
		return refused(c.ID, err)
	}
	return con.result(issued{ID: c.ID, Token: token}, func(w io.Writer) {
		facts(w, "register", strconv.FormatInt(int64(c.ID), 10), "token", strconv.FormatUint(uint64(token), 10))
		con.hint("The old token is void. Type the new one into the device.")
	})
}

type registerBlockCmd struct {
	place
	registerID
	Text string `required:"" help:"Why, in the words that the device shows and prints."`
}

func (c *registerBlockCmd) Run(con *console) error {
	return c.act(con, c.place, "blocked", func(s *registry.Service) error {
		return s.Block(con.ctx, c.ID, byCommandLine, c.Text)
	})
}

type registerUnblockCmd struct {
	place
	registerID
}

func (c *registerUnblockCmd) Run(con *console) error {
	return c.act(con, c.place, "active", func(s *registry.Service) error {
		return s.Unblock(con.ctx, c.ID, byCommandLine)
	})
}

type registerDeregisterCmd struct {
	place
	registerID
	Yes bool `help:"Do not ask."`
}

func (c *registerDeregisterCmd) Run(con *console) error {
	return c.act(con, c.place, "deregistered", func(s *registry.Service) error {
		if err := c.ask(con, s); err != nil {
			return err
		}
		return s.Deregister(con.ctx, c.ID, byCommandLine)
	})
}

// ask has the person type the ID once more, for there is no way back.
func (c *registerDeregisterCmd) ask(con *console, s *registry.Service) error {
	if c.Yes {
		return nil
	}
	l, err := s.Show(con.ctx, c.ID)
	if err != nil {
		return err
	}
	con.say("%s, factory number %s, of %s will be taken off the record for good. Its data stay.", l.Card.Model, l.Card.SerialNumber, l.Card.Title.In("ru"))
	con.say("Type %d to confirm:", c.ID)
	line, err := bufio.NewReader(con.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the confirmation: %w", err)
	}
	if strings.TrimSpace(line) != strconv.FormatInt(int64(c.ID), 10) {
		return errors.New("not confirmed, so nothing was done")
	}
	return nil
}

// act runs what changes a register's status and shows the new one.
func (id registerID) act(con *console, at place, status string, do func(*registry.Service) error) error {
	core, err := openCore(con, at)
	if err != nil {
		return err
	}
	if _, err := core.register(con, id.ID); err != nil {
		return err
	}
	if err := do(core.registry); err != nil {
		return refused(id.ID, err)
	}
	shown := struct {
		ID     fiscal.RegisterID `json:"id"`
		Status string            `json:"status"`
	}{id.ID, status}
	return con.result(shown, func(w io.Writer) { fmt.Fprintf(w, "Register %d is %s.\n", id.ID, status) })
}

// register is a register that a command names.
func (c *core) register(con *console, id fiscal.RegisterID) (registry.Listed, error) {
	l, err := c.registry.Show(con.ctx, id)
	if errors.Is(err, fiscal.NotFound) {
		return l, withHint(fmt.Errorf("there is no register %d", id), "`ofd register list` shows what there is")
	}
	return l, err
}

// refused words why an act was not done to a register that is there.
func refused(id fiscal.RegisterID, err error) error {
	var e *fiscal.Error
	switch {
	case errors.Is(err, fiscal.RegisterDeregistered):
		return fmt.Errorf("register %d is deregistered, and that is for good", id)
	case errors.Is(err, fiscal.NothingThere) && errors.As(err, &e) && e.Msg != "":
		return fmt.Errorf("register %d: %s", id, e.Msg)
	case errors.Is(err, fiscal.OutcomeUnknown):
		return withHint(err, fmt.Sprintf("Look with `ofd register show %d` whether it was done", id))
	case errors.Is(err, fiscal.Unavailable), errors.Is(err, fiscal.Overloaded):
		return withHint(err, "Nothing was changed; try again")
	}
	return told(err)
}

type registerCardCmd struct {
	place
	registerID
	Model *string `help:"Model of the device, where none is written down."`
	cardFlags
}

func (c *registerCardCmd) Run(con *console) error {
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	before, err := core.register(con, c.ID)
	if err != nil {
		return err
	}
	card, err := core.registry.ChangeCard(con.ctx, c.ID, byCommandLine, func(card *fiscal.Card) error {
		set(&card.Model, c.Model)
		return c.apply(card)
	})
	if err != nil {
		return refused(c.ID, err)
	}
	return con.result(card, func(w io.Writer) {
		if card.Version == before.Card.Version {
			fmt.Fprintf(w, "The card of register %d says so already.\n", c.ID)
			return
		}
		fmt.Fprintf(w, "Register %d has version %d of its card.\n", c.ID, card.Version)
		if card.RegistrationNumber != before.Card.RegistrationNumber {
			con.hint("The new registration number voids the token: `ofd register token %d`.", c.ID)
		}
	})
}
