package main

import (
	"fmt"
	"os"
	"time"

	"openofd/internal/authority/marking"
	"openofd/internal/config"
	"openofd/internal/gate"
	"openofd/internal/protocol/kkt"
)

var _ gate.MarkingSystem = (*marking.Table)(nil)

// markingSystem is the far end of the marking channel; nil is none.
func markingSystem(c config.Marking, module kkt.CryptoModule, now func() time.Time) (gate.MarkingSystem, error) {
	if c.Name == "" || module == nil {
		return nil, nil
	}
	var rows []marking.Row
	if c.File != "" {
		text, err := os.ReadFile(c.File)
		if err != nil {
			return nil, fmt.Errorf("--marking: %w", err)
		}
		if rows, err = marking.ParseRows(c.File, text); err != nil {
			return nil, fmt.Errorf("--marking: %w", err)
		}
	}
	return marking.New(module, rows, now), nil
}
