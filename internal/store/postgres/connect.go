package postgres

import (
	"context"
	"errors"
	"maps"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"openofd/internal/fiscal"
)

// The roles of an installation, made by Migrate.
const (
	owner   = "ofd_owner"
	service = "ofd_service"
	reader  = "ofd_reader"
)

const (
	connectTimeout = 3 * time.Second
	// silence is how long a connection may say nothing before the kernel asks
	// whether anybody is there; unheard is when it gives up, and how long what
	// was sent may stay unacknowledged.
	silence = 2 * time.Second
	unheard = 5 * time.Second
)

// session is what every connection of ours is told when it connects.
//
// A transaction that says nothing for two seconds is ended by the server, so
// that a node that froze in mid-batch lets go of its heads. A lock is waited
// for longer than that, so that a batch behind such a node is served.
var session = map[string]string{
	"application_name":                    "ofd",
	"search_path":                         "public",
	"timezone":                            "UTC",
	"jit":                                 "off",
	"synchronous_commit":                  "on",
	"default_transaction_isolation":       "read committed",
	"idle_in_transaction_session_timeout": "2s",
	"lock_timeout":                        "4s",
	"tcp_keepalives_idle":                 "2",
	"tcp_keepalives_interval":             "1",
	"tcp_keepalives_count":                "3",
	"tcp_user_timeout":                    "5s",
}

// parse reads a database's address and adds what all our connections need.
func parse(url string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The error would name the password's neighbors.
		return nil, &fiscal.Error{Of: fiscal.Invalid, Field: "db", Msg: "not an address of a PostgreSQL database: postgres://user@host:5432/name is one"}
	}
	c := cfg.ConnConfig
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	c.DialFunc = (&net.Dialer{
		Timeout:         c.ConnectTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence, Interval: time.Second, Count: 3},
		Control:         giveUp,
	}).DialContext
	if severalHosts(&c.Config) && c.ValidateConnect == nil {
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	maps.Copy(c.RuntimeParams, session)
	cfg.PingTimeout = connectTimeout
	return cfg, nil
}

func severalHosts(c *pgconn.Config) bool {
	for _, f := range c.Fallbacks { // the same host comes twice when TLS is optional
		if f.Host != c.Host || f.Port != c.Port {
			return true
		}
	}
	return false
}

// pool opens a pool of connections that act as a role. It connects when it is
// first used.
func pool(ctx context.Context, url, role string, size int, settings map[string]string, prepare func(context.Context, *pgx.Conn) error) (*pgxpool.Pool, error) {
	cfg, err := parse(url)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = int32(size)
	cfg.MinConns = 0
	cfg.ConnConfig.RuntimeParams["role"] = role
	maps.Copy(cfg.ConnConfig.RuntimeParams, settings)
	cfg.ConnConfig.OnNotice = func(c *pgconn.PgConn, n *pgconn.Notice) {
		if n.SeverityUnlocalized == "WARNING" {
			c.CustomData()[warned] = n.Message
		}
	}
	cfg.AfterConnect = prepare
	p, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, named(err)
	}
	return p, nil
}

// warned is where a connection keeps the last warning it was given.
const warned = "warned"

// named gives an error of the database its Kind. What is unavailable may be
// tried again; content that a constraint refuses is Invalid.
func named(err error) error {
	var known *fiscal.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &fiscal.Error{Reason: reasonOf(err), Of: kindOf(err), Err: err}
}

func reasonOf(err error) fiscal.Reason {
	if kindOf(err) == fiscal.Unavailable {
		return fiscal.StoreDown
	}
	return fiscal.NoReason
}

// kindOf sorts the database's errors by their SQLSTATE. One without any is of
// the connection.
func kindOf(err error) fiscal.Kind {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return fiscal.Unavailable
	}
	switch {
	case strings.HasPrefix(e.Code, "22"), strings.HasPrefix(e.Code, "23"):
		return fiscal.Invalid
	case e.Code == "XX001", e.Code == "XX002": // data_corrupted, index_corrupted
		return fiscal.Corrupt
	case strings.HasPrefix(e.Code, "42"), strings.HasPrefix(e.Code, "XX"), e.Code == "55000": // our statement, or a trigger of ours
		return fiscal.Internal
	}
	return fiscal.Unavailable
}

// code is the SQLSTATE of an error, "" if it is not the server's.
func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// The SQLSTATEs that we act upon.
const (
	readOnly     = "25006" // a primary that was demoted
	planChanged  = "0A000" // cached plan must not change result type
	noTable      = "42P01"
	notGranted   = "42501"
	monthRefused = "OF001" // of ours: ofd_open_month
)
