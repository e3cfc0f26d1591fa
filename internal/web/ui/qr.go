package ui

import (
	"strconv"
	"strings"

	"github.com/skip2/go-qrcode"
)

// QR is a QR code as a path of a drawing of Side × Side squares, quiet zone
// included. It stands in the page itself, so that nothing else is fetched.
type QR struct {
	Side int
	Path string
}

// quiet is the margin that readers need, in modules.
const quiet = 4

// NewQR makes the code of a text. A sixth of it may be unreadable.
func NewQR(text string) (QR, error) {
	code, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return QR{}, err
	}
	code.DisableBorder = true
	bitmap := code.Bitmap()
	var path strings.Builder
	for y, row := range bitmap {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			from := x
			for x < len(row) && row[x] {
				x++
			}
			run := strconv.Itoa(x - from)
			path.WriteString("M" + strconv.Itoa(from+quiet) + " " + strconv.Itoa(y+quiet) + "h" + run + "v1h-" + run + "z")
		}
	}
	return QR{Side: len(bitmap) + 2*quiet, Path: path.String()}, nil
}
