package registry

import "openofd/internal/fiscal"

// Model is a line of the register of models.
type Model struct {
	Name        string
	Maker       string
	Kind        ModelKind
	Protocols   []string            // versions of the protocol or of the format, the oldest first
	Connections []fiscal.Connection // how it can be connected; of a software register wired alone
}

// ModelKind says what a register is. Source: order 135 item 5.2.
type ModelKind string

// The kinds.
const (
	ModelDevice  ModelKind = "device"  // a device of its own
	ModelSystem  ModelKind = "system"  // a computer system or an application
	ModelPrinter ModelKind = "printer" // a fiscal printer, driven by another program
	ModelVending ModelKind = "vending" // built into an automatic machine
)
