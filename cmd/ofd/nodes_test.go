//go:build linux && (faults || long)

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
	"openofd/internal/testkit/pgcluster"
)

// nodeProgram is a node as people run it: the program itself, at one address
// however often it is started.
type nodeProgram struct {
	*script
	addr, russian string
	door          int // its place among the fleet's doors
}

// process starts a node as a program of its own.
func (f *fleet) process(db string) *nodeProgram {
	f.t.Helper()
	p := &nodeProgram{
		script: &script{t: f.t, at: "node", dir: f.t.TempDir(), names: map[string]string{"data": f.at.Dir, "db": db}},
		addr:   freeAddr(f.t), russian: freeAddr(f.t), door: len(f.doors),
	}
	p.write("ofd.toml", servesRussia)
	f.doors, f.russian = append(f.doors, p.addr), append(f.russian, p.russian)
	p.up()
	f.t.Cleanup(func() {
		if p.server != nil {
			p.server.cmd.Process.Signal(syscall.SIGCONT)
			p.server.end(syscall.SIGKILL)
		}
	})
	return p
}

func (p *nodeProgram) up() { p.serve("--kkm-addr " + p.addr + " --kkt-addr " + p.russian) }

func (p *nodeProgram) kill() {
	p.server.end(syscall.SIGKILL)
	p.server = nil
}

// avoid leads registers past one node from now on; -1 is none.
func (f *fleet) avoid(door int) {
	choose := func(register, exchange int) int {
		at := (register + exchange) % len(f.doors)
		if at == door {
			at++
		}
		return at
	}
	f.choose.Store(&choose)
}

// freeWithin is how soon the other nodes go on when one has failed: two seconds,
// and what a busy machine takes. A session that nobody ends stays for hours.
const freeWithin = 10 * time.Second

// nodesKilled: programs are killed with -9 under load and started again. What
// they were at is free for the others.
//
// Req: P-004, O-047
func nodesKilled(t *testing.T, dice *rand.Rand) tally {
	f := onCluster(t, pgcluster.Start(t, pgcluster.Options{}).URL("postgres"))
	f.start(f.at.DB, nil)
	all := []*nodeProgram{f.process(f.at.DB), f.process(f.at.DB)}
	f.register(size.registers)
	var worst time.Duration
	for range size.kills {
		stop := f.work()
		time.Sleep(time.Duration(100+dice.IntN(300)) * time.Millisecond)
		dead := all[dice.IntN(len(all))]
		killed := time.Now()
		dead.kill()
		f.faults++
		f.avoid(dead.door)
		stop()
		if err := f.crowd.Settle(within(t, patience)); err != nil {
			t.Fatal(err)
		}
		worst = max(worst, time.Since(killed))
		stop = f.work()
		dead.up()
		stop()
		f.avoid(-1)
	}
	t.Logf("of %d nodes killed, after the worst one the others had answered every register in %.2f s", size.kills, worst.Seconds())
	if worst > freeWithin {
		t.Errorf("the others took %v to answer every register, want %v", worst, freeWithin)
	}
	return f.end()
}

// nodeFrozen: a program is stopped where it is (SIGSTOP) while it holds the
// heads of partitions. They are free soon. When it goes on it finds its batch
// gone and what it knows of registers old, and answers nothing wrong.
func nodeFrozen(t *testing.T, _ *rand.Rand) tally {
	c := pgcluster.Start(t, pgcluster.Options{})
	f := onCluster(t, c.URL("postgres"))
	for range 2 {
		f.start(f.at.DB, nil)
	}
	// Its sessions can be told from the others'.
	if err := c.Exec(t.Context(), "CREATE ROLE frozen SUPERUSER LOGIN"); err != nil {
		t.Fatal(err)
	}
	p := f.process(strings.Replace(f.at.DB, "postgres@", "frozen@", 1))
	f.register(size.registers)
	holds := func() bool {
		n, err := c.QueryInt(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE usename = 'frozen' AND state = 'idle in transaction'")
		if err != nil {
			t.Fatal(err)
		}
		return n > 0
	}
	var first, last int64
	for i := range size.freezes {
		stop := f.work()
		time.Sleep(warmth)
		var frozen time.Time
		eventually(t, patience, "the node is stopped in mid-batch", func() bool {
			frozen = time.Now()
			p.server.cmd.Process.Signal(syscall.SIGSTOP)
			time.Sleep(20 * time.Millisecond) // the server finishes what it was asked
			if holds() {
				return true
			}
			p.server.cmd.Process.Signal(syscall.SIGCONT)
			return false
		})
		f.faults++
		f.avoid(p.door)
		eventually(t, patience, "its partitions are free", func() bool { return !holds() })
		free := time.Since(frozen)
		stop()
		if err := f.crowd.Settle(within(t, patience)); err != nil {
			t.Fatal(err)
		}
		t.Logf("frozen in mid-batch: its partitions are free after %.2f s, the others have answered every register after %.2f s", free.Seconds(), time.Since(frozen).Seconds())
		if free > freeWithin {
			t.Errorf("the partitions of a frozen node were free after %v, want %v", free, freeWithin)
		}
		p.server.cmd.Process.Signal(syscall.SIGCONT)
		f.avoid(-1)
		f.under(func() int { time.Sleep(warmth); return 0 })
		f.settle()
		if last = resident(t, p.server.cmd.Process.Pid); i == 0 {
			first = last
		}
	}
	const growth = 64 << 20
	if last-first > growth {
		t.Errorf("the node has %d MiB of memory, %d after the first time; want it flat", last>>20, first>>20)
	}
	return f.end()
}

// resident is how many bytes of memory a process holds.
func resident(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// actsBeside: what a command does to a register holds for its next exchange,
// at every node, though each has its own cache of it; no code 2, 8, 11 or 15
// comes that was not earned. A crowd works beside.
//
// Req: O-047
func actsBeside(t *testing.T, _ *rand.Rand) tally {
	f := onCluster(t, pgcluster.Start(t, pgcluster.Options{}).URL("postgres"))
	for range 2 {
		f.start(f.at.DB, nil)
	}
	command := f.process(f.at.DB)
	f.register(size.registers)
	made := newShop(t, f.nodes[0], "ACTS")
	device := &plainDevice{t: t, doors: f.doors, id: made.Card.Register, token: made.Token}
	f.under(func() int {
		for range 3 * size.rounds {
			for range 2 * len(f.doors) {
				device.deposit(wire.CodeOK)
			}
			command.run(exitOK, fmt.Sprintf("register token --json %d", device.id))
			token, err := strconv.ParseUint(command.value("token"), 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			for range f.doors {
				device.deposit(wire.CodeInvalidToken)
			}
			device.token = uint32(token)
			device.deposit(wire.CodeOK)
			command.run(exitOK, fmt.Sprintf("register block %d --text 'Қарыз'", device.id))
			for range f.doors {
				device.deposit(wire.CodeBlocked)
			}
			command.run(exitOK, fmt.Sprintf("register unblock %d", device.id))
			device.deposit(wire.CodeOK)
		}
		return 0
	})
	return f.end()
}

// plainDevice sends deposits, each to another node than the one before.
type plainDevice struct {
	t     *testing.T
	doors []string
	id    fiscal.RegisterID
	token uint32
	sent  int
}

// deposit wants an answer with a code.
func (d *plainDevice) deposit(want uint32) {
	d.t.Helper()
	d.sent++
	door := d.sent % len(d.doors)
	frame, err := wire.AppendRequest(nil, wire.Header{Version: wire.V203, ID: uint32(d.id), Token: d.token, ReqNum: uint16(d.sent)}, &kkmpb.Request{
		Command: kkmpb.CommandTypeEnum_COMMAND_MONEY_PLACEMENT.Enum(),
		MoneyPlacement: &kkmpb.MoneyPlacementRequest{
			Datetime: wire.NewTime(fiscal.WallIn(time.Now(), time.UTC)), Operation: kkmpb.MoneyPlacementEnum_MONEY_PLACEMENT_DEPOSIT.Enum(),
			Sum: wire.NewMoney(100), Operator: &kkmpb.Operator{Code: proto.Uint32(1)},
		},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	for until := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		reply, err := kkm.NewLink(kkm.LinkConfig{Addr: d.doors[door]}).Exchange(d.t.Context(), frame)
		if err != nil {
			d.t.Fatalf("deposit %d at node %d: %v", d.sent, door, err)
		}
		msg, err := wire.ParseResponse(reply.Payload)
		if err != nil {
			d.t.Fatal(err)
		}
		got := msg.GetResult().GetResultCode()
		if got == wire.CodeUnavailable && time.Now().Before(until) {
			continue // a busy machine
		}
		if got != want {
			d.t.Fatalf("deposit %d at node %d was answered with code %d, want %d", d.sent, door, got, want)
		}
		if got == wire.CodeOK {
			d.token = reply.Header.Token
		}
		return
	}
}
