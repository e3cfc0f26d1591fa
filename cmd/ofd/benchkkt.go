package main

import (
	"encoding/json"
	"fmt"
	"time"

	"openofd/internal/bench"
	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/registry"
)

type benchKKTCmd struct {
	benchFlags `embed:""`
	Items      int  `default:"5" help:"Of a receipt; 200 are a big one."`
	AnyAnswer  bool `name:"any-answer" help:"With --addr: take every container for an acknowledgement, as a stub without keys sends it."`
}

// Help is shown by --help below the flags.
func (benchKKTCmd) Help() string {
	return `Starts an operator in this process, registers the registers, lets them send
receipts of FFD 1.2 over real sockets and measures. Before its first receipt
each sends a registration report and opens a shift; signs are those of
simulated drives (SIM1). Of every acknowledgement sums, drive, number and
verdict are checked as a drive does, of one in 64 the signs as well.

` + benchHelp + `

With --addr any server that speaks the protocol can be measured. An operator
like ours has to know the registers: --credentials names them,
[{"drive": "9999078902001234", "inn": "7704358518", "serial": "0001"}, …],
and is written back with the numbers of their last documents. A server without
a registry needs no file: new drives are invented. A stub that answers without
keys is measured with --any-answer, for example a public one in Python:

  python3 -m venv v && v/bin/pip install ofd && v/bin/python server.py &
  ofd bench kkt --addr localhost:7777 --any-answer --registers 64`
}

// Run is the command.
func (c *benchKKTCmd) Run(con *console) error {
	if c.AnyAnswer && c.Addr == "" {
		return fmt.Errorf("--any-answer goes with --addr alone")
	}
	load, err := bench.NewKKT(bench.KKTConfig{Items: c.Items, Zone: benchMoscow(), Operator: benchOperatorINN, AnyAnswer: c.AnyAnswer})
	if err != nil {
		return err
	}
	return (&benchLoad{benchFlags: c.benchFlags, benchProtocol: benchKKT{load, c.Registers}}).run(con)
}

// benchOperatorINN is whom registration reports name, and who acknowledges.
const benchOperatorINN = "7704211201"

func benchMoscow() *time.Location { return time.FixedZone("MSK", 3*60*60) }

// benchKKT is a load of Russia.
type benchKKT struct {
	load *bench.KKT
	many int // registers
}

var _ benchProtocol = benchKKT{}

func (benchKKT) settings(s *settings) {
	s.KKTAddr = config.Addr{HostPort: "127.0.0.1:0"}
	s.KKTCrypto.Name = config.CryptoSIM1
	s.Operator.INN.Number = benchOperatorINN
}

func (benchKKT) addr(o *operator) string { return o.KKTAddr }

func (b benchKKT) speaker(r registry.Registered) (bench.Register, error) {
	drive, err := kkt.ParseDriveNumber(r.Card.Drive)
	return b.load.Register(bench.Drive{Drive: drive, INN: string(r.Card.XIN), Serial: r.Card.SerialNumber}), err
}

func (b benchKKT) remote(file []byte) (all []bench.Register, err error) {
	var drives []bench.Drive
	if file != nil {
		if err := json.Unmarshal(file, &drives); err != nil {
			return nil, fmt.Errorf("--credentials: %w", err)
		}
	} else {
		series := time.Now().UnixMicro()
		for i := range b.many {
			r := b.register(series, i)
			drive, err := kkt.ParseDriveNumber(r.Drive)
			if err != nil {
				return nil, err
			}
			drives = append(drives, bench.Drive{Drive: drive, INN: string(r.XIN), Serial: r.SerialNumber})
		}
	}
	for i, d := range drives {
		if !d.Drive.Valid() || len(d.INN) != 10 || d.Serial == "" {
			return nil, fmt.Errorf("--credentials: register %d: needs drive, serial and an INN of ten digits", i+1)
		}
		all = append(all, b.load.Register(d))
	}
	return all, nil
}

func (benchKKT) file(all []bench.Register) any {
	drives := make([]bench.Drive, len(all))
	for i, r := range all {
		drives[i] = r.(*bench.KKTRegister).Drive
	}
	return drives
}

func (benchKKT) served() (string, []string, string) {
	return fmt.Sprintf("[operator]\ninn = %q\n", benchOperatorINN), []string{"--kkm-addr", "off", "--kkt-addr", "127.0.0.1:0", "--kkt-crypto", config.CryptoSIM1}, "kkt"
}

func (benchKKT) register(series int64, i int) registry.NewRegister {
	return registry.NewRegister{
		By: "bench", Country: fiscal.Russia, XIN: benchINN(i / 10), Title: fiscal.Text{RU: fmt.Sprintf("ООО «Нагрузка %d»", i/10)},
		OutletAddress: fiscal.Text{RU: "Москва, ул. Тверская, д. 1"}, Model: "Bench RU", SerialNumber: fmt.Sprintf("%014d", (series+int64(i))%1e14),
		Drive: fmt.Sprintf("9999%012d", (series+int64(i))%1e12), // one that no real drive has
	}
}

// benchINN is an INN with its check digit, another for each i below 900,000.
func benchINN(i int) fiscal.XIN {
	for digit := range 10 {
		if inn := fmt.Sprintf("77%07d%d", 1000+i, digit); fiscal.ValidINN(inn) {
			return fiscal.XIN(inn)
		}
	}
	panic("bench: no check digit fits")
}
