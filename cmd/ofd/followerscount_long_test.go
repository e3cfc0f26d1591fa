//go:build long || crash

package main

// forwardCount is how many documents are forwarded under kills.
const forwardCount = 100_000
