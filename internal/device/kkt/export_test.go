package kkt

// For tests: the file's records without a file.
var (
	Replay       = replay
	AppendRecord = appendRecord
)
