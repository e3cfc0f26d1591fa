//go:build linux && faults && !long

package main

import "time"

// size is how much is done on purpose.
var size = sizes{
	registers: 24, away: 2 * time.Second, rounds: 1, commits: 40, oneIn: 8, kills: 3, freezes: 1, failovers: 1, steps: 400, storms: 2,
}
