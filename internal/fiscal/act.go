package fiscal

// ActKind is what a person does to a register.
type ActKind string

// The acts.
const (
	ActRegister   ActKind = "register"   // the first entry of every register
	ActToken      ActKind = "token"      // a new token
	ActBlock      ActKind = "block"      // with a text
	ActUnblock    ActKind = "unblock"    //
	ActCard       ActKind = "card"       // the registry's data changed
	ActDeregister ActKind = "deregister" // final
)

// Act is one act. It is stored as an entry, without secrets: Rules put what
// may be kept into the record's Request. Answer.Frame is for the one who acts
// and is not stored; after ActToken, and after ActRegister and ActCard when they
// issue a token, it is the token in decimal digits.
type Act struct {
	Kind ActKind `json:"act"`
	By   string  `json:"by"`             // who: a user, or "command line"
	Text string  `json:"text,omitempty"` // reason of a block
	Card *Card   `json:"card,omitempty"` // the new card, for register and card
}
