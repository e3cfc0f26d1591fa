package link

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"openofd/internal/delivery"
)

// Config says where a far end is and how we show who we are.
type Config struct {
	Name        string        // of the far end, in errors: "kgd"
	URL         string        // https://host[:port][/path]; http only on this machine
	Cert, Key   string        // PEM files: our certificate; "" none
	CA          string        // PEM file: whom we believe; "" the machine's own
	Timeout     time.Duration // of one exchange, whole; 0 means 30 s
	Connections int           // kept; 0 means 8
	Answer      int           // longest answer in bytes; 0 means 4 MiB
	// DialTimeout is how long a connection may take to come about; 0 means 10 s.
	DialTimeout time.Duration
}

// Link is a far end. Safe for concurrent use.
type Link struct {
	cfg    Config
	base   string
	client *http.Client
	now    func() time.Time
	until  atomic.Int64 // nobody asks before: microseconds since 1970
	ahead  atomic.Int64 // see ClockOff; seconds
	packs  sync.Pool    // of *packer: a gzip.Writer is most of a megabyte
}

// longestWait is the most that a far end can make us wait with one answer.
const longestWait = 10 * time.Minute

// Open reads the certificates. It does not connect.
func Open(cfg Config, now func() time.Time) (*Link, error) {
	if err := CheckURL(cfg.URL); err != nil {
		return nil, fmt.Errorf("address of %s: %w", cfg.Name, err)
	}
	cfg.Timeout = cmp.Or(cfg.Timeout, 30*time.Second)
	cfg.DialTimeout = cmp.Or(cfg.DialTimeout, 10*time.Second)
	cfg.Connections = cmp.Or(cfg.Connections, 8)
	cfg.Answer = cmp.Or(cfg.Answer, 4<<20)
	secure := &tls.Config{MinVersion: tls.VersionTLS12, Time: now}
	if cfg.CA != "" {
		text, err := os.ReadFile(cfg.CA)
		if err != nil {
			return nil, fmt.Errorf("certificates of %s: %w", cfg.Name, err)
		}
		if secure.RootCAs = x509.NewCertPool(); !secure.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("certificates of %s: %s holds none", cfg.Name, cfg.CA)
		}
	}
	if (cfg.Cert == "") != (cfg.Key == "") {
		return nil, fmt.Errorf("certificate for %s: a certificate needs its key, and a key its certificate", cfg.Name)
	}
	if cfg.Cert != "" {
		load := func() (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(cfg.Cert, cfg.Key)
			if err != nil {
				return nil, fmt.Errorf("certificate for %s: %w", cfg.Name, err)
			}
			return &pair, nil
		}
		if _, err := load(); err != nil {
			return nil, err
		}
		// Read at each handshake, of which there are few: a new certificate needs
		// no restart.
		secure.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := load()
			if err == nil {
				err = holds(pair.Leaf, now())
			}
			return pair, err
		}
	}
	dial := &net.Dialer{Timeout: cfg.DialTimeout, KeepAlive: 15 * time.Second}
	return &Link{
		cfg: cfg, base: strings.TrimRight(cfg.URL, "/"), now: now,
		client: &http.Client{
			Timeout: cfg.Timeout,
			Transport: &http.Transport{
				DialContext: dial.DialContext, TLSClientConfig: secure, TLSHandshakeTimeout: cfg.DialTimeout,
				MaxIdleConnsPerHost: cfg.Connections, MaxConnsPerHost: 4 * cfg.Connections, IdleConnTimeout: 90 * time.Second,
				ResponseHeaderTimeout: cfg.Timeout, ExpectContinueTimeout: time.Second, MaxResponseHeaderBytes: 64 << 10,
				DisableCompression: true, // an answer is small, and its limit holds for what is read
			},
			// An authority that moves is told to us by a person.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// holds reports whether a certificate of ours may be shown today: whoever sees
// one that may not ends the connection with a word that says little.
func holds(c *x509.Certificate, now time.Time) error {
	switch {
	case c == nil:
		return nil
	case now.After(c.NotAfter):
		return trouble(delivery.OursIsOver, "it was good until "+c.NotAfter.UTC().Format(time.DateTime))
	case now.Before(c.NotBefore):
		return trouble(delivery.OursIsOver, "it is good from "+c.NotBefore.UTC().Format(time.DateTime)+" on")
	}
	return nil
}

// CheckURL says what is wrong with the address of a far end.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Host == "", u.RawQuery != "", u.Fragment != "", u.User != nil, u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%q is no address like https://exchange.example.kz", address)
	case u.Scheme == "http" && !own(u.Hostname()):
		return fmt.Errorf("%q: only https leaves this machine", address)
	}
	return nil
}

// own reports whether a host is this machine.
func own(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Close closes the connections that are not in use.
func (l *Link) Close() { l.client.CloseIdleConnections() }

// Get asks for answer.
//
// Errors: Unavailable, and Invalid for what the far end says it will never do.
func (l *Link) Get(ctx context.Context, path string, query url.Values, answer any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return l.worded(l.do(ctx, http.MethodGet, path, "", "", nil, answer))
}

// Post sends a body; answer may be nil. key is the Idempotency-Key, "" none.
//
// Errors: as Get.
func (l *Link) Post(ctx context.Context, path, contentType, key string, body []byte, answer any) error {
	return l.worded(l.do(ctx, http.MethodPost, path, contentType, key, body, answer))
}

// do makes one exchange. The error is a *status for an answer of the far end
// that is not 2xx.
func (l *Link) do(ctx context.Context, method, path, contentType, key string, body []byte, answer any) error {
	if wait := time.UnixMicro(l.until.Load()).Sub(l.now()); wait > 0 {
		return fmt.Errorf("%w for another %s", delivery.LeaveAlone, wait.Round(time.Second))
	}
	packed := l.pack(body)
	defer l.free(packed)
	req, err := http.NewRequestWithContext(ctx, method, l.base+path, packed.reader())
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", contentType)
		packed.label(req)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "openofd")
	asked := l.now()
	res, err := l.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	l.look(res, asked, l.now())
	text, err := io.ReadAll(io.LimitReader(res.Body, int64(l.cfg.Answer)+1))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if len(text) > l.cfg.Answer {
		return trouble(delivery.Rubbish, fmt.Sprintf("it has more than %d bytes", l.cfg.Answer))
	}
	l.heed(res)
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return &status{res.StatusCode, detailOf(res, text)}
	}
	if answer == nil {
		return nil
	}
	return parse(res, text, answer)
}

// heed remembers for how long the far end wants to be left alone.
func (l *Link) heed(res *http.Response) {
	if res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
		return
	}
	now := l.now()
	after := res.Header.Get("Retry-After")
	var wait time.Duration
	if s, err := strconv.ParseUint(after, 10, 31); err == nil {
		wait = time.Duration(s) * time.Second
	} else if t, err := http.ParseTime(after); err == nil {
		wait = t.Sub(now.Add(l.ClockOff())) // its day is its clock's
	}
	if wait > 0 {
		l.until.Store(now.Add(min(wait, longestWait)).UnixMicro())
	}
}

// parse reads an answer of the kind that was asked for.
func parse(res *http.Response, text []byte, answer any) error {
	if len(text) == 0 {
		return trouble(delivery.EmptyAnswer, res.Status)
	}
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return trouble(delivery.Rubbish, fmt.Sprintf("%q, no application/json", brief(res.Header.Get("Content-Type"))))
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(answer); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return trouble(delivery.Rubbish, "something stands behind it")
	}
	return nil
}

// detailOf is what a problem says of itself.
func detailOf(res *http.Response, text []byte) string {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind != "application/problem+json" {
		return ""
	}
	var p struct{ Title, Detail string }
	if json.Unmarshal(text, &p) != nil {
		return ""
	}
	return brief(cmp.Or(p.Detail, p.Title))
}

// brief keeps what the far end says short enough for a person.
func brief(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	const longest = 500
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}
