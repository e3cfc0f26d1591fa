package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	neturl "net/url"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
)

// Scratch makes an empty database on the server that url names, for something
// to be tried or measured beside an installation. remove drops it, with whoever
// is still connected to it.
//
// Errors: StoreDown, or that the login may not make databases.
func Scratch(ctx context.Context, url string) (scratch string, remove func(context.Context) error, err error) {
	u, err := neturl.Parse(url)
	if err != nil {
		return "", nil, &fiscal.Error{Of: fiscal.Invalid, Field: "db", Msg: "not an address like postgres://user@host/name"}
	}
	name := "ofd_scratch_" + rand.Text()
	run := func(ctx context.Context, statement string) error {
		conn, err := connect(ctx, url)
		if err != nil {
			return err
		}
		defer conn.Close(context.WithoutCancel(ctx))
		_, err = conn.Exec(ctx, statement)
		return named(err)
	}
	quoted := pgx.Identifier{name}.Sanitize()
	if err := run(ctx, "CREATE DATABASE "+quoted); err != nil {
		return "", nil, fmt.Errorf("make a scratch database: %w", err)
	}
	u.Path = "/" + name
	return u.String(), func(ctx context.Context) error {
		if err := run(ctx, "DROP DATABASE "+quoted+" WITH (FORCE)"); err != nil {
			return fmt.Errorf("drop scratch database %s: %w", name, err)
		}
		return nil
	}, nil
}
