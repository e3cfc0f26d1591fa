package pgcluster

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// server is a running postmaster.
type server struct {
	pid   int
	ended chan struct{} // closed when the process is gone
}

// serve starts the postmaster. Ports and settings are arguments and not in
// postgresql.conf, which a base backup would copy to a standby.
func (c *Cluster) serve() (*server, error) {
	args := []string{"-D", c.data(), "-p", strconv.Itoa(c.port)}
	for key, value := range c.settings {
		args = append(args, "-c", key+"="+value)
	}
	log, err := os.OpenFile(c.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(c.bin, "postgres"), args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.dir, environment(), log, log
	if err := unprivileged(cmd); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{pid: cmd.Process.Pid, ended: make(chan struct{})}
	go func() { // ends with the process, for which remove waits
		defer close(s.ended)
		_ = cmd.Wait()
	}()
	return s, nil
}

// freePort finds a port that nobody listens on, below those that the system
// gives out itself: nobody gets it by chance while the cluster is down.
func freePort() (int, error) {
	for range 100 {
		port := 15_000 + rand.IntN(17_000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no free port between 15000 and 32000")
}

// guard is the shell that outlives the test's process.
type guard struct {
	cmd  *exec.Cmd
	hold io.Closer // our end of the pipe
}

// watch waits for the end of the pipe, then kills whatever works in the data
// folder, frees the segment of shared memory that a killed postmaster leaves
// (its number is in the seventh line), and removes the folder.
const watch = `
read -r _
for p in /proc/[0-9]*; do
	[ "$p/cwd" -ef "$1/data" ] && kill -KILL "${p#/proc/}"
done
for n in 1 2 3 4 5; do
	for pid in "$1"/*/postmaster.pid; do
		segment=$(sed -n '7s/.* //p' "$pid")
		[ -z "$segment" ] || ipcrm -m "$segment"
	done
	rm -rf "$1" && exit 0
	sleep 0.1
done
`

// post starts the guard of a folder.
func post(dir string) (*guard, error) {
	cmd := exec.Command("/bin/sh", "-c", watch, "sh", dir)
	cmd.Dir, cmd.Env = "/", environment()
	if err := unprivileged(cmd); err != nil {
		return nil, err
	}
	hold, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &guard{cmd: cmd, hold: hold}, nil
}

// dismiss has the guard do its work now and waits for it.
func (g *guard) dismiss() {
	_ = g.hold.Close()
	_ = g.cmd.Wait()
}

// unprivileged has a command run as an ordinary user: PostgreSQL refuses root.
// It gets a session of its own, so that Ctrl-C reaches the test alone.
func unprivileged(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Getuid() != 0 {
		return nil
	}
	uid, gid, err := nobody()
	if err != nil {
		return err
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	return nil
}

// own gives a folder to the user of the cluster.
func own(dir string) error {
	if os.Getuid() != 0 {
		return nil
	}
	uid, gid, err := nobody()
	if err != nil {
		return err
	}
	return os.Chown(dir, int(uid), int(gid))
}

// nobody is the user under whom root starts clusters.
func nobody() (uid, gid uint32, err error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		return uint32(uid), uint32(gid), errors.Join(errUID, errGID)
	}
	return 0, 0, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody")
}

// environment is ours without what would lead PostgreSQL's programs elsewhere.
func environment() []string {
	env := []string{"LC_ALL=C"}
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "PG") && !strings.HasPrefix(pair, "LC_") && !strings.HasPrefix(pair, "LANG") {
			env = append(env, pair)
		}
	}
	return env
}

// processes are the cluster's processes: each works in the data folder. The
// postmaster comes first, unless it is 0.
func (c *Cluster) processes(postmaster int) []int {
	var pids []int
	if postmaster != 0 {
		pids = append(pids, postmaster)
	}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == postmaster {
			continue
		}
		// A process that ended but was not waited for has no folder any more.
		if cwd, err := os.Readlink(filepath.Join(dir, "cwd")); err == nil && cwd == c.data() {
			pids = append(pids, pid)
		}
	}
	return pids
}
