package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// marksKKT is what a command that sends had to do with marked goods.
type marksKKT struct {
	Marks    []markKKT   `json:"marks,omitempty"`
	Notified []noticeKKT `json:"notified,omitempty"` // notifications that were answered
	Unsent   int         `json:"notifications_waiting,omitempty"`
}

// markKKT is a code as it was checked.
type markKKT struct {
	Product string   `json:"product"` // GTIN and serial number
	Checked uint8    `json:"checked"` // mask
	Asked   bool     `json:"asked"`   // the marking system has answered
	Status  uint8    `json:"status,omitempty"`
	Outcome uint8    `json:"outcome"`
	Sign    ffd.Mark `json:"sign"` // as it is printed
}

// noticeKKT is a notification that was answered.
type noticeKKT struct {
	Number  uint32 `json:"number"`
	Outcome uint8  `json:"outcome"` // 0 accepted, 1 incorrect
	Result  *uint8 `json:"result,omitempty"`
}

// operation is what a sale or a return is on the wire, 0 for what is neither.
func (c *sendKKTCmd) operation() uint8 {
	switch c.Document {
	case "sale":
		return 1
	case "return":
		return 2
	}
	return 0
}

// scan has the codes checked. One that the marking system does not answer for
// may be sold nevertheless.
func (c *sendKKTCmd) scan(con *console, r *device.Register, out *marksKKT) ([]device.Code, error) {
	var codes []device.Code
	if c.operation() == 0 && c.Document != "ask" {
		return nil, nil
	}
	for _, text := range c.Mark {
		code, err := r.Scan(con.ctx, c.shop(), strings.ReplaceAll(text, "<GS>", "\x1d"), device.Planned(max(c.operation(), 1), false))
		switch {
		case errors.Is(err, fiscal.Unavailable) && code.Text != "":
			con.hint("The marking system did not answer: %v", err)
		case err != nil:
			return nil, err
		}
		p := code.Parsed()
		out.Marks = append(out.Marks, markKKT{p.Product, code.Checked, code.Asked, code.Status, code.Outcome, code.Mark()})
		codes = append(codes, code)
	}
	return codes, nil
}

// marked is a sale or return of items of which the first ones are marked.
func (c *sendKKTCmd) marked(shop device.Shop, operation uint8, prices []fiscal.Money, codes []device.Code) device.Document {
	const at10 = 2
	r := ffd.Receipt{Operation: operation}
	for i := range max(len(prices), len(codes)) {
		r.Items = append(r.Items, ffd.Item{Name: "Товар", Price: prices[min(i, len(prices)-1)], Rate: at10})
	}
	return shop.SettleMarked(ffd.FormReceipt, r, codes)
}

// notify sends the notifications that wait.
func (c *sendKKTCmd) notify(con *console, r *device.Register, out *marksKKT) error {
	done, err := r.Deliver(con.ctx, device.QueueNotifications)
	for _, d := range done {
		doc, broken := ffd.Parse(d.Document, ffd.V120)
		if broken != nil {
			return broken
		}
		var said ffd.MarkReceipt
		doc.Read(&said)
		out.Notified = append(out.Notified, noticeKKT{d.Number, said.Outcome, said.Result})
	}
	out.Unsent = r.Standing().UnsentNotifications
	return err
}

func (m *marksKKT) words(w io.Writer) {
	for _, c := range m.Marks {
		facts(w, "code "+strconv.QuoteToGraphic(c.Product), fmt.Sprintf("%s, checked %d, %s", c.Sign, c.Checked, c.said()))
	}
	for _, n := range m.Notified {
		said := "accepted"
		if n.Outcome != 0 {
			said = "found incorrect"
		}
		facts(w, "notification "+strconv.FormatUint(uint64(n.Number), 10), said+" by the marking system")
	}
	if m.Unsent > 0 {
		fmt.Fprintf(w, "%d notifications wait in the drive.\n", m.Unsent)
	}
}

// said is the marking system's answer in words.
func (c *markKKT) said() string {
	switch {
	case !c.Asked:
		return "the marking system did not answer"
	case c.Outcome == 1:
		return "the request was malformed"
	case c.Outcome == 2:
		return "the marking system does not know it"
	case c.Status == 1:
		return "may be sold"
	case c.Status == 3:
		return "its circulation is suspended"
	}
	return "must not be sold"
}
