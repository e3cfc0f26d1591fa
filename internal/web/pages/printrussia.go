package pages

import (
	"strconv"

	"openofd/internal/web/pdf"
	"openofd/internal/web/ui"
)

// ru are the words of a key in the reader's language and in Russian, which is
// the receipt's own.
func (p *printer) ru(key string) string {
	s := p.l.T(key)
	if also := p.all["ru"].T(key); p.l.Lang != "ru" && also != s {
		s += " / " + also
	}
	return s
}

func (p *printer) titled(q *ui.Requisite) string {
	if key := "requisite." + q.Key; q.Key != "" && p.l.Lang != "ru" && p.all["ru"].Has(key) {
		if also := p.all["ru"].T(key); also != q.Title {
			return q.Title + " / " + also
		}
	}
	return q.Title
}

// russian is the receipt of the template "paper".
// Sources: law 54-FZ article 4.7, order ED-7-20/662@.
func (p *printer) russian(r *paper) {
	l := p.l
	p.Text(r.Seller, heading)
	p.Text(l.T("requisite.userInn")+" "+r.INN, centered)
	for i := range r.Place {
		p.Text(p.titled(&r.Place[i]), caption)
		p.Text(r.Place[i].Value, centered)
	}
	p.Rule()
	p.Text(p.ru(r.Form()), heading)
	p.Text(p.ru(r.Operation()), pdf.Style{Center: true, Strong: true, Size: pdf.Large})
	p.requisites(r.Correction, pdf.Style{})
	p.Gap()
	p.requisites(r.Head, pdf.Style{})
	p.Row(p.ru("requisite.dateTime"), r.Time, pdf.Style{})
	p.Rule()
	for i := range r.Goods[:min(len(r.Goods), maxPrinted)] {
		p.goods(&r.Goods[i])
	}
	p.cut(len(r.Goods), r.Link)
	p.Rule()
	p.Row(p.ru("receipt.total.ru"), l.Rubles(r.Document.Receipt.Total), large)
	for _, way := range r.Pays {
		p.Row(p.ru(way.Key), l.Rubles(way.Sum), strong)
	}
	p.requisites(r.Taxes, pdf.Style{})
	for _, list := range [][]ui.Requisite{r.Cashless, r.Agent, r.Buyer, r.Rest, r.Device} {
		if len(list) > 0 {
			p.Rule()
			p.requisites(list, pdf.Style{})
		}
	}
	p.Rule()
	if r.Site != "" {
		p.Text(p.ru("requisite.fnsUrl")+" "+r.Site, centered)
	}
	p.Text(l.T("receipt.operator"), caption)
	p.Text(r.Operator.Title.In("ru"), centered)
	if r.Operator.INN != "" {
		p.Text(l.T("operator.inn")+" "+string(r.Operator.INN), centered)
	}
}

// requisites are rows; a group has its title above its rows.
func (p *printer) requisites(list []ui.Requisite, st pdf.Style) {
	for i := range list {
		q := &list[i]
		if len(q.Children) == 0 {
			p.Row(p.titled(q), q.Value, st)
			continue
		}
		p.Text(p.titled(q), st)
		in := st
		in.Inner = true
		p.requisites(q.Children, in)
	}
}

func (p *printer) goods(g *goods) {
	name := strconv.Itoa(g.Place) + ". "
	if g.Mark != "" {
		name += g.Mark + " "
	}
	name += g.Name
	if g.Storno {
		name += " (" + p.l.T("item.storno") + ")"
	}
	p.Text(name, pdf.Style{})
	quantity := p.l.Quantity(g.Quantity)
	if g.Measure != "" {
		quantity += " " + g.Measure
	}
	p.Row(quantity+" × "+p.l.Amount(g.Price), p.l.Amount(g.Cost), pdf.Style{Inner: true})
	p.details(g.Details)
	p.details(g.More)
}

// details of goods: amounts at the right, the rest in running text.
func (p *printer) details(list []ui.Requisite) {
	for i := range list {
		switch q := &list[i]; {
		case len(q.Children) > 0:
			p.Text(q.Title, beside)
			p.details(q.Children)
		case q.Sum:
			p.Row(q.Title, q.Value, beside)
		case q.Value == "":
			p.Text(q.Title, beside)
		default:
			p.Text(q.Title+": "+q.Value, beside)
		}
	}
}
