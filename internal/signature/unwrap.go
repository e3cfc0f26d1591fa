package signature

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
)

// unwrap returns the DER inside a file: signing programs write it as it is, as
// PEM, or as base64 alone.
func unwrap(file []byte) ([]byte, *Refusal) {
	// PEM and base64 are a third longer, and a little for the ends of lines.
	if len(file) > MaxFile/2*3 {
		return nil, refuse(TooLarge, "%d bytes; %d are the most", len(file), MaxFile)
	}
	if len(file) == 0 {
		return nil, refuse(Malformed, "an empty file")
	}
	if file[0] == 0x30 && bytes.IndexByte(file, 0) >= 0 { // a SEQUENCE; in text it would be the digit 0
		return file, nil
	}
	if bytes.HasPrefix(bytes.TrimSpace(file), []byte("-----BEGIN ")) {
		if block, _ := pem.Decode(file); block != nil && (block.Type == "CMS" || block.Type == "PKCS7") {
			return block.Bytes, nil
		}
		return nil, refuse(Malformed, "PEM without a block CMS or PKCS7")
	}
	text := bytes.Map(func(r rune) rune {
		if r == '\r' || r == '\n' || r == ' ' || r == '\t' {
			return -1
		}
		return r
	}, bytes.TrimPrefix(file, []byte("\ufeff")))
	b := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(b, text)
	if err != nil || n == 0 {
		return file, nil // let the parser say what is wrong
	}
	return b[:n], nil
}
