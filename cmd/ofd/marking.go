package main

import (
	"fmt"
	"os"

	"openofd/internal/authority/link"
	"openofd/internal/authority/marking"
	"openofd/internal/gate"
	"openofd/internal/protocol/kkt"
)

var (
	_ gate.MarkingSystem = (*marking.Table)(nil)
	_ gate.MarkingSystem = (*marking.Client)(nil)
)

// markingSystem is the far end of the marking channel; nil is none.
func (s *settings) markingSystem(module kkt.CryptoModule) (gate.MarkingSystem, error) {
	if s.FarMarking != nil {
		return s.FarMarking, nil
	}
	c := s.Marking
	if c.URL != "" && module != nil {
		far, err := marking.OpenClient(link.Config{URL: c.URL, Cert: s.MarkingCert, Key: s.MarkingKey, CA: s.MarkingCA}, s.Now)
		if err != nil {
			return nil, err // not a *Client that is nil
		}
		return far, nil
	}
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
