//go:build linux && (faults || long)

package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/testkit"
	"openofd/internal/testkit/faultnet"
)

// patienceOfPeers is within what a well-behaved register is answered, 99 times
// of 100, whatever others do at the door.
const patienceOfPeers = 1500 * time.Millisecond

// times are how long answered exchanges took. Safe for concurrent use.
type times struct {
	mu  sync.Mutex
	all []time.Duration
}

func (n *times) add(took time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, took)
}

// take gives what was gathered since the last time, in order of length.
func (n *times) take() []time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.all
	n.all = nil
	slices.Sort(all)
	return all
}

// prompt wants 99 of 100 exchanges answered in time.
func (f *fleet) prompt(during string) {
	f.t.Helper()
	all := f.took.take()
	if len(all) < 100 {
		f.t.Errorf("%s: only %d exchanges were answered", during, len(all))
		return
	}
	p99 := all[len(all)*99/100]
	f.t.Logf("%s: %d exchanges, p99 %d ms, the longest %d ms", during, len(all), p99.Milliseconds(), all[len(all)-1].Milliseconds())
	if p99 > patienceOfPeers {
		f.t.Errorf("%s: p99 %v, want %v", during, p99, patienceOfPeers)
	}
}

// siege is a number of connections from one address that mean no good.
type siege struct {
	name        string
	from        string
	connections int
	attack      func(ctx context.Context, c net.Conn, frame []byte) error
}

var sieges = []siege{
	{"half-open", "127.0.0.2", 200, func(ctx context.Context, c net.Conn, frame []byte) error {
		if _, err := c.Write(frame[:10]); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}},
	{"slowloris", "127.0.0.3", 200, func(ctx context.Context, c net.Conn, frame []byte) error {
		for i := 0; ctx.Err() == nil; i++ {
			if _, err := c.Write(frame[i%len(frame):][:1]); err != nil {
				return err
			}
			sleep(ctx, 200*time.Millisecond)
		}
		return nil
	}},
	{"flood of one address", "127.0.0.4", 8, flood(true)},
	{"flood of one register", "127.0.0.5", 4, flood(true)},
	{"nobody reads", "127.0.0.6", 4, flood(false)},
}

// flood sends frames as fast as they are taken.
func flood(read bool) func(context.Context, net.Conn, []byte) error {
	return func(ctx context.Context, c net.Conn, frame []byte) error {
		if read {
			var reading sync.WaitGroup
			reading.Go(func() { _, _ = io.Copy(io.Discard, c) })
			defer reading.Wait()
			defer c.Close()
		}
		for ctx.Err() == nil {
			if _, err := c.Write(frame); err != nil {
				return err
			}
		}
		return nil
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// lay besieges a door until ctx ends; who is thrown out comes again. It returns
// how many connections were made.
func (s *siege) lay(ctx context.Context, door string, frame []byte) int {
	var made atomic.Int64
	var all sync.WaitGroup
	for range s.connections {
		all.Go(func() {
			for ctx.Err() == nil {
				c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(s.from)}}).DialContext(ctx, "tcp", door)
				if err != nil {
					sleep(ctx, 50*time.Millisecond)
					continue
				}
				made.Add(1)
				end := context.AfterFunc(ctx, func() { c.Close() })
				_ = s.attack(ctx, c, frame)
				end()
				c.Close()
			}
		})
	}
	all.Wait()
	return int(made.Load())
}

// collect has a process look for memory that it needs no more; it gives it back
// step by step afterwards.
func collect(t *testing.T, ops string) {
	t.Helper()
	answer, err := http.Get("http://" + ops + "/debug/pprof/heap?gc=1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
}

// besieged: half-open connections, slow ones, floods from one address and of
// one register, and peers that never read, all at once, at both doors of an
// operator with the limits that it has by itself.
//
// Req: P-013
func besieged(t *testing.T, _ *rand.Rand) tally {
	dir := t.TempDir()
	f := newFleet(t, dir, "")
	p := f.process("")
	f.register(size.registers)
	var stranger registry.Registered
	f.with(func(c *core) (err error) {
		stranger, err = c.registry.AddRegister(t.Context(), registry.NewRegister{
			By: "test", Country: fiscal.Kazakhstan, XIN: "190340024183", Title: fiscal.Text{RU: "Дала Сауда"},
			OutletAddress: fiscal.Text{RU: "Алматы"}, Model: "Test KZ", SerialNumber: "SIEGE",
		})
		return err
	})
	f.under(func() int { time.Sleep(time.Second); return 0 })
	f.prompt("in peace")
	peace := resident(t, p.server.cmd.Process.Pid)

	f.under(func() int {
		f.took.take()
		ctx, cancel := context.WithTimeout(t.Context(), max(3*time.Second, size.away/3))
		defer cancel()
		var laying sync.WaitGroup
		var made atomic.Int64
		for i, s := range sieges {
			frame := pingFrame(t, stranger, uint16(i)+1)
			if s.name == "flood of one address" {
				unknown := stranger
				unknown.Card.Register = 1
				frame = pingFrame(t, unknown, 1)
			}
			laying.Go(func() { made.Add(int64(s.lay(ctx, p.addr, frame))) })
			// At Russia's door the flood of one register is of documents.
			message := testkit.KKTVectorNamed(t, "ping-ofd").Message
			if s.name == "flood of one register" {
				message = testkit.KKTVectorNamed(t, "receipt-1.2-measure-kg").Message
			}
			s.from = strings.Replace(s.from, "127.0.0.", "127.0.1.", 1)
			laying.Go(func() { made.Add(int64(s.lay(ctx, p.russian, message))) })
		}
		laying.Wait()
		f.prompt("besieged")
		return int(made.Load())
	})
	f.settle()
	const growth = 64 << 20
	eventually(t, 5*patience, "the memory that the siege took is given back", func() bool {
		collect(t, p.server.addrs["ops"]) // an idle process would wait for its two minutes
		return resident(t, p.server.cmd.Process.Pid) < peace+growth
	})
	t.Logf("memory: %d MiB in peace, %d afterwards", peace>>20, resident(t, p.server.cmd.Process.Pid)>>20)
	return f.end()
}

// storms: every register loses its connection at the same moment and comes
// again, in the middle of documents.
func storms(t *testing.T, dice *rand.Rand) tally {
	f := startNodes(t, 2)
	var cables []*faultnet.Proxy
	for _, doors := range [][]string{f.doors, f.russian} {
		for i, door := range doors {
			cable := faultnet.New(t, door)
			cables, doors[i] = append(cables, cable), cable.Addr()
		}
	}
	f.register(8 * size.registers)
	f.under(func() int {
		cut := 0
		for range size.storms {
			for _, c := range cables {
				cut += c.Connections()
				c.Cut()
			}
			time.Sleep(time.Duration(500+dice.IntN(500)) * time.Millisecond)
		}
		return cut
	})
	f.prompt("in storms")
	return f.end()
}
