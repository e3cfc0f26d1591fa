package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"openofd/internal/bench"
)

// idleOpeners is how many connections are opened at a time, each by a register
// that has no part in the load.
const idleOpeners = 16

// idle holds silent connections to an operator in a process of its own, for
// one process may not have descriptors for both ends, while a load runs beside
// them. Its memory before and after tells what a connection costs. The
// operator's idle timeout is an hour for the run, so that silence is allowed.
func (c *benchLoad) idle(con *console) (err error) {
	if c.Addr != "" || c.Fill > 0 {
		return errors.New("--idle goes neither with --addr nor with --fill")
	}
	dir, err := os.MkdirTemp("", "ofd-bench-")
	if err != nil {
		return fmt.Errorf("folder of the operator: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	load, idle, err := c.idleRegisters(con, dir)
	if err != nil {
		return err
	}
	s, err := c.startServed(con, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()

	before, err := s.resident()
	if err != nil {
		return err
	}
	con.say("opening %d connections", c.Idle)
	held, err := bench.OpenIdle(con.ctx, bench.IdleConfig{Addr: s.addr, TLS: s.trust, Connections: c.Idle, Registers: idle})
	if err != nil {
		return err
	}
	defer held.Close()
	after, err := s.resident()
	if err != nil {
		return err
	}
	con.say("%d registers over %d connections for %v", c.Registers, min(c.Connections, c.Registers), c.Warmup+c.Duration)
	cfg := c.config(s.addr, load)
	cfg.TLS = s.trust
	ran, err := c.profiled(func() (*bench.Load, error) { return bench.Run(con.ctx, cfg) })
	if err != nil {
		return err
	}
	report := bench.NewReport(ran, c.Rate, bench.Ceilings{})
	report.IdleConnections, report.IdleTLS = c.Idle, c.TLS
	report.IdleBytes, report.IdleOpened = (after-before)/int64(c.Idle), held.Opened.Seconds()
	report.IdleLost = held.Lost(con.ctx)
	return c.report(con, ran, report)
}

// idleRegisters registers who will speak, before the operator runs.
func (c *benchLoad) idleRegisters(con *console, dir string) (load, idle []bench.Register, err error) {
	at := coreConfig{Dir: dir, DB: c.DB.URL, Serve: true, Operator: demoOperator().At(con.file.Site)}
	if c.DB.URL != "" {
		at.KeyFile = c.KeyFile
	}
	core, err := startCore(con.ctx, at)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, core.stop()) }()
	all, err := c.addRegisters(con, core, c.Registers+idleOpeners)
	if err != nil {
		return nil, nil, err
	}
	return all[:c.Registers], all[c.Registers:], nil
}

// served is an operator that runs in a process of its own.
type served struct {
	*process
	addr  string
	trust *tls.Config // nil for the plain door
}

// startServed runs `ofd serve` and waits until it says that it is ready.
func (c *benchLoad) startServed(con *console, dir string) (*served, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program: %w", err)
	}
	file := filepath.Join(dir, "bench.toml")
	country, door, name := c.served()
	settings := country + fmt.Sprintf(`[kkm]
idle_timeout = "1h"
[limits]
connections = %[1]d
per_address = %[1]d
exchanges = "off"
address_frames_per_second = "off"
register_frames_per_second = "off"
`, c.Idle+c.Connections+64)
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		return nil, fmt.Errorf("settings of the operator: %w", err)
	}
	args := append([]string{"--config", file, "serve", "--data", dir, "--http-addr", "off", "--ops-addr", "off"}, door...)
	if c.DB.URL != "" {
		args = append(args, "--db", c.DB.URL, "--key-file", c.KeyFile)
	}
	s := new(served)
	if c.TLS {
		cert, key, trust, err := selfSigned(dir)
		if err != nil {
			return nil, err
		}
		s.trust, name = trust, "kkm-tls"
		args = append(args, "--kkm-tls-addr", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key)
	}
	if s.process, err = startProcess(con.ctx, program, dir, args...); err != nil {
		return nil, fmt.Errorf("start the operator: %w", err)
	}
	s.addr = s.doors[name]
	return s, nil
}

// selfSigned makes a certificate for one run in dir, and who trusts it.
func selfSigned(dir string) (certFile, keyFile string, trust *tls.Config, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return "", "", nil, err
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return "", "", nil, err
	}
	certFile, keyFile = filepath.Join(dir, "bench.crt"), filepath.Join(dir, "bench.key")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	trust = &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost"}
	trust.RootCAs.AppendCertsFromPEM(cert)
	return certFile, keyFile, trust, errors.Join(
		os.WriteFile(certFile, cert, 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), 0o600),
	)
}
