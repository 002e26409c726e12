package views

import (
	"image/color"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"

	"github.com/latchkey/latchkey/models"
)

// quietZone is how many light modules stand around a QR code.
const quietZone = 4

// qrCode is the drawing of a QR code: its side in modules, the quiet zone included, and the
// path of the dark ones. The zero qrCode is none.
type qrCode struct {
	Side int
	Path models.Secret
}

func (q qrCode) viewBox() string {
	side := strconv.Itoa(q.Side)
	return "0 0 " + side + " " + side
}

// newQRCode draws text, or nothing where it is too long for a QR code.
func newQRCode(text models.Secret) qrCode {
	code, err := qr.Encode(text.Reveal(), qr.M, qr.Auto)
	if err != nil {
		return qrCode{}
	}
	size := code.Bounds().Dx()
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			first := x
			for x < size && code.At(x, y) == color.Black {
				x++
			}
			if x > first {
				path.WriteString("M" + strconv.Itoa(first+quietZone) + " " + strconv.Itoa(y+quietZone) + "h" + strconv.Itoa(x-first) + "v1H" + strconv.Itoa(first+quietZone) + "z")
			}
		}
	}
	return qrCode{Side: size + 2*quietZone, Path: models.NewSecret(path.String())}
}
