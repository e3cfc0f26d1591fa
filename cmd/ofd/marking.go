package main

import (
	"fmt"
	"os"

	"openofd/internal/authority/marking"
	"openofd/internal/gate"
	"openofd/internal/protocol/kkt"
)

var _ gate.MarkingSystem = (*marking.Table)(nil)

// markingSystem is the far end of the marking channel; nil is none.
func (s *settings) markingSystem(module kkt.CryptoModule) (gate.MarkingSystem, error) {
	if s.FarMarking != nil {
		return s.FarMarking, nil
	}
	c := s.Marking
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
	return marking.New(module, rows, s.Now), nil
}
