package gateway

import "encoding/binary"

const (
	opcodeClose = 0x8
	// maxFrameHeader is the longest header of a frame: two bytes, a length of eight, a mask
	// of four.
	maxFrameHeader = 14
)

// frames follows one direction of a WebSocket from frame to frame (RFC 6455 section 5.2).
// What frames hold, it does not look at: a message that is compressed or in fragments has
// frames like any other, and a control frame may stand between any two of them.
type frames struct {
	header [maxFrameHeader]byte
	have   int
	// left is how much of the payload is still to come.
	left uint64
	// closed tells that a close frame has gone by, after which nothing may follow.
	closed bool
}

// between tells whether a frame may begin here.
func (f *frames) between() bool { return f.have == 0 && f.left == 0 }

// next takes what of p goes up to the end of one frame at most, and returns how much it is.
func (f *frames) next(p []byte) int {
	n := 0
	for f.left == 0 {
		if n == len(p) {
			return n
		}
		f.header[f.have] = p[n]
		f.have++
		n++
		if f.have == f.headerLength() {
			f.left = f.payload()
			if f.left == 0 {
				f.finish()
				return n
			}
		}
	}
	taken := min(uint64(len(p)-n), f.left) //nolint:gosec // n is no more than len(p)
	f.left -= taken
	if f.left == 0 {
		f.finish()
	}
	return n + int(taken) //nolint:gosec // no more than len(p)
}

// pass takes all of p.
func (f *frames) pass(p []byte) {
	for len(p) > 0 {
		p = p[f.next(p):]
	}
}

func (f *frames) finish() {
	f.closed = f.closed || f.header[0]&0xf == opcodeClose
	f.have = 0
}

func (f *frames) headerLength() int {
	if f.have < 2 {
		return maxFrameHeader
	}
	length := 2
	switch f.header[1] & 0x7f {
	case 126:
		length += 2
	case 127:
		length += 8
	}
	if f.header[1]&0x80 != 0 {
		length += 4 // the mask
	}
	return length
}

func (f *frames) payload() uint64 {
	switch length := f.header[1] & 0x7f; length {
	case 126:
		return uint64(binary.BigEndian.Uint16(f.header[2:]))
	case 127:
		return binary.BigEndian.Uint64(f.header[2:])
	default:
		return uint64(length)
	}
}
