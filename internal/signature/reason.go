package signature

import (
	"strings"

	"openofd/internal/fiscal"
)

// Reason says why a signature is not accepted. The set is closed.
type Reason uint8

// The reasons, in the order in which a signature is looked at.
const (
	NoReason Reason = iota

	// The file.
	TooLarge      // larger than our limit
	Malformed     // not the bytes of a CMS signature
	BER           // CMS in the loose encoding BER
	NotSigned     // CMS of another kind, or not a signature of data
	NoSigner      // nobody signed
	SeveralSigned // more than one signed
	NoCertificate // the signer's certificate is not enclosed

	// What was signed.
	NoContent      // neither in the file nor beside it
	ContentDiffers // the file holds one content, another was given
	NoAttributes   // the signed attributes are missing, or some of them
	DigestDiffers  // the content is not what was signed

	// The arithmetic.
	UnknownAlgorithm // an algorithm that we do not know
	WeakAlgorithm    // an algorithm or key that proves nothing today
	WrongSignature   // the signature does not belong to the certificate

	// The times.
	SignedAhead      // the signing time has not come yet
	SignedOutOfTerm  // the signing time is outside of the certificate's term
	NotYetValid      // the certificate's term has not begun
	Expired          // the certificate's term is over
	AuthorityExpired // the same of the authority's certificate

	// The trust.
	Untrusted         // no chain to a root of ours
	BrokenChain       // an authority in the chain may not issue
	UnknownExtension  // a critical extension that we do not know
	WrongUsage        // the key is not for signing documents
	Revoked           // the certificate was revoked
	AuthorityRevoked  // the authority's certificate was revoked
	RevocationUnknown // there is no revocation list of the issuer
	RevocationStale   // the list is too old

	// The owner.
	NoIdentity    // neither IIN, BIN nor INN in the certificate
	OtherTaxpayer // signed for another taxpayer
	PersonalKey   // a person's key, where the organization's is asked for
	NoRightToSign // an employee who may not sign for the organization
	OtherKeyKind  // RSA where GOST is asked for, or the other way round

	reasonCount
)

// reasons say for each reason what the caller can do, and in English what is
// wrong and what the signer does about it. Doors with more languages have texts
// of their own under the name.
var reasons = [reasonCount]struct {
	name   string
	kind   fiscal.Kind
	what   string
	advice string
}{
	NoReason: {"none", fiscal.Internal, "", ""},

	TooLarge:      {"too_large", fiscal.Invalid, "The signature file is too large.", "Sign the document itself, not an archive of documents; keep the content beside the signature (detached)."},
	Malformed:     {"malformed", fiscal.Invalid, "This is no signature file.", "Choose the file that the signing program wrote (CMS, usually .p7s, .cms or .sig), not the document and not the key."},
	BER:           {"ber", fiscal.Invalid, "The signature is written in BER, which can be read in two ways.", "Have the program write DER, or convert: openssl cms -cmsout -inform DER -in FILE -outform DER -out NEW."},
	NotSigned:     {"not_signed", fiscal.Invalid, "The file holds no signature of a document.", "Choose \"sign\", not \"encrypt\" or \"time stamp\", in the signing program."},
	NoSigner:      {"no_signer", fiscal.Invalid, "Nobody has signed: the file holds certificates only.", "Sign the document and send the new file."},
	SeveralSigned: {"several_signed", fiscal.Invalid, "More than one signature is in the file.", "Send one file for each signer."},
	NoCertificate: {"no_certificate", fiscal.Invalid, "The signer's certificate is not in the file.", "Have the signing program enclose the certificate and sign again."},

	NoContent:      {"no_content", fiscal.Invalid, "The signature holds no document, and none was given beside it.", "Give the document that was signed as well."},
	ContentDiffers: {"content_differs", fiscal.Invalid, "The document in the signature is another one.", "Sign the very file that was offered for signing."},
	NoAttributes:   {"no_attributes", fiscal.Invalid, "The signature does not say what kind of content it signs.", "Sign with the usual settings (CAdES-BES, with signed attributes)."},
	DigestDiffers:  {"digest_differs", fiscal.Invalid, "The document was changed after it was signed, or it is another one.", "Take the document again as it was offered, change nothing in it, and sign it."},

	UnknownAlgorithm: {"unknown_algorithm", fiscal.Invalid, "The signature uses an algorithm that is not supported.", "Sign with a key of the national authority: RSA or GOST."},
	WeakAlgorithm:    {"weak_algorithm", fiscal.Denied, "The signature uses an algorithm that is no longer safe.", "Get a new key from the authority and sign with it."},
	WrongSignature:   {"wrong_signature", fiscal.Invalid, "The signature was not made with the key of the certificate.", "The file is damaged or forged: sign again."},

	SignedAhead:      {"signed_ahead", fiscal.Invalid, "The signature bears a time that has not come yet.", "Set the clock of the computer and sign again."},
	SignedOutOfTerm:  {"signed_out_of_term", fiscal.Denied, "The document was signed when the certificate was not valid.", "Set the clock of the computer, or get a new certificate, and sign again."},
	NotYetValid:      {"not_yet_valid", fiscal.Denied, "The certificate is not valid yet.", "Wait until its term begins, or sign with another one."},
	Expired:          {"expired", fiscal.Denied, "The certificate has expired.", "Get a new certificate from the authority and sign again."},
	AuthorityExpired: {"authority_expired", fiscal.Denied, "The certificate of the authority that issued the key is not valid at this time.", "Get a new certificate from the authority and sign again."},

	Untrusted:         {"untrusted", fiscal.Denied, "The certificate was not issued by an authority that we trust.", "Sign with a key of the national authority. If it is one, have the signing program enclose the authority's certificates."},
	BrokenChain:       {"broken_chain", fiscal.Denied, "The certificate was issued by someone who may not issue certificates.", "Sign with a key of the national authority."},
	UnknownExtension:  {"unknown_extension", fiscal.Denied, "The certificate holds a restriction that is not understood.", "Sign with a key of the national authority for documents."},
	WrongUsage:        {"wrong_usage", fiscal.Denied, "This key is not for signing documents.", "Choose the key for signatures, not the one for signing in (its file name begins with AUTH)."},
	Revoked:           {"revoked", fiscal.Denied, "The certificate was revoked.", "Get a new certificate from the authority and sign again."},
	AuthorityRevoked:  {"authority_revoked", fiscal.Denied, "The certificate of the authority that issued the key was revoked.", "Get a new certificate from the authority and sign again."},
	RevocationUnknown: {"revocation_unknown", fiscal.Unavailable, "Whether the certificate was revoked cannot be told: the list of the authority is not here.", "Try again later; the operator has to fetch the list."},
	RevocationStale:   {"revocation_stale", fiscal.Unavailable, "Whether the certificate was revoked cannot be told: the list of the authority is too old.", "Try again later; the operator has to fetch a new list."},

	NoIdentity:    {"no_identity", fiscal.Denied, "The certificate names neither an IIN, a BIN nor an INN.", "Sign with a key that the national authority issued to you or your organization."},
	OtherTaxpayer: {"other_taxpayer", fiscal.Denied, "The key belongs to another taxpayer.", "Sign with the key of the taxpayer named in the document."},
	PersonalKey:   {"personal_key", fiscal.Denied, "This is a person's key; an organization signs with its own.", "Choose the key of the organization (with its BIN or OGRN)."},
	NoRightToSign: {"no_right_to_sign", fiscal.Denied, "The owner of the key may not sign for the organization.", "Have the head sign, or an employee whose certificate gives the right to sign."},
	OtherKeyKind:  {"other_key_kind", fiscal.Denied, "A key of another kind is asked for here.", "Organizations sign with a GOST key, persons with the kind that the page names."},
}

// Kind says what the caller can do about the reason.
func (r Reason) Kind() fiscal.Kind {
	if r < reasonCount {
		return reasons[r].kind
	}
	return fiscal.Internal
}

// String is the reason's stable name, for logs, metrics, JSON and locale keys.
func (r Reason) String() string {
	if r < reasonCount {
		return reasons[r].name
	}
	return "unknown_reason"
}

// Error makes a Reason usable as a target of errors.Is.
func (r Reason) Error() string { return strings.ReplaceAll(r.String(), "_", " ") }

// Unwrap lets errors.Is find the Kind behind a Reason.
func (r Reason) Unwrap() error { return r.Kind() }

// MarshalText gives a reason to JSON by its name.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// What says in English what is wrong, in one sentence or two.
func (r Reason) What() string {
	if r < reasonCount {
		return reasons[r].what
	}
	return ""
}

// Advice says in English what the signer does about it.
func (r Reason) Advice() string {
	if r < reasonCount {
		return reasons[r].advice
	}
	return ""
}

// Reasons lists every reason but NoReason, for the texts of the doors and
// their tests.
func Reasons() []Reason {
	all := make([]Reason, 0, reasonCount-1)
	for r := NoReason + 1; r < reasonCount; r++ {
		all = append(all, r)
	}
	return all
}
