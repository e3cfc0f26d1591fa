package escpos_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"io"
	"net"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/till/escpos"
)

// A picture of ten dots by 130 rows with a diagonal: its rows are padded to
// bytes, and it comes in two bands.
func TestAppend(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 10, 130))
	for y := range 130 {
		for x := range 10 {
			if x != y%10 {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	want := []byte{0x1B, '@'}
	for _, band := range []struct{ from, rows int }{{0, 128}, {128, 2}} {
		want = append(want, 0x1D, 'v', '0', 0, 2, 0, byte(band.rows), 0)
		for y := band.from; y < band.from+band.rows; y++ {
			row := uint16(0x8000) >> (y % 10)
			want = append(want, byte(row>>8), byte(row))
		}
	}
	want = append(want, 0x1B, 'd', 4, 0x1D, 'V', 'B', 0)
	if got := escpos.Open(nil); !bytes.Equal(got, []byte{0x1B, 'p', 0, 25, 250}) {
		t.Errorf("Open() = % x", got)
	}
	if got := escpos.Append(nil, img); !bytes.Equal(got, want) {
		t.Errorf("Append() = % x\nwant % x", got, want)
	}
}

// A printer gets the very bytes; where there is none, the error says so.
func TestPrint(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan []byte, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			got <- nil
			return
		}
		defer conn.Close()
		b, _ := io.ReadAll(conn) // what came is compared
		got <- b
	}()
	want := bytes.Repeat([]byte("receipt"), 50_000)
	if err := escpos.Print(t.Context(), listener.Addr().String(), want); err != nil {
		t.Fatal(err)
	}
	if b := <-got; !bytes.Equal(b, want) {
		t.Errorf("the printer got %d bytes, want %d", len(b), len(want))
	}
	var e *fiscal.Error

	// One that takes the connection and reads nothing: its paper is out.
	slow, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := escpos.Print(slow, listener.Addr().String(), make([]byte, 64<<20)); !errors.Is(err, fiscal.Unavailable) || !errors.As(err, &e) || e.Msg != "send" {
		t.Errorf("Print() to who does not read = %v, want Unavailable of sending", err)
	}
	addr := listener.Addr().String()
	_ = listener.Close()
	if err := escpos.Print(t.Context(), addr, want); !errors.Is(err, fiscal.Unavailable) || !errors.As(err, &e) || e.Field != "printing" || e.Msg != "connect" {
		t.Errorf("Print() to nobody = %v, want Unavailable of printing", err)
	}
}
