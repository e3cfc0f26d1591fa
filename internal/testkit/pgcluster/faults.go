package pgcluster

import (
	"fmt"
	"slices"
	"syscall"
	"time"
)

// fail tells the test, from whatever goroutine.
func (c *Cluster) fail(format string, args ...any) {
	c.t.Helper()
	c.t.Errorf("cluster at %s: "+format, append([]any{c.Addr()}, args...)...)
}

// Kill ends the postmaster and its children with SIGKILL, as a crash of the
// machine would: connections break, and nothing is tidied up. It returns when
// they are gone.
func (c *Cluster) Kill() {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server == nil {
		return
	}
	c.signal(syscall.SIGSTOP) // nobody forks while we look for everybody
	c.signal(syscall.SIGKILL)
	<-c.server.ended
	for began := time.Now(); len(c.processes(0)) > 0; time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			c.fail("processes %v survived SIGKILL", c.processes(0))
			break
		}
	}
	c.server = nil
}

// Stop shuts the server down and waits for it: "smart" waits until all clients
// have gone, "fast" sends them away, "immediate" tidies nothing up.
func (c *Cluster) Stop(mode string) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server == nil {
		return
	}
	signals := map[string]syscall.Signal{"smart": syscall.SIGTERM, "fast": syscall.SIGINT, "immediate": syscall.SIGQUIT}
	sig, ok := signals[mode]
	if !ok {
		c.fail("no such way to stop: %q", mode)
		return
	}
	if err := syscall.Kill(c.server.pid, sig); err != nil {
		c.fail("stop: %v", err)
		return
	}
	select {
	case <-c.server.ended:
		c.server = nil
	case <-time.After(patience):
		c.fail("does not stop (%s)", mode)
	}
}

// Restart starts the server again, after a fast stop if it still runs, on the
// same port. It returns when the server lets clients in.
func (c *Cluster) Restart() {
	c.t.Helper()
	c.Stop("fast")
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.up(); err != nil {
		c.fail("restart: %v", err)
	}
}

// Freeze stops all processes of the cluster where they are (SIGSTOP): the
// machine still takes connections and bytes, but nobody answers.
func (c *Cluster) Freeze() {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signal(syscall.SIGSTOP)
}

// Thaw lets a frozen cluster go on.
func (c *Cluster) Thaw() {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signal(syscall.SIGCONT)
}

// signal reaches the postmaster first and then whatever it has forked.
func (c *Cluster) signal(sig syscall.Signal) {
	c.t.Helper()
	if c.server == nil {
		c.fail("%v: the server is down", sig)
		return
	}
	var reached []int
	for {
		pids := c.processes(c.server.pid)
		before := len(reached)
		for _, pid := range pids {
			if slices.Contains(reached, pid) {
				continue
			}
			// A child that has just ended is no failure.
			if err := syscall.Kill(pid, sig); err != nil && err != syscall.ESRCH {
				c.fail("%v to %d: %v", sig, pid, err)
			}
			reached = append(reached, pid)
		}
		if len(reached) == before {
			return
		}
	}
}

// String names a cluster in messages.
func (c *Cluster) String() string { return fmt.Sprintf("%s (%s)", c.Addr(), c.name) }
