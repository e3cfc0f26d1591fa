package fns

import (
	"time"

	"openofd/internal/authority/link"
	"openofd/internal/delivery"
)

// PathDocuments is where documents go, below the address of the service or of
// whoever carries them to it: POST, the lines of the folder's files as NDJSON,
// answered with how many were taken, were there already, and which are refused.
const PathDocuments = "/fns/v1/documents"

// Bounds that both ends keep.
const (
	MaxLines = 1024    // of a batch
	MaxBatch = 8 << 20 // bytes of a batch, unpacked, unless one line is longer
)

var _ delivery.Sender = link.Lines{}

// OpenLink is the way to the service across the network; see link.Open.
func OpenLink(cfg link.Config, now func() time.Time) (delivery.Sender, error) {
	cfg.Name = Name
	l, err := link.Open(cfg, now)
	if err != nil {
		return nil, err
	}
	return link.Lines{Link: l, Path: PathDocuments, Most: MaxLines, Bytes: MaxBatch / 2}, nil
}
