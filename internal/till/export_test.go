package till

import "context"

// Limit bounds the till's file, as a disk that is full does.
func (t *Till) Limit(ctx context.Context, bytes int64) error { return t.shelf.file.Limit(ctx, bytes) }
