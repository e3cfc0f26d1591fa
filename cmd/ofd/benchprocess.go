package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program of ours that runs by itself.
type process struct {
	cmd   *exec.Cmd
	doors map[string]string // by name, where they are
	said  chan error        // its log has ended
	last  string            // line of its log; good when said has spoken
}

// startProcess runs `ofd serve` or `ofd till`, and waits until its doors are
// open: the one logs them, the other prints them.
func startProcess(ctx context.Context, program, dir string, args ...string) (*process, error) {
	p := &process{said: make(chan error, 1), doors: map[string]string{}}
	p.cmd = exec.CommandContext(ctx, program, args...) //nolint:gosec // ourselves
	p.cmd.Dir = dir                                    // without an ofd.toml
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopWithin
	p.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "OFD_") })
	log, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	ready := make(chan map[string]string, 2)
	go func() { p.said <- p.listen(log, ready) }()
	go func() {
		var open tillOpen
		if json.NewDecoder(out).Decode(&open) == nil && open.Address != "" {
			ready <- map[string]string{"http": open.Address, "ops": open.Ops}
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	select {
	case p.doors = <-ready:
		return p, nil
	case <-ctx.Done():
		err = ctx.Err()
	case err = <-p.said:
		p.said <- err
	case <-time.After(time.Minute):
		err = errors.New("not ready within a minute")
	}
	return nil, errors.Join(err, p.stop())
}

// listen reads the log to its end, and finds where the doors are.
func (p *process) listen(log io.Reader, ready chan<- map[string]string) error {
	doors := map[string]string{}
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		p.last = lines.Text()
		var line struct{ Msg, Door, Addr string }
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue
		}
		switch line.Msg {
		case "listening":
			doors[line.Door] = line.Addr
		case "ready":
			ready <- doors
			doors = map[string]string{}
		}
	}
	return lines.Err()
}

// stopWithin bounds how long it may take to stop.
const stopWithin = 15 * time.Second

// stop asks it to stop and waits for it.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended
	late := time.AfterFunc(stopWithin, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	err := errors.Join(<-p.said, p.cmd.Wait())
	if err != nil {
		return fmt.Errorf("%s ended badly: %w; it said last: %s", strings.Join(p.cmd.Args[1:3], " "), err, p.last)
	}
	return nil
}

// profile writes a CPU profile of the next while.
func (p *process) profile(ctx context.Context, file string, d time.Duration) (err error) {
	at := url.URL{Scheme: "http", Host: p.doors["ops"], Path: "/debug/pprof/profile", RawQuery: fmt.Sprintf("seconds=%d", max(1, int(d.Seconds())))}
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer answer.Body.Close()
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.Copy(f, answer.Body)
	return err
}

// resident is its memory in RAM, in bytes, as the kernel counts it.
func (p *process) resident() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("memory of a process: %w", err)
	}
	for line := range bytes.Lines(b) {
		if f := strings.Fields(string(line)); len(f) == 3 && f[0] == "VmRSS:" && f[2] == "kB" {
			kib, err := strconv.ParseInt(f[1], 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("memory of a process: the kernel does not tell")
}

// averages are those of the machine's load.
func averages() string {
	text, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 3 {
		return "unknown"
	}
	return strings.Join(fields[:3], " ")
}

// processorOf is what a process has used of processors, to a hundredth of a
// second; 0 where the kernel does not tell.
func processorOf(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const user, tick = 11, 10 * time.Millisecond // USER_HZ is 100 wherever Go runs
	if len(fields) < user+2 {
		return 0
	}
	u, _ := strconv.ParseInt(fields[user], 10, 64)
	s, _ := strconv.ParseInt(fields[user+1], 10, 64)
	return time.Duration(u+s) * tick
}
