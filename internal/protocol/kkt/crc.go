package kkt

// CRC16 is CRC-16/CCITT-FALSE: polynomial 0x1021, begun with 0xFFFF, neither
// reflected nor inverted; of "123456789" it is 0x29B1. It guards the header of
// a message, the container and the registration number of a register.
//
// Source: KKT reference §2.4.
func CRC16(b []byte) uint16 { return crcUpdate(0xFFFF, b) }

// crcUpdate goes on with a sum over more bytes, eight at a time.
func crcUpdate(crc uint16, b []byte) uint16 {
	t := &crcTables
	for len(b) >= 8 {
		q := (*[8]byte)(b)
		crc = (t[7][q[0]^byte(crc>>8)] ^ t[6][q[1]^byte(crc)]) ^ // only these wait for the sum so far
			((t[5][q[2]] ^ t[4][q[3]]) ^ (t[3][q[4]] ^ t[2][q[5]]) ^ (t[1][q[6]] ^ t[0][q[7]]))
		b = b[8:]
	}
	for _, c := range b {
		crc = crc<<8 ^ t[0][byte(crc>>8)^c]
	}
	return crc
}

// crcTables is constant: row n holds the sums of one byte followed by n zeros.
var crcTables = makeCRCTables()

func makeCRCTables() (t [8][256]uint16) {
	const polynomial = 0x1021
	for i := range t[0] {
		crc := uint16(i) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ polynomial
			} else {
				crc <<= 1
			}
		}
		t[0][i] = crc
	}
	for n := 1; n < len(t); n++ {
		for i, crc := range t[n-1] {
			t[n][i] = crc<<8 ^ t[0][crc>>8]
		}
	}
	return t
}
