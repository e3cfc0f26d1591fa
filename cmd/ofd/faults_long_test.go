//go:build linux && long

package main

import "time"

// size is how much is done on purpose.
var size = sizes{
	registers: 48, away: time.Minute, rounds: 3, commits: 1000, oneIn: 8, kills: 200, freezes: 10, failovers: 4, steps: 4000, storms: 10,
}
