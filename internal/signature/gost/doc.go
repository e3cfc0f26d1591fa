// Package gost verifies signatures made by GOST R 34.10-2012 (and 34.10-2001,
// which is the same arithmetic) and computes the hashes that belong to them:
// Streebog (GOST R 34.11-2012) and the older GOST R 34.11-94.
//
// It only verifies. Nothing here is secret, so the arithmetic of math/big is
// good enough though it does not take constant time; nothing here signs.
// Encodings of certificates and the order of bytes inside a signature are the
// business of package signature.
//
// Sources: RFC 6986 (Streebog), RFC 5831 (34.11-94), RFC 7091 (34.10-2012),
// RFC 4357 and RFC 7836 (parameter sets). Kazakhstan's 34.310-2004 and
// 34.10-2015 use the same curves and hashes under identifiers of their own.
package gost
