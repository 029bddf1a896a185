package pulse

// checkTables[k] is what a byte with k bytes behind it adds to a check: four bytes at a time take a quarter of the look-ups
// that wait for each other.
var checkTables = func() (tables [4][256]uint16) {
	for i := range tables[0] {
		crc := uint16(i) << 8
		for range 8 {
			carry := crc >> 15
			crc = crc<<1 ^ carry*0x1021
		}
		tables[0][i] = crc
	}
	for k := 1; k < len(tables); k++ {
		for i, before := range tables[k-1] {
			tables[k][i] = before<<8 ^ tables[0][before>>8]
		}
	}
	return tables
}()

// crc16 is CRC-16/CCITT-FALSE. It tells noise from a wrong key, no more: only the MAC is believed.
func crc16(b []byte) uint16 {
	crc := uint16(0xFFFF)
	t := &checkTables
	for ; len(b) >= 4; b = b[4:] {
		crc = t[3][byte(crc>>8)^b[0]] ^ t[2][byte(crc)^b[1]] ^ t[1][b[2]] ^ t[0][b[3]]
	}
	for _, c := range b {
		crc = crc<<8 ^ t[0][byte(crc>>8)^c]
	}
	return crc
}
