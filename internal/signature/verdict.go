package signature

import "time"

// Verdict is a signature of which everything was checked.
type Verdict struct {
	Owner      Owner     `json:"owner"`
	Content    []byte    `json:"-"`        // what was signed; for an attached signature a part of the file's bytes
	Attached   bool      `json:"attached"` // the content was in the file
	Method     string    `json:"method"`   // as in "GOST R 34.10-2012, 256 bits"
	Digest     string    `json:"digest"`
	SignedAt   time.Time `json:"signed_at,omitzero"` // by the signer's clock; zero if not said
	JudgedAt   time.Time `json:"judged_at"`          // the instant for which the verdict holds
	Chain      []Link    `json:"chain"`              // from the signer's to the root
	Revocation bool      `json:"revocation_checked"` // every certificate of the chain was looked up in its issuer's list
}

// Link is one certificate of a chain.
type Link struct {
	Subject  string    `json:"subject"`
	Serial   string    `json:"serial"` // hexadecimal
	NotAfter time.Time `json:"not_after"`
	Encoded  []byte    `json:"-"` // DER, to be kept beside the signature
}

func links(chain []*certificate) []Link {
	out := make([]Link, len(chain))
	for i, c := range chain {
		out[i] = Link{Subject: issuedTo(c), Serial: serialOf(c.Certificate), NotAfter: c.NotAfter.UTC(), Encoded: c.Raw}
	}
	return out
}
