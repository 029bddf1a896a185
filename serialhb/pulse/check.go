package pulse

// checkTable is CRC-16/CCITT-FALSE (polynomial 0x1021, from the top bit) of every byte.
var checkTable = func() (table [256]uint16) {
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			carry := crc >> 15
			crc = crc<<1 ^ carry*0x1021
		}
		table[i] = crc
	}
	return table
}()

// crc16 is CRC-16/CCITT-FALSE. It tells noise from a wrong key, no more: only the MAC is believed.
func crc16(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		crc = crc<<8 ^ checkTable[byte(crc>>8)^c]
	}
	return crc
}
