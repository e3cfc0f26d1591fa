// Package signature judges electronic signatures: who signed these bytes, and
// may the signature be accepted. It knows CMS (CAdES-BES), certificates and
// revocation lists with RSA, ECDSA and GOST keys, and what the certificates of
// Kazakhstan (IIN, BIN, role) and Russia (INN, OGRN) say of their owner.
//
// What is not verified is not accepted: Verify returns either a Verdict, of
// which everything was checked, or an error that holds a *Refusal with one of
// a closed set of Reasons and what to do about it.
//
// Whether the owner may act for a taxpayer is a Demand that the caller makes of
// the Verdict. Keeping signatures and verdicts is the caller's as well; nothing
// here makes signatures, and nothing asks the network.
//
// Sources: RFC 5652 (CMS), RFC 5280 (certificates, lists), RFC 5035 (signing
// certificate), RFC 9215 and RFC 4491 (GOST in certificates). What the
// identifiers of Kazakhstan's authority mean is in docs/signatures.md.
package signature
