package fiscal

// PartKind is one of the three parts of a register. Source: requirement P-102.
type PartKind string

// The parts.
const (
	PartSoftware PartKind = "software" // the register's own program
	PartDrive    PartKind = "drive"    // fiscal drive, or the fiscal memory
	PartPrinter  PartKind = "printer"  // fiscal printer
)

// PartKinds lists them in their order.
func PartKinds() []PartKind { return []PartKind{PartSoftware, PartDrive, PartPrinter} }

// Part is what is known of one part of a register.
type Part struct {
	Kind    PartKind `json:"part"`
	Maker   string   `json:"maker,omitempty"`
	Model   string   `json:"model,omitempty"`
	Version string   `json:"version,omitempty"`
}

// Connection is how a register reaches the operator. Source: requirement E-070.
type Connection string

// The connections. "" is not told.
const (
	ConnectionWired    Connection = "wired"
	ConnectionWireless Connection = "wireless" // by a SIM card
)

// Connections lists them.
func Connections() []Connection { return []Connection{ConnectionWired, ConnectionWireless} }
