package faultnet

import (
	"math/rand/v2"
	"time"
)

// Harm is what is done to a connection at a COMMIT.
type Harm int

// The harms.
const (
	None      Harm = iota
	CutBefore      // the server never gets the COMMIT: it rolls back
	CutDuring      // the server may have got it: nobody can tell
	CutAfter       // the server has committed and answered: the client never learns
	Hold           // the answer is held back for a time
	harmCount
)

func (h Harm) String() string {
	return [harmCount]string{"none", "cut before", "cut during", "cut after", "hold"}[h]
}

// Fate is what becomes of one COMMIT. The zero value lets it pass.
type Fate struct {
	Harm Harm
	For  time.Duration // of Hold
}

// Seeded gives one of the fates to one COMMIT in so many, by chance; the same
// seed gives the same fates to the same numbers.
func Seeded(seed uint64, oneIn int, fates ...Fate) func(n int) Fate {
	return func(n int) Fate {
		dice := rand.New(rand.NewPCG(seed, uint64(n)))
		if dice.IntN(oneIn) != 0 {
			return Fate{}
		}
		return fates[dice.IntN(len(fates))]
	}
}
