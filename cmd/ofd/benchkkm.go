package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"openofd/internal/bench"
	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

type benchKKMCmd struct {
	benchFlags `embed:""`
	TLS        bool `name:"tls" help:"With --idle: these and the load over TLS."`
}

// Help is shown by --help below the flags.
func (benchKKMCmd) Help() string {
	return `Starts an operator in this process, registers the registers, lets them send
receipts of five lines over real sockets and measures.

` + benchHelp + `

With --addr the file of --credentials names registers of that operator and
their tokens, [{"id": 200145, "token": 2704817126}, …]; it is written back
with the tokens of the end.`
}

// Run is the command.
func (c *benchKKMCmd) Run(con *console) error {
	load, err := bench.NewKKM(0, almaty)
	if err != nil {
		return err
	}
	return (&benchLoad{c.benchFlags, benchKKM{load}, c.TLS}).run(con)
}

// benchKKM is a load of Kazakhstan.
type benchKKM struct{ load *bench.KKM }

var _ benchProtocol = benchKKM{}

func (benchKKM) settings(s *settings)    { s.KKMAddr = config.Addr{HostPort: "127.0.0.1:0"} }
func (benchKKM) addr(o *operator) string { return o.KKMAddr }

func (b benchKKM) speaker(r registry.Registered) (bench.Register, error) {
	return b.load.Register(bench.Credential{ID: uint32(r.Card.Register), Token: r.Token}), nil
}

func (b benchKKM) remote(file []byte) (all []bench.Register, err error) {
	if file == nil {
		return nil, withHint(errors.New("registers of a running operator need their tokens"), "Give --credentials")
	}
	var credentials []bench.Credential
	if err := json.Unmarshal(file, &credentials); err != nil {
		return nil, fmt.Errorf("--credentials: %w", err)
	}
	for _, c := range credentials {
		all = append(all, b.load.Register(c))
	}
	return all, nil
}

func (benchKKM) file(all []bench.Register) any {
	credentials := make([]bench.Credential, len(all))
	for i, r := range all {
		credentials[i] = r.(*bench.KKMRegister).Credential
	}
	return credentials
}

func (benchKKM) served() (string, []string, string) {
	return "", []string{"--kkm-addr", "127.0.0.1:0"}, "kkm"
}

func (benchKKM) register(series int64, i int) registry.NewRegister {
	return registry.NewRegister{
		By: "bench", Country: fiscal.Kazakhstan, XIN: benchXIN(i / 10), OKED: "47111", TaxSystem: 101, VATPercent: 16000,
		Title:         fiscal.Text{RU: fmt.Sprintf("ТОО «Нагрузка %d»", i/10)},
		OutletAddress: fiscal.Text{KK: "Алматы қ., Төле би көшесі, 59", RU: "г. Алматы, ул. Толе би, 59"},
		Latitude:      432567, Longitude: 769286,
		Model: "Bench KZ", SerialNumber: fmt.Sprintf("B%d-%d", series, i), Year: 2026,
	}
}

// benchXIN is a BIN with a right check digit, another for each i.
func benchXIN(i int) fiscal.XIN {
	for skip := 0; ; skip++ { // some numbers have no check digit
		for digit := range 10 {
			x := fiscal.XIN(fmt.Sprintf("2601407%03d%d%d", i%1000, skip, digit))
			if i >= 1000 {
				x = fiscal.XIN(fmt.Sprintf("26%08d%d%d", i, skip, digit))
			}
			if fiscal.CheckXIN(x, "bin") == nil {
				return x
			}
		}
	}
}
