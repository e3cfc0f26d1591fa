package ui

import (
	"strconv"

	"rsc.io/qr"
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
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return QR{}, err
	}
	path := make([]byte, 0, 4*code.Size*code.Size) // a run of squares takes some 16 letters
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			if !code.Black(x, y) {
				continue
			}
			from := x
			for code.Black(x, y) { // nothing is black outside
				x++
			}
			path = strconv.AppendInt(append(path, 'M'), int64(from+quiet), 10)
			path = strconv.AppendInt(append(path, ' '), int64(y+quiet), 10)
			path = strconv.AppendInt(append(path, 'h'), int64(x-from), 10)
			path = strconv.AppendInt(append(path, "v1h-"...), int64(x-from), 10)
			path = append(path, 'z')
		}
	}
	return QR{Side: code.Size + 2*quiet, Path: string(path)}, nil
}
