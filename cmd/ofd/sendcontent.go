package main

import (
	"errors"
	"fmt"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// sendContent is what a request made of flags says.
type sendContent struct {
	Sum      string   `group:"Content of --command" placeholder:"1500.50" help:"ticket: price of the one line; deposit, withdraw: the cash."`
	Name     string   `group:"Content of --command" default:"Тауар" help:"ticket: name of the goods."`
	Quantity string   `group:"Content of --command" default:"1" help:"ticket: how many; the total is price × quantity."`
	Unit     string   `group:"Content of --command" default:"796" help:"ticket: code of the unit; 796 is a piece, 116 a kilogram."`
	VAT      uint32   `name:"vat" group:"Content of --command" placeholder:"16" help:"ticket: rate of the tax contained in the price, in percent; 0 is none."`
	Pay      string   `group:"Content of --command" enum:"cash,card,mobile" default:"cash" help:"ticket: cash, card or mobile."`
	Offline  uint32   `group:"Content of --command" placeholder:"N" help:"ticket: autonomous number, as if it came from the queue."`
	Time     wallFlag `group:"Content of --command" placeholder:"2026-03-14T09:12:41" help:"The register's clock; now, in Kazakhstan."`
	Cashier  string   `group:"Content of --command" default:"Кассир" help:"Name of the cashier."`
	Login    string   `group:"Content of --command" help:"auth: login."`
	Password string   `group:"Content of --command" help:"auth: password."`
	Have     uint32   `group:"Content of --command" placeholder:"N" help:"nomenclature: version that the register has."`
	Barcode  string   `group:"Content of --command" help:"nomenclature: one element by its GTIN or NTIN; since 2.0.3."`
}

// wallFlag is a time of a register's clock on the command line.
type wallFlag struct{ fiscal.WallTime }

// build makes the request of a command.
func (c *sendContent) build(command string, v wire.Version, now time.Time) (*kkmpb.Request, error) {
	at := c.Time.WallTime
	if at == 0 {
		at = fiscal.WallIn(now, almaty)
	}
	by := &kkmpb.Operator{Code: new(uint32(1)), Name: &c.Cashier}
	msg := &kkmpb.Request{Command: sendCommands[command].Enum()}
	switch command {
	case "ticket":
		t, err := c.ticket(v, at)
		if err != nil {
			return nil, err
		}
		msg.Ticket = t
	case "deposit", "withdraw":
		sum, err := c.sum()
		if err != nil {
			return nil, err
		}
		kind := kkmpb.MoneyPlacementEnum_MONEY_PLACEMENT_DEPOSIT
		if command == "withdraw" {
			kind = kkmpb.MoneyPlacementEnum_MONEY_PLACEMENT_WITHDRAWAL
		}
		msg.MoneyPlacement = &kkmpb.MoneyPlacementRequest{Datetime: wire.NewTime(at), Operation: &kind, Sum: wire.NewMoney(sum), Operator: by}
	case "close-shift":
		msg.CloseShift = &kkmpb.CloseShiftRequest{CloseTime: wire.NewTime(at), Operator: by}
	case "report-x", "report-z":
		kind := kkmpb.ReportTypeEnum_REPORT_X
		if command == "report-z" {
			kind = kkmpb.ReportTypeEnum_REPORT_Z
		}
		msg.Report = &kkmpb.ReportRequest{Report: &kind, DateTime: wire.NewTime(at)}
	case "info", "system":
		msg.Service = &kkmpb.ServiceRequest{GetRegInfo: new(true)}
	case "auth":
		msg.Auth = &kkmpb.AuthRequest{Login: &c.Login, Password: &c.Password}
	case "nomenclature":
		msg.Nomenclature = &kkmpb.NomenclatureRequest{CurrentVersion: &c.Have}
		if c.Barcode != "" {
			msg.Nomenclature = &kkmpb.NomenclatureRequest{Barcode: &c.Barcode}
		}
	}
	return msg, nil
}

var sendCommands = map[string]kkmpb.CommandTypeEnum{
	"ticket": kkmpb.CommandTypeEnum_COMMAND_TICKET, "info": kkmpb.CommandTypeEnum_COMMAND_INFO,
	"system": kkmpb.CommandTypeEnum_COMMAND_SYSTEM, "report-x": kkmpb.CommandTypeEnum_COMMAND_REPORT,
	"report-z": kkmpb.CommandTypeEnum_COMMAND_REPORT, "close-shift": kkmpb.CommandTypeEnum_COMMAND_CLOSE_SHIFT,
	"deposit": kkmpb.CommandTypeEnum_COMMAND_MONEY_PLACEMENT, "withdraw": kkmpb.CommandTypeEnum_COMMAND_MONEY_PLACEMENT,
	"cancel": kkmpb.CommandTypeEnum_COMMAND_CANCEL_TICKET, "auth": kkmpb.CommandTypeEnum_COMMAND_AUTH,
	"nomenclature": kkmpb.CommandTypeEnum_COMMAND_NOMENCLATURE,
}

func (c *sendContent) sum() (fiscal.Money, error) {
	if c.Sum == "" {
		return 0, withHint(errors.New("how much?"), "Give --sum, like --sum 1500 or --sum 1500.50")
	}
	m, err := fiscal.ParseMoney(c.Sum)
	if err != nil {
		return 0, fmt.Errorf("--sum: %w", err)
	}
	return m, nil
}

// ticket is a sale of one line.
func (c *sendContent) ticket(v wire.Version, at fiscal.WallTime) (*kkmpb.TicketRequest, error) {
	price, err := c.sum()
	if err != nil {
		return nil, err
	}
	var quantity fiscal.Quantity
	if err := quantity.UnmarshalText([]byte(c.Quantity)); err != nil {
		return nil, fmt.Errorf("--quantity: %w", err)
	}
	total, err := fiscal.Cost(price, quantity)
	if err != nil {
		return nil, fmt.Errorf("--sum × --quantity: %w", err)
	}
	line := fiscal.Item{Kind: fiscal.ItemGoods, Name: c.Name, Unit: c.Unit, Price: price, Quantity: quantity, Cost: total}
	if c.VAT > 0 {
		percent := c.VAT * wire.PercentScale
		line.Taxes = []fiscal.Tax{{Kind: fiscal.KindVAT, Percent: percent, Sum: fiscal.IncludedTax(total, percent), Included: true}}
	}
	r := fiscal.Receipt{
		Op: fiscal.OpSale, Time: at, Cashier: fiscal.Cashier{Code: 1, Name: c.Cashier}, Items: []fiscal.Item{line}, Total: total,
		Payments: []fiscal.Payment{{Kind: map[string]fiscal.PayKind{"cash": fiscal.PayCash, "card": fiscal.PayCard, "mobile": fiscal.PayMobile}[c.Pay], Sum: total}},
	}
	if c.Pay == "cash" {
		r.Taken = total
	}
	t, err := kkm.Form{Version: v, Section: "1", TaxSystem: uint32(kkmpb.TaxationTypeEnum_RTS)}.Ticket(&r)
	if err == nil && c.Offline != 0 {
		t.OfflineTicketNumber = &c.Offline
	}
	return t, err
}
