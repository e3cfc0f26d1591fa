package sqlitefile

import (
	"context"
	"strings"

	"openofd/internal/fiscal"
)

// maxFindings is how much of the damage is named.
const maxFindings = 20

// Check reads the whole file and reports a page, an index or a row that is not
// what it should be. The error is Corrupt and names the findings. It may take
// long; the file stays in use meanwhile, though its log grows.
func (f *File) Check(ctx context.Context) error {
	var findings []string
	err := f.Read(ctx, func(tx *Tx) error {
		for _, pragma := range []string{"PRAGMA integrity_check(20)", "PRAGMA foreign_key_check"} {
			s, err := tx.Query(pragma)
			if err != nil {
				return err
			}
			for s.Next() && len(findings) < maxFindings {
				if found := s.Text(0); found != "ok" {
					findings = append(findings, found)
				}
			}
			if err := s.Close(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		return &fiscal.Error{Of: fiscal.Corrupt, Msg: f.path + " is damaged: " + strings.Join(findings, "; ")}
	}
	return nil
}

// Limit bounds the file to about that many bytes, for this process and until it
// is closed; 0 takes the bound away. What does not fit is refused as if the
// disk were full, and taken again when there is room.
func (f *File) Limit(ctx context.Context, bytes int64) error {
	if err := f.takeTurn(ctx); err != nil {
		return err
	}
	defer f.giveTurn()
	pages := int64(maxPages)
	if bytes > 0 {
		pages = max(1, bytes/pageBytes)
	}
	f.maxPages = pages
	if f.writer == nil {
		return nil
	}
	return fault(f.path, f.writer.limit(pages))
}
