package gate

import "bytes"

// foreign names a peer that speaks something else, by its first bytes.
func foreign(head []byte) Cause {
	if len(head) >= 2 && head[0] == 0x16 && head[1] == 0x03 { // TLS record: handshake, version 3.x
		return CauseTLS
	}
	for _, method := range [...]string{"GET ", "HEAD ", "POST ", "PUT ", "OPTIONS ", "CONNECT ", "DELETE ", "PATCH ", "PRI * HTTP/2"} {
		if bytes.HasPrefix(head, []byte(method)) {
			return CauseHTTP
		}
	}
	return CauseForeign
}
