// Package kkmpb holds the messages of the Kazakhstan KKM protocol as Go types,
// generated from kkm.proto. Framing, form checks and rules are left to package
// kkm. Enums are open and strings unchecked here: a number that no enum knows
// and bytes that are not UTF-8 come through, and package kkm looks for both.
package kkmpb

//go:generate go run openofd/internal/protocol/kkm/protogen . kkm.proto
//go:generate go run openofd/internal/protocol/kkm/decodegen ../decode_gen.go
