package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// Between two looks for contracts that were signed or ended.
const (
	servedEvery = 5 * time.Second
	servedPage  = 100
)

// keepServed writes on cards what new contracts say, until ctx ends.
func (c *core) keepServed(ctx context.Context, log *slog.Logger) {
	wait := time.NewTicker(servedEvery)
	defer wait.Stop()
	for {
		n, err := c.registry.KeepServed(ctx, c.store, servedPage)
		if err != nil && ctx.Err() == nil {
			log.Error("a contract did not reach the cards of its registers", "err", err)
		}
		if n == servedPage && err == nil && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
	}
}

// models are an operator's own lines of the register of models.
func models(path string) ([]registry.Model, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the register of models: %w", err)
	}
	all, err := registry.ReadModels(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

type taxpayerContractCmd struct {
	place
	BIN   fiscal.XIN `arg:"" name:"bin" help:"BIN, IIN or INN."`
	Paper string     `placeholder:"NUMBER" help:"Record a contract on paper, by its number."`
	End   string     `placeholder:"NUMBER" help:"Record that the contract was ended on paper, by the number of that paper."`
}

// paper is a contract as it is printed.
type paper struct {
	ID     registry.ContractID `json:"id"`
	At     time.Time           `json:"at"`
	Kind   string              `json:"kind"`
	Number string              `json:"number,omitempty"`
	By     string              `json:"by"`
	Method string              `json:"method,omitempty"`
}

type papers struct {
	XIN     fiscal.XIN `json:"xin"`
	InForce bool       `json:"in_force"`
	Papers  []paper    `json:"contracts"` // the newest first
}

func (c *taxpayerContractCmd) Run(con *console) error {
	core, people, err := openPeople(con, c.place)
	if err != nil {
		return err
	}
	t, err := findTaxpayer(con, core, c.BIN)
	if err != nil {
		return err
	}
	office := registry.NewOffice(core.registry, core.store, people.Service, nil, con.file.Operator.At(con.file.Site), core.now)
	switch {
	case c.Paper != "" && c.End != "":
		return withHint(errors.New("a contract is either concluded or ended"), "Call it twice")
	case c.Paper != "":
		_, err = office.RecordPaper(con.ctx, t.ID, byCommandLine, c.Paper)
	case c.End != "":
		_, err = office.RecordEnd(con.ctx, t.ID, byCommandLine, c.End)
	}
	if errors.Is(err, fiscal.Conflict) {
		return fmt.Errorf("%s has no contract that could be ended", t.XIN)
	}
	if err != nil {
		return told(err)
	}
	all, err := core.store.Contracts(con.ctx, t.ID)
	if err != nil {
		return err
	}
	// Without a server beside it the cards have it now; with one, in either way.
	if _, err := core.registry.KeepServed(con.ctx, core.store, servedPage); err != nil {
		return told(err)
	}
	out := papers{XIN: t.XIN, InForce: registry.InForce(all), Papers: []paper{}}
	var rows [][]string
	for _, p := range all {
		out.Papers = append(out.Papers, paper{ID: p.ID, At: p.At, Kind: string(p.Kind), Number: p.Number, By: p.By, Method: p.Method})
		rows = append(rows, []string{strconv.FormatInt(int64(p.ID), 10), p.At.In(home(t.Country)).Format("2006-01-02 15:04"), string(p.Kind), p.Number, p.By})
	}
	return con.result(out, func(w io.Writer) {
		if len(rows) == 0 {
			con.hint("No contract. A paper one is recorded with --paper NUMBER.")
			return
		}
		table(w, []string{"CONTRACT", "WHEN", "KIND", "NUMBER", "BY"}, rows)
	})
}
