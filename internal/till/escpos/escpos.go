// Package escpos prints pictures on receipt printers over the network.
//
// A document is sent as a picture and not as text, for printers differ in their
// code pages: hardly one has Ә, Ғ, Қ, Ң, Ө, Ұ, Ү, Һ and І, and none says which
// it has. GS v 0 is what all of them know.
//
// Source: Epson, ESC/POS command reference.
package escpos

import (
	"context"
	"fmt"
	"image"
	"net"
	"time"

	"openofd/internal/fiscal"
)

// band is how many rows a printer gets at once: small ones have little memory.
const band = 128

// dark is the gray below which a dot is printed.
const dark = 128

// Append writes a picture as a printer takes it, with a cut at the end. A row is
// padded to whole bytes.
func Append(b []byte, img *image.Gray) []byte {
	b = append(b, 0x1B, '@') // begin anew
	size := img.Bounds()
	wide := (size.Dx() + 7) / 8
	for top := 0; top < size.Dy(); top += band {
		rows := min(band, size.Dy()-top)
		b = append(b, 0x1D, 'v', '0', 0, byte(wide), byte(wide>>8), byte(rows), byte(rows>>8))
		for y := top; y < top+rows; y++ {
			for x := 0; x < wide*8; x += 8 {
				var bits byte
				for i := range 8 {
					if x+i < size.Dx() && img.GrayAt(size.Min.X+x+i, size.Min.Y+y).Y < dark {
						bits |= 0x80 >> i
					}
				}
				b = append(b, bits)
			}
		}
	}
	return append(b, 0x1B, 'd', 4, 0x1D, 'V', 'B', 0) // four lines on, and cut
}

// Open opens the cash drawer at the printer's socket: a pulse of 50 ms on pin 2,
// as drawers are wired. It goes before the picture, so that the drawer is open
// while the paper comes.
func Open(b []byte) []byte {
	return append(b, 0x1B, 'p', 0, 25, 250)
}

// Bounds of printing.
const (
	connectTime = 5 * time.Second
	printTime   = 30 * time.Second
)

// Print sends what Append wrote to a printer at host:port.
//
// Errors: Unavailable with the Field "printing", and in Msg what failed: connect
// or send. What was begun may be on paper.
func Print(ctx context.Context, addr string, b []byte) error {
	dialer := net.Dialer{Timeout: connectTime}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return unavailable("connect", err)
	}
	defer conn.Close()
	deadline := time.Now().Add(printTime)
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return unavailable("send", err)
	}
	if _, err := conn.Write(b); err != nil {
		return unavailable("send", err)
	}
	return nil
}

func unavailable(what string, err error) error {
	return &fiscal.Error{Of: fiscal.Unavailable, Field: "printing", Msg: what, Err: fmt.Errorf("printer: %w", err)}
}
