package testkit

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
)

// KKMOperator is the operator of the vectors.
var KKMOperator = fiscal.Operator{
	Title: fiscal.Text{KK: "Мысал ФДО", RU: "Пример ОФД", EN: "Example OFD"},
	Site:  "https://consumer.ofd.example",
	Ad:    fiscal.Ad{Kind: fiscal.AdOperator, Version: 12, Text: "Чекті тексеру / Проверка чека: consumer.ofd.example"},
}

// KKMDays are the vectors' registers with the flows to be played on each, in
// order.
func KKMDays() []KKMDay {
	return []KKMDay{
		{305512, []string{"day-203", "offline-203"}},
		{200145, []string{"domains-202"}},
		{100731, []string{"v124"}},
		{150020, []string{"v125"}},
	}
}

// KKMDay is a register and the flows it plays.
type KKMDay struct {
	Register fiscal.RegisterID
	Flows    []string
}

// KKMCard is the card of one of the vectors' registers.
func KKMCard(id fiscal.RegisterID) fiscal.Card {
	at := func(s string) time.Time {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			panic(err)
		}
		return t.UTC()
	}
	c := fiscal.Card{Register: id, Version: 1, Country: fiscal.Kazakhstan, Taxpayer: 1, Outlet: 1, Zone: "Asia/Almaty", Model: "Test KZ"}
	switch id {
	case 305512:
		c.RegistrationNumber, c.SerialNumber, c.XIN, c.OKED = "620300471826", "KZT26B00471826", "190340024183", "47111"
		c.Title = fiscal.Text{RU: "ТОО «Дала Сауда»"}
		c.LegalAddress = fiscal.Text{RU: "г. Алматы, пр. Абая, 150, оф. 12", KK: "Алматы қ., Абай даңғылы, 150, 12-кеңсе"}
		c.OutletTitle = fiscal.Text{RU: "Магазин «Дала» №3"}
		c.OutletAddress = fiscal.Text{RU: "г. Алматы, ул. Толе би, 59", KK: "Алматы қ., Төле би көшесі, 59"}
		c.Latitude, c.Longitude = 432567, 769286
		c.RegisteredAt = at("2026-03-14T08:00:00+05:00")
	case 200145:
		c.RegistrationNumber, c.SerialNumber, c.XIN, c.OKED = "010103004571", "SWK000141412", "150440015272", "47190"
		c.Title = fiscal.Text{RU: "ИП Ахметова Гүлнұр"}
		c.LegalAddress = fiscal.Text{RU: "г. Астана, ул. Кенесары, 40"}
		c.OutletTitle = fiscal.Text{RU: "Бутик «Ою»"}
		c.OutletAddress = fiscal.Text{RU: "г. Астана, ул. Кенесары, 40"}
		c.TaxSystem, c.VATPercent = 101, 12000
		c.RegisteredAt = at("2024-10-01T08:00:00+05:00")
	case 100731:
		c.RegistrationNumber, c.SerialNumber, c.XIN = "600300118254", "FR-0011825", "091140009342"
		c.Title = fiscal.Text{RU: "ТОО «Қазына Маркет»"}
		c.LegalAddress = fiscal.Text{RU: "г. Шымкент, пр. Тауке хана, 3"}
		c.RegisteredAt = at("2021-06-01T08:00:00+06:00")
	case 150020:
		c.RegistrationNumber, c.SerialNumber, c.XIN, c.OKED = "600300118255", "FR-0045512", "091140009342", "47111"
		c.Title = fiscal.Text{RU: "ТОО «Қазына Маркет»"}
		c.LegalAddress = fiscal.Text{RU: "г. Шымкент, пр. Тауке хана, 3"}
		c.RegisteredAt = at("2018-01-01T08:00:00+06:00")
	default:
		panic(fmt.Sprintf("the vectors have no register %d", id))
	}
	return c
}

// KKMCashier is the cashier of the vectors, and her password.
func KKMCashier() (fiscal.CashierLogin, string) {
	return fiscal.CashierLogin{
		Taxpayer: 1, Login: "aigul", Code: 1, Name: "Серікқызы Айгүл",
		Roles: []fiscal.CashierRole{fiscal.RoleCashier, fiscal.RoleChiefCashier},
	}, "құпия-сөз-1"
}

// KKMCatalog is the catalog that a flow asks for, nil if it asks for none.
func KKMCatalog(flow string) *fiscal.Catalog {
	day := func(y, m, d, h int) fiscal.WallTime { t, _ := fiscal.WallDate(y, m, d, h, 0, 0); return t }
	switch flow {
	case "offline-203":
		return &fiscal.Catalog{Version: 1, Created: day(2026, 3, 1, 0), Elements: []fiscal.CatalogElement{{
			ID: 100245, Title: fiscal.Text{RU: "Нан «Таба», 500 г", KK: "«Таба» наны, 500 г"},
			Barcode: "4870001234567", NTIN: "0200011223344", Unit: "796", Social: true,
		}}}
	case "domains-202":
		return &fiscal.Catalog{Version: 3, Created: day(2024, 10, 1, 12), Elements: []fiscal.CatalogElement{
			{ID: 1, Group: true, Title: fiscal.Text{RU: "Сүт өнімдері"}},
			{
				ID: 2, Parent: 1, Title: fiscal.Text{RU: "Айран 2,5%"}, Article: "A-17", Barcode: "4870001112223",
				PurchasePrice: 40000, SalePrice: 60000, DiscountPercent: 1500, TaxSystem: 101, VATPercent: 12000,
				UnitCount: 1000, UnitTitle: "литр", Fractional: true, Unit: "112",
			},
		}}
	}
	return nil
}

// KKMPlayer plays vectors against an operator, whatever stands behind it.
type KKMPlayer struct {
	T        *testing.T
	SetClock func(time.Time)
	// Send carries one frame there and the answer back; nil is a connection
	// closed without an answer.
	Send func(frame []byte) []byte
	// Token is the token that was issued for a register.
	Token func(fiscal.RegisterID) uint32
	// Block blocks a register with a text; an empty text takes the block off.
	Block func(fiscal.RegisterID, string)

	tokens map[uint32]uint32 // of the vectors, to the operator's
}

// kkmBlockText is why the operator of the vectors blocks.
const kkmBlockText = "Операции приостановлены по распоряжению органа государственных доходов / Операциялар мемлекеттік кірістер органының өкімімен тоқтатылды"

// Flow plays a flow in order and compares codes, tokens and payloads.
func (p *KKMPlayer) Flow(flow string) {
	p.T.Helper()
	vectors := KKMFlow(p.T, flow)
	for i, v := range vectors {
		if !v.Request() {
			continue
		}
		var want *Vector
		if i+1 < len(vectors) && !vectors[i+1].Request() {
			want = &vectors[i+1]
		}
		p.T.Run(v.Name, func(t *testing.T) { p.Step(t, v, want) })
	}
}

// Step plays one request; want is the vector of its answer, if there is one.
func (p *KKMPlayer) Step(t *testing.T, v Vector, want *Vector) {
	t.Helper()
	if now, ok := kkmTime(v); ok {
		p.SetClock(now)
	}
	switch v.Name {
	case "202-blocked-ticket-request":
		p.Block(200145, kkmBlockText)
	case "202-reserved-command-request":
		p.Block(200145, "")
	}
	frame := bytes.Clone(v.Frame)
	sent := binary.LittleEndian.Uint32(frame[12:])
	if v.Name == "202-unknown-id-request" {
		binary.LittleEndian.PutUint32(frame[8:], 999_999)
	} else {
		frame = p.WithToken(frame)
	}
	answer := p.Send(frame)
	if answer == nil {
		t.Fatalf("closed without an answer, want code %d", v.Want.Code)
	}
	code, text := kkmResult(answer)
	if code != v.Want.Code {
		t.Fatalf("code = %d (%s), want %d", code, text, v.Want.Code)
	}
	if code != 0 && text == "" {
		t.Error("refusal without a text")
	}
	if got, want := answer[2:4], frame[2:4]; !bytes.Equal(got, want) {
		t.Errorf("VERSION of the answer = %x, want %x", got, want)
	}
	if !bytes.Equal(answer[8:12], frame[8:12]) || !bytes.Equal(answer[16:18], frame[16:18]) {
		t.Errorf("ID or REQNUM of the answer differ: %x", answer[:18])
	}
	got := binary.LittleEndian.Uint32(answer[12:])
	if v.Want.Token == "same" && got != binary.LittleEndian.Uint32(frame[12:]) {
		t.Error("the answer has another token, want the one received")
	}
	if want == nil {
		return
	}
	p.learn(t, sent, binary.LittleEndian.Uint32(want.Frame[12:]), got, v.Want.Token)
	p.compare(t, v, *want, answer)
}

// WithToken puts the operator's token in the place of the vectors' own.
func (p *KKMPlayer) WithToken(frame []byte) []byte {
	theirs := binary.LittleEndian.Uint32(frame[12:])
	if p.tokens == nil {
		p.tokens = map[uint32]uint32{}
	}
	ours, ok := p.tokens[theirs]
	if !ok {
		ours = p.Token(fiscal.RegisterID(binary.LittleEndian.Uint32(frame[8:])))
		p.tokens[theirs] = ours
	}
	frame = bytes.Clone(frame)
	binary.LittleEndian.PutUint32(frame[12:], ours)
	return frame
}

// learn notes which token of the operator stands for which of the vectors.
func (p *KKMPlayer) learn(t *testing.T, sent, theirs, ours uint32, rule string) {
	t.Helper()
	if rule == "stored" {
		if was := p.tokens[theirs]; was != ours {
			t.Error("the repeated answer has another token than the first")
		}
		return
	}
	if theirs != sent {
		p.tokens[theirs] = ours
	}
}

// compare compares an answer with the vector's, but for what only an operator
// knows: texts, signs, times of an empty report.
func (p *KKMPlayer) compare(t *testing.T, v, want Vector, answer []byte) {
	t.Helper()
	var w, g map[string]any
	if err := json.Unmarshal(want.Message, &w); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(kkmJSON(t, answer), &g); err != nil {
		t.Fatal(err)
	}
	for _, m := range []map[string]any{w, g} {
		drop(m, "result", "result_text")
		drop(m, "ticket", "ticket_number")
		drop(m, "ticket", "qr_code")
		drop(m, "service", "last_document_info")
		if v.Name == "202-blocked-ticket-request" || v.Name == "202-blocked-system-poll-request" {
			drop(m, "service", "reg_info", "pos")
		}
		if strings.Contains(v.Name, "info-first") {
			drop(m, "report", "zx_report", "date_time")
		}
	}
	if a, b := canonical(g), canonical(w); a != b {
		t.Errorf("answer differs\n got %s\nwant %s", a, b)
	}
}

func drop(m map[string]any, path ...string) {
	for _, key := range path[:len(path)-1] {
		next, ok := m[key].(map[string]any)
		if !ok {
			return
		}
		m = next
	}
	delete(m, path[len(path)-1])
}

func canonical(m map[string]any) string {
	b, _ := json.MarshalIndent(m, "", " ")
	return string(b)
}

// kkmTime is when the operator gets the frame: the end of the autonomous
// period, or the document's own time.
func kkmTime(v Vector) (time.Time, bool) {
	type moment struct {
		Date struct{ Year, Month, Day int }
		Time struct{ Hour, Minute, Second int }
	}
	var m struct {
		Ticket struct {
			DateTime moment `json:"date_time"`
		}
		CloseShift struct {
			CloseTime moment `json:"close_time"`
		} `json:"close_shift"`
		Report struct {
			DateTime moment `json:"date_time"`
		}
		MoneyPlacement struct {
			Datetime moment
		} `json:"money_placement"`
		Service struct {
			OfflinePeriod struct {
				EndTime moment `json:"end_time"`
			} `json:"offline_period"`
		}
	}
	if len(v.Message) == 0 || json.Unmarshal(v.Message, &m) != nil {
		return time.Time{}, false
	}
	zone, err := time.LoadLocation("Asia/Almaty")
	if err != nil {
		panic(err)
	}
	for _, w := range []moment{m.Service.OfflinePeriod.EndTime, m.Ticket.DateTime, m.CloseShift.CloseTime, m.Report.DateTime, m.MoneyPlacement.Datetime} {
		if w.Date.Year >= 2000 {
			return time.Date(w.Date.Year, time.Month(w.Date.Month), w.Date.Day, w.Time.Hour, w.Time.Minute, w.Time.Second, 0, zone), true
		}
	}
	return time.Time{}, false
}

// KKMDeposit is a deposit of 1000.00 as the vectors that stand alone need it.
func KKMDeposit(t testing.TB) []byte {
	t.Helper()
	for _, v := range KKMFlow(t, "day-203") {
		if v.Name == "203-deposit-request" {
			// 20000.00 becomes 1000.00: both varints of the sum have bytes to spare.
			frame := bytes.Clone(v.Frame)
			old, _ := hex.DecodeString("08a09c01")
			at := bytes.LastIndex(frame, old)
			copy(frame[at:], []byte{0x08, 0xe8, 0x87, 0x00})
			return frame
		}
	}
	t.Fatal("no deposit among the vectors")
	return nil
}
