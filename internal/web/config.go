package web

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// Config sizes the door. The zero value is usable.
type Config struct {
	TrustedProxies  []netip.Prefix // whose X-Forwarded-For is believed
	ChecksPerSecond float64        // that one address may go on with; 0 means 2
	ChecksAtOnce    int            // that one address may ask at once; 0 means 60
	MissCost        int            // what a check costs that finds nothing; 0 means 10
	MaxAddresses    int            // remembered; 0 means 65536
	CheckTimeout    time.Duration  // of one check; 0 means 5 s
	CallsPerSecond  float64        // of the API that one key can go on with; 0 means 10
	CallsAtOnce     int            // of the API that one key can make at once; 0 means 100
	Rooms           Rooms          // none without its Access
}

func (c Config) withDefaults() Config {
	if c.ChecksPerSecond <= 0 {
		c.ChecksPerSecond = 2
	}
	if c.ChecksAtOnce <= 0 {
		c.ChecksAtOnce = 60
	}
	if c.MissCost <= 0 {
		c.MissCost = 10
	}
	// A limiter takes no more at once than it can hold.
	c.MissCost = min(c.MissCost, c.ChecksAtOnce)
	if c.MaxAddresses <= 0 {
		c.MaxAddresses = 1 << 16
	}
	if c.CheckTimeout <= 0 {
		c.CheckTimeout = 5 * time.Second
	}
	return c
}

// NewServer is an HTTP server with a deadline for everything and a bound on
// headers. Bodies are forms and signatures, so reading is short.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
