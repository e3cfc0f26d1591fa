// Package keyring keeps our keys: rows sealed under a master key file, each with
// the instant from which it holds. Old keys stay, for entries name theirs.
//
// The master key file holds 32 bytes as hex, readable by its owner alone. A row
// is sealed with AES-256-GCM; its number, purpose and instant are authenticated
// with it, so that rows cannot be swapped.
package keyring
