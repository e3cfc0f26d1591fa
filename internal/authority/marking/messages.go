package marking

// Format names the version of the messages between an operator and the marking
// system's end of the channel. What is only added keeps the number.
const Format = "marking/1"

// PathRequests is where requests and notifications go, below the address of the
// marking system: POST Request, answered with Answer.
const PathRequests = "/marking/v1/requests"

// MaxMessage bounds a message and its answer, in bytes of JSON: a container has
// 64 KiB at most, and base64 makes four bytes of three.
const MaxMessage = 256 << 10

// Request is one message of a register, passed on as it came: what is in it was
// sealed by the fiscal drive for the marking system. The same message may come
// again and gets the same answer.
//
// Source: KKT reference §10.3.
type Request struct {
	Format  string `json:"format"`  // Format
	Drive   string `json:"drive"`   // number of the fiscal drive, for who looks for it
	Message []byte `json:"message"` // header and container, base64 in JSON
}

// Answer is the marking system's. Anything but 200 with an Answer is no answer,
// and the register asks again.
type Answer struct {
	Container []byte `json:"container"` // sealed for the drive, base64 in JSON
}
