package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
)

// Schema is how far a database is migrated.
type Schema struct {
	Database string `json:"database"`
	Has      int64  `json:"has"` // 0: not migrated yet
	Needs    int64  `json:"needs"`
	Citus    bool   `json:"citus"` // distributed
}

// Schemas tells how far the database is migrated and how far it has to be: one
// element. It changes nothing and works beside servers.
func Schemas(ctx context.Context, url string) ([]Schema, error) {
	conn, err := connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	s := Schema{Database: conn.Config().Database}
	if s.Needs, err = newest(); err != nil {
		return nil, err
	}
	var made, distributed bool
	if err := conn.QueryRow(ctx, `SELECT to_regclass('public.goose_db_version') IS NOT NULL, to_regclass('public.installation') IS NOT NULL`).Scan(&made, &distributed); err != nil {
		return nil, fmt.Errorf("read the schema: %w", named(err))
	}
	if made {
		if err := conn.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM public.goose_db_version WHERE is_applied`).Scan(&s.Has); err != nil {
			return nil, fmt.Errorf("read the schema: %w", named(err))
		}
	}
	if distributed {
		if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM public.installation WHERE name = 'citus')`).Scan(&s.Citus); err != nil {
			return nil, fmt.Errorf("read the schema: %w", named(err))
		}
	}
	return []Schema{s}, nil
}

// connect opens one connection with the login's own rights.
func connect(ctx context.Context, url string) (*pgx.Conn, error) {
	cfg, err := parse(url)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, cfg.ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", named(err))
	}
	return conn, nil
}

// fits refuses a schema that this program does not know, with advice.
func (s Schema) fits() error {
	switch {
	case s.Has > s.Needs:
		return &fiscal.Error{Of: fiscal.Conflict, Field: "schema", Msg: fmt.Sprintf("database %s has schema %d, this program knows %d: use the newer program", s.Database, s.Has, s.Needs)}
	case s.Has < s.Needs:
		return &fiscal.Error{Of: fiscal.Conflict, Field: "schema", Msg: fmt.Sprintf("database %s has schema %d, this program needs %d: run ofd migrate up --db … first", s.Database, s.Has, s.Needs)}
	}
	return nil
}
