//go:build linux && (faults || long)

package main

import (
	"time"

	"openofd/internal/testkit/faultnet"
)

// databaseFaults are what becomes of a database server, and of the way to it.
var databaseFaults = []fault{
	{"restarted fast", restarted("fast")},
	{"restarted immediate", restarted("immediate")},
	{"killed and restarted", func(f *fleet) int {
		f.cluster.Kill()
		f.cluster.Restart()
		return 1
	}},
	{"gone", func(f *fleet) int {
		f.cluster.Stop("immediate")
		time.Sleep(size.away)
		f.cluster.Restart()
		return 1
	}},
	{"frozen", func(f *fleet) int {
		f.cluster.Freeze()
		time.Sleep(2500 * time.Millisecond)
		f.cluster.Thaw()
		return 1
	}},
	{"cut off", func(f *fleet) int {
		for range 10 {
			f.cables[f.dice.IntN(len(f.cables))].Cut()
			time.Sleep(time.Duration(f.dice.IntN(100)) * time.Millisecond)
		}
		return 10
	}},
	{"refusing", weather(time.Second, func(c *faultnet.Proxy) { c.Refuse(); c.Cut() }, (*faultnet.Proxy).Admit)},
	{"out of reach", weather(2500*time.Millisecond, (*faultnet.Proxy).Pause, (*faultnet.Proxy).Resume)},
	{"far away", weather(time.Second, func(c *faultnet.Proxy) { c.Delay(25 * time.Millisecond) }, func(c *faultnet.Proxy) { c.Delay(0) })},
	{"slow", weather(time.Second, func(c *faultnet.Proxy) { c.Throttle(64 << 10) }, func(c *faultnet.Proxy) { c.Throttle(0) })},
}

func restarted(how string) func(*fleet) int {
	return func(f *fleet) int {
		f.cluster.Stop(how)
		f.cluster.Restart()
		return 1
	}
}

// weather does something to every node's cable for a time.
func weather(lasting time.Duration, begin, end func(*faultnet.Proxy)) func(*fleet) int {
	return func(f *fleet) int {
		for _, c := range f.cables {
			begin(c)
		}
		time.Sleep(lasting)
		for _, c := range f.cables {
			end(c)
		}
		return len(f.cables)
	}
}
