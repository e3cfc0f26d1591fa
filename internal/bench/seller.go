package bench

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Seller is a browser that is signed in at a till and works at one register.
type Seller struct {
	Secret   string // of its session
	Register uint32
}

// SellersConfig describes a load on a till. All but Rate and Warmup must be set.
type SellersConfig struct {
	Addr     string // host:port of the till
	Sellers  []Seller
	Rate     int           // sales a second that are due, from all together; 0 is one for each seller
	Duration time.Duration // of the measured part
	Warmup   time.Duration // before it, not measured
	Measured func()        // called as the measured part begins
}

// SellersLoad is what a run has measured. A latency counts from the moment at
// which the seller was due to ask for the receipt until its page was there.
type SellersLoad struct {
	Load
	Requests   uint64 // of browsers, in the whole run
	Sales      uint64 // in the whole run
	Autonomous uint64 // of these, receipts that the operator did not answer in time
}

// RunSellers lets browsers sell. Each does what chromium does for a sale at the
// keypad, request by request, and is busy with one sale at a time; when it is due
// the next one, its latency runs, whether it is free or not. Each has a beat of
// its own, from which a sale is up to a quarter late by chance, so that all of
// them together come as from many who know nothing of each other.
//
// Errors: a bad config, or no connection at all. What goes wrong later is
// counted in Load.Errors.
func RunSellers(ctx context.Context, cfg SellersConfig) (*SellersLoad, error) {
	if len(cfg.Sellers) == 0 || cfg.Duration <= 0 || cfg.Warmup < 0 || cfg.Rate < 0 {
		return nil, errors.New("bench: no sellers, or no time for them")
	}
	if cfg.Rate == 0 {
		cfg.Rate = len(cfg.Sellers)
	}
	browsers := make([]*browser, len(cfg.Sellers))
	for i, s := range cfg.Sellers {
		browsers[i] = &browser{addr: cfg.Addr, seller: s, kept: map[string]bool{}, errors: map[string]uint64{}}
	}
	if err := browsers[0].connect(ctx); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	start := time.Now()
	measured := start.Add(cfg.Warmup)
	end := measured.Add(cfg.Duration)
	if cfg.Measured != nil {
		begins := time.AfterFunc(time.Until(measured), cfg.Measured)
		defer begins.Stop()
	}
	pace := time.Second * time.Duration(len(cfg.Sellers)) / time.Duration(cfg.Rate)
	var all sync.WaitGroup
	for _, b := range browsers {
		all.Go(func() { b.work(ctx, start, measured, end, pace) })
	}
	all.Wait()
	l := &SellersLoad{Load: Load{Elapsed: time.Since(measured), Errors: map[string]uint64{}, Registers: len(browsers), Connections: len(browsers)}}
	for _, b := range browsers {
		l.Accepted += b.accepted
		l.Requests += b.requests
		l.Sales += b.sales
		l.Autonomous += b.autonomous
		l.latencies.merge(&b.latencies)
		for what, n := range b.errors {
			l.Errors[what] += n
		}
	}
	return l, nil
}

// browser is one seller's. One goroutine owns it.
type browser struct {
	addr   string
	seller Seller
	conn   net.Conn
	in     *bufio.Reader
	out    []byte
	body   []byte          // of the last answer
	kept   map[string]bool // what the browser need not ask for again

	accepted, requests, sales, autonomous uint64
	latencies                             histogram
	errors                                map[string]uint64
}

// work sells until end.
func (b *browser) work(ctx context.Context, start, measured, end time.Time, pace time.Duration) {
	defer b.close()
	share := func(d time.Duration) time.Duration { return time.Duration(mrand.Int64N(int64(d))) }
	for beat := start.Add(share(pace)); beat.Before(end); beat = beat.Add(pace) {
		due := beat.Add(share(pace/4 + 1))
		draft, err := b.prepare(ctx)
		if err == nil {
			select {
			case <-time.After(time.Until(due)):
			case <-ctx.Done():
				return
			}
			if err = b.sell(ctx, draft); err == nil {
				b.sales++
				if done := time.Now(); !due.Before(measured) {
					b.accepted++
					b.latencies.add(done.Sub(due))
				}
			}
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			b.errors[err.Error()]++
			b.close()
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// prepare opens the keypad, types a sum and looks at the preliminary receipt,
// with what a browser fetches beside.
func (b *browser) prepare(ctx context.Context) (draft []byte, err error) {
	if err := b.navigate(ctx, "/", `id="sale"`); err != nil {
		return nil, err
	}
	if err := b.once(ctx, "/offline"); err != nil { // the page's worker keeps it
		return nil, err
	}
	if err := b.do(ctx, http.MethodGet, "/standing", "application/json", nil, `"state":"`); err != nil {
		return nil, err
	}
	if err := b.do(ctx, http.MethodGet, "/sw.js", "*/*", nil, "importScripts"); err != nil {
		return nil, err
	}
	var name [16]byte
	_, _ = rand.Read(name[:]) // never fails
	sum := strconv.Itoa(100+mrand.IntN(9900)) + ".00"
	draft = fmt.Appendf(nil, `{"id":%q,"register":%d,"op":"sale","extended":false,"parent":0,"total":%q,"lines":[{"quantity":"1","price":%q}],"paid":{"chosen":true},"buyer":""}`,
		hex.EncodeToString(name[:]), b.seller.Register, sum, sum)
	return draft, b.do(ctx, http.MethodPost, "/draft/preview", "application/json", draft, "preliminary")
}

// sell asks for the receipt and shows it.
func (b *browser) sell(ctx context.Context, draft []byte) error {
	if err := b.do(ctx, http.MethodPost, "/draft/form", "application/json", draft, `"go"`); err != nil {
		return err
	}
	var said struct{ Go string }
	if err := json.Unmarshal(b.body, &said); err != nil {
		return fmt.Errorf("/draft/form: %w", err)
	}
	if err := b.do(ctx, http.MethodGet, said.Go, "text/html", nil, `class="sign"`); err != nil {
		return err
	}
	if strings.Contains(string(b.body), `class="stamp"`) {
		b.autonomous++
	}
	return b.once(ctx, "/manifest.webmanifest?lang=ru")
}

// navigate opens a page.
func (b *browser) navigate(ctx context.Context, path, holds string) error {
	if err := b.do(ctx, http.MethodGet, path, "text/html", nil, holds); err != nil {
		return err
	}
	return b.once(ctx, "/manifest.webmanifest?lang=ru")
}

// once fetches what a browser keeps, if the till lets it.
func (b *browser) once(ctx context.Context, path string) error {
	if b.kept[path] {
		return nil
	}
	return b.do(ctx, http.MethodGet, path, "*/*", nil, "")
}

// do asks and reads the answer, which is to be a good one that holds a text.
func (b *browser) do(ctx context.Context, method, path, accept string, body []byte, holds string) error {
	bad := func(why string) error {
		at, _, _ := strings.Cut(path, "?")
		if strings.HasPrefix(at, "/document/") {
			at = "/document"
		}
		return &badAnswer{at + ": " + why}
	}
	if b.conn == nil {
		if err := b.connect(ctx); err != nil {
			return bad("connection")
		}
	}
	_ = b.conn.SetDeadline(time.Now().Add(patience)) // fails on a closed one only
	b.out = fmt.Appendf(b.out[:0], "%s %s HTTP/1.1\r\nHost: %s\r\nAccept: %s\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: ru-KZ,ru;q=0.9,kk;q=0.8,en;q=0.7\r\n"+
		"Cookie: till_session=%s; till_register=%d\r\nUser-Agent: %s\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n", method, path, b.addr, accept, b.seller.Secret, b.seller.Register, agent)
	if body != nil {
		b.out = fmt.Appendf(b.out, "Origin: http://%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", b.addr, len(body))
	}
	b.out = append(append(b.out, "\r\n"...), body...)
	b.requests++
	if _, err := b.conn.Write(b.out); err != nil {
		return bad("connection")
	}
	answer, err := http.ReadResponse(b.in, nil)
	if err != nil {
		return bad("connection")
	}
	b.body = b.body[:0]
	for {
		if len(b.body) == cap(b.body) {
			b.body = append(make([]byte, 0, 2*cap(b.body)+16<<10), b.body...)
		}
		n, err := answer.Body.Read(b.body[len(b.body):cap(b.body)])
		b.body = b.body[:len(b.body)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || len(b.body) > maxPage {
			return bad("connection")
		}
	}
	if answer.StatusCode != http.StatusOK {
		return bad(strconv.Itoa(answer.StatusCode))
	}
	if !strings.Contains(string(b.body), holds) {
		return bad("answer")
	}
	if path == "/offline" || strings.Contains(answer.Header.Get("Cache-Control"), "max-age=") {
		b.kept[path] = true
	}
	return nil
}

const (
	agent   = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
	maxPage = 1 << 20
)

func (b *browser) connect(ctx context.Context) error {
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", b.addr)
	if err != nil {
		return err
	}
	b.conn, b.in = conn, bufio.NewReader(conn)
	return nil
}

func (b *browser) close() {
	if b.conn != nil {
		_ = b.conn.Close() // what was answered was read
		b.conn = nil
	}
}
