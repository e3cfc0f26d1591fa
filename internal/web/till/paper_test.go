package till_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"openofd/internal/fiscal"
	core "openofd/internal/till"
)

// pictures is a folder; with it TestPaper writes there what printers get.
var pictures = os.Getenv("TILL_PICTURES")

// asks asks the till for a page of a signed-in device.
func (s *shop) asks(method, path string) (status int, kind, body string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.site+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "till_session", Value: s.secret})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Content-Type"), string(b)
}

// device is a printer that keeps what it gets.
func device(t *testing.T) (addr string, got chan []byte, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got = make(chan []byte, 4)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			b, _ := io.ReadAll(conn) // what came is looked at
			_ = conn.Close()
			got <- b
		}
	}()
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String(), got, func() { _ = listener.Close() }
}

// picture is what a printer makes of its bytes; width in dots.
func picture(t *testing.T, b []byte, width int) *image.Gray {
	t.Helper()
	b, begun := bytes.CutPrefix(b, []byte{0x1B, '@'})
	img := image.NewGray(image.Rect(0, 0, width, 0))
	for begun && bytes.HasPrefix(b, []byte{0x1D, 'v', '0', 0}) {
		wide, rows := int(b[4])|int(b[5])<<8, int(b[6])|int(b[7])<<8
		if wide*8 != width {
			t.Fatalf("a band is %d dots wide, want %d", wide*8, width)
		}
		taller := image.NewGray(image.Rect(0, 0, width, img.Rect.Dy()+rows))
		copy(taller.Pix, img.Pix)
		for y := range rows {
			for x := range width {
				if b[8+y*wide+x/8]&(0x80>>(x%8)) == 0 {
					taller.SetGray(x, img.Rect.Dy()+y, color.Gray{Y: 255})
				}
			}
		}
		img, b = taller, b[8+wide*rows:]
	}
	if !bytes.Equal(b, []byte{0x1B, 'd', 4, 0x1D, 'V', 'B', 0}) {
		t.Fatalf("after the bands comes % x", b)
	}
	return img
}

// A receipt with every letter of Kazakh, an autonomous one and reports: as pages
// for printing, as PDF and on a receipt printer, in both widths.
//
// Req: E-006, E-118, E-140, E-141, E-149, E-150
func TestPaper(t *testing.T) {
	s := openShop(t)
	draft := core.Draft{ID: "paper-1", Op: fiscal.OpSale, Paid: core.Paid{Chosen: true, Taken: 5000_00},
		Lines: []core.Line{{Name: "Қымыз «Ә Ғ Қ Ң Ө Ұ Ү Һ І», бөтелкеде", Quantity: 2 * fiscal.OneUnit, Price: 1200_50}}}
	sold, err := s.Form(t.Context(), s.seat(), s.id, &draft, true)
	if err != nil {
		t.Fatal(err)
	}
	s.cut.Store(true)
	draft.ID = "paper-2"
	alone, err := s.Form(t.Context(), s.seat(), s.id, &draft, true)
	if err != nil {
		t.Fatal(err)
	}
	s.cut.Store(false)
	x, err := s.X(t.Context(), s.seat(), s.id)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what string
		id   int64
		want []string
	}{
		{"a receipt", sold.ID, []string{"ТОО «Дала»", "190340024183", "Қымыз «Ә Ғ Қ Ң Ө Ұ Ү Һ І»", "https://ofd.example", "paper58", sold.FiscalSign[:3], "Айгүл Серікқызы", "Продажа"}},
		{"an autonomous one", alone.ID, []string{"втоном", "OT260000000018"}},
		{"an X report", x.ID, []string{"190340024183", "Не фискальный документ"}},
	} {
		path := fmt.Sprintf("/document/%d", tt.id)
		status, _, page := s.asks(http.MethodGet, path+"/print?paper=58")
		for _, want := range tt.want {
			if status != http.StatusOK || !strings.Contains(page, want) {
				t.Errorf("%s for printing = %d, without %q", tt.what, status, want)
			}
		}
		for _, paper := range []string{"80", "58"} {
			if status, kind, b := s.asks(http.MethodGet, path+"/pdf?paper="+paper); status != http.StatusOK || kind != "application/pdf" || !strings.HasPrefix(b, "%PDF-") {
				t.Errorf("%s as PDF = %d %s", tt.what, status, kind)
			}
		}
	}
	if status, _, _ := s.asks(http.MethodPost, fmt.Sprintf("/document/%d/printer", sold.ID)); status != http.StatusNotFound {
		t.Errorf("without a printer = %d", status)
	}
	addr, got, stop := device(t)
	at, err := s.Register(t.Context(), s.seat(), s.id)
	if err != nil {
		t.Fatal(err)
	}
	at.Settings.Printer = addr
	if err := s.Set(t.Context(), s.seat(), s.id, at.Settings); err != nil {
		t.Fatal(err)
	}
	for _, id := range []int64{sold.ID, alone.ID, x.ID} {
		for paper, dots := range map[string]int{"80": 576, "58": 384} {
			if status, _, page := s.asks(http.MethodPost, fmt.Sprintf("/document/%d/printer?paper=%s", id, paper)); status != http.StatusSeeOther {
				t.Fatalf("printing = %d %s", status, page)
			}
			img := picture(t, <-got, dots)
			dark := bytes.Count(img.Pix, []byte{0})
			if share := dark * 100 / len(img.Pix); img.Rect.Dy() < 400 || share < 2 || share > 40 {
				t.Errorf("the paper of %d mm is %d dots long, %d %% of them dark", dots/8, img.Rect.Dy(), share)
			}
			if pictures == "" {
				continue
			}
			f, err := os.Create(fmt.Sprintf("%s/%d-%s.png", pictures, id, paper))
			if err != nil {
				t.Fatal(err)
			}
			if err := png.Encode(f, img); err != nil {
				t.Fatal(err)
			}
			_ = f.Close() // a picture to look at
		}
	}
	stop()
	if status, _, page := s.asks(http.MethodPost, fmt.Sprintf("/document/%d/printer", sold.ID)); status != http.StatusServiceUnavailable || !strings.Contains(page, "Принтер не отвечает") {
		t.Errorf("a printer that is off = %d %s", status, page)
	}
}
