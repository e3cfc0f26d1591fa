package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"openofd/internal/testkit/pgcluster"
)

// program is the binary under test, built once by TestMain.
var program string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ofd-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "ofd")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
		return 1
	}
	return pgcluster.Main(m)
}

// TestScripts plays testdata/*.txt against the real program over real sockets.
// One line is one step:
//
//	# words               a remark
//	ofd ARGS              run the program: it must exit with 0
//	!ofd ARGS             it must exit with 1: something failed or was found
//	?ofd ARGS             it must exit with 2: not understood
//	serve ARGS            start `ofd serve` on free ports; sets $kkm, $http, $ops
//	stop                  SIGTERM: it must exit with 0 within 10 s
//	kill                  SIGKILL
//	hup                   SIGHUP
//	log TEXT              the server says so within 5 s
//	get URL               fetch it; the body is the result. JSON: get URL application/json
//	stdin TEXT            what the next run reads
//	file NAME             the lines up to a lone "." become $dir/NAME
//	stdout TEXT           the last result holds the text; !stdout TEXT: it does not
//	stderr TEXT           so does the last talk; !stderr TEXT
//	json PATH TEXT        a value of the last result: json 0.card.model X1
//	let NAME PATH         keep such a value as $NAME
//
// Words may stand in 'quotes'; $NAME is replaced, in quotes too. Every step sees
// $data, the data folder, $dir, which holds it, and $pki, the certificates and
// signatures of the test authority. A script is played once on
// each engine: on PostgreSQL the environment names a migrated database, and
// $engine the engine. A step that only one of them can take begins with its
// name: "sqlite: !ofd migrate up".
//
// Req: O-104
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range scripts {
		for _, engine := range []string{"sqlite", "postgres"} {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".txt")+"/"+engine, func(t *testing.T) {
				t.Parallel()
				play(t, path, engine)
			})
		}
	}
}

// script is one script being played.
type script struct {
	t      *testing.T
	at     string // file and line, for complaints
	dir    string
	names  map[string]string
	stdin  string
	stdout string
	stderr string
	server *server
}

func play(t *testing.T, path, engine string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pki, err := filepath.Abs("../../internal/signature/testdata/pki")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := &script{t: t, dir: dir, names: map[string]string{"dir": dir, "data": filepath.Join(dir, "data"), "engine": engine, "pki": pki}}
	if engine == "postgres" {
		if strings.Contains(string(text), "migrate") { // it is about an empty one
			s.names["db"] = pgcluster.Database(t)
		} else {
			s.names["db"] = migratedDatabase(t)
		}
		s.run(exitOK, "migrate up")
	}
	t.Cleanup(func() {
		if s.server != nil {
			s.server.end(syscall.SIGKILL)
		}
	})
	lines := strings.Split(string(text), "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		s.at = fmt.Sprintf("%s:%d: %s", filepath.Base(path), i+1, line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		verb, rest, _ := strings.Cut(line, " ")
		if only, yes := strings.CutSuffix(verb, ":"); yes {
			if only != engine {
				continue
			}
			verb, rest, _ = strings.Cut(rest, " ")
		}
		if verb == "file" {
			var body []string
			for i++; i < len(lines) && lines[i] != "."; i++ {
				body = append(body, s.expand(lines[i]))
			}
			s.write(rest, strings.Join(body, "\n")+"\n")
			continue
		}
		s.step(verb, strings.TrimSpace(rest))
	}
}

func (s *script) fatalf(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("%s\n%s\nstdout:\n%s\nstderr:\n%s", s.at, fmt.Sprintf(format, args...), s.stdout, s.stderr)
}

func (s *script) step(verb, rest string) {
	s.t.Helper()
	switch verb {
	case "ofd":
		s.run(exitOK, rest)
	case "!ofd":
		s.run(exitFailed, rest)
	case "?ofd":
		s.run(exitUsage, rest)
	case "serve":
		s.serve(rest)
	case "stop":
		if code, took := s.server.end(syscall.SIGTERM); code != 0 || took > 20*time.Second {
			s.stderr = s.server.talk()
			s.fatalf("the server ended with %d after %v, want 0 within 20 s", code, took)
		}
		s.server = nil
	case "kill":
		s.server.end(syscall.SIGKILL)
		s.server = nil
	case "hup":
		s.server.cmd.Process.Signal(syscall.SIGHUP)
	case "log":
		s.log(s.expand(rest))
	case "get":
		s.get(s.words(rest))
	case "stdin":
		s.stdin = s.expand(rest) + "\n"
	case "stdout", "stderr", "!stdout", "!stderr":
		where := map[string]string{"stdout": s.stdout, "stderr": s.stderr}[strings.TrimPrefix(verb, "!")]
		if want := !strings.HasPrefix(verb, "!"); strings.Contains(where, s.expand(rest)) != want {
			s.fatalf("%q is there: %t, want %t", s.expand(rest), !want, want)
		}
	case "json":
		path, want, _ := strings.Cut(rest, " ")
		if got := s.value(path); got != s.expand(want) {
			s.fatalf("%s is %s, want %s", path, got, s.expand(want))
		}
	case "let":
		name, path, _ := strings.Cut(rest, " ")
		s.names[name] = s.value(path)
	default:
		s.fatalf("no such step")
	}
}

func (s *script) run(want int, line string) {
	s.t.Helper()
	var out, talk bytes.Buffer
	cmd := exec.Command(program, s.words(line)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(s.stdin), &out, &talk
	cmd.Dir, cmd.Env = s.dir, s.env()
	err := cmd.Run()
	s.stdin, s.stdout, s.stderr = "", out.String(), talk.String()
	if got := cmd.ProcessState.ExitCode(); got != want {
		s.fatalf("exit code %d (%v), want %d", got, err, want)
	}
	if n := strings.Count("\n"+s.stderr, "\nofd: "); want != exitOK && s.stdout == "" && n != 1 {
		s.fatalf("the failure is told %d times, want one line", n)
	}
}

// log waits for the server's words.
func (s *script) log(text string) {
	s.t.Helper()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if s.stderr = s.server.talk(); strings.Contains(s.stderr, text) {
			return
		}
	}
	s.fatalf("the server does not say %q", text)
}

// get fetches a page; the status takes the place of the talk.
func (s *script) get(words []string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, words[0], nil)
	if err != nil {
		s.fatalf("%v", err)
	}
	if len(words) > 1 {
		req.Header.Set("Accept", words[1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.fatalf("%v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.fatalf("%v", err)
	}
	s.stdout, s.stderr = string(body), resp.Status
}

// env is the environment without what a developer's own server may have set.
func (s *script) env() []string {
	env := []string{"OFD_DATA=" + s.names["data"], "OFD_DB=" + s.names["db"]}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "OFD_") {
			env = append(env, e)
		}
	}
	return env
}

func (s *script) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.fatalf("%v", err)
	}
}

var dollar = regexp.MustCompile(`\$[a-z_]+`)

func (s *script) expand(text string) string {
	return dollar.ReplaceAllStringFunc(text, func(name string) string {
		v, ok := s.names[name[1:]]
		if !ok {
			s.fatalf("%s is not set", name)
		}
		return v
	})
}

var word = regexp.MustCompile(`(?:'[^']*'|[^\s'])+`)

func (s *script) words(line string) []string {
	var all []string
	for _, w := range word.FindAllString(line, -1) {
		all = append(all, s.expand(strings.ReplaceAll(w, "'", "")))
	}
	return all
}

// value is a value of the last result by its path.
func (s *script) value(path string) string {
	s.t.Helper()
	d := json.NewDecoder(strings.NewReader(s.stdout))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		s.fatalf("the result is no JSON: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		s.fatalf("the result is more than one JSON document")
	}
	for _, key := range strings.Split(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[key]
		case []any:
			i, err := strconv.Atoi(key)
			if key == "#" {
				return strconv.Itoa(len(in))
			}
			if err != nil || i >= len(in) {
				s.fatalf("%s: no element %s of %d", path, key, len(in))
			}
			v = in[i]
		default:
			s.fatalf("%s: nothing below %v", path, v)
		}
	}
	return fmt.Sprint(v)
}

// server is `ofd serve` under a script.
type server struct {
	cmd *exec.Cmd
	out chan struct{} // closed when its talk has ended

	mu    sync.Mutex
	lines []string
	addrs map[string]string
	up    chan struct{} // closed when it is ready
}

func (s *script) serve(line string) {
	s.t.Helper()
	args := append([]string{"serve", "--kkm-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0"}, s.words(line)...)
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = s.dir, s.env()
	talk, err := cmd.StderrPipe()
	if err != nil {
		s.fatalf("%v", err)
	}
	if err := cmd.Start(); err != nil {
		s.fatalf("%v", err)
	}
	s.server = &server{cmd: cmd, out: make(chan struct{}), up: make(chan struct{}), addrs: map[string]string{}}
	go s.server.listen(talk)
	select {
	case <-s.server.up:
	case <-s.server.out:
		s.stderr = s.server.talk()
		s.fatalf("the server ended at once: %v", cmd.Wait())
	case <-time.After(time.Minute):
		s.stderr = s.server.talk()
		s.fatalf("the server is not ready after a minute")
	}
	for door, addr := range s.server.addrs {
		s.names[door] = addr
	}
}

// listen reads the server's log: it names the doors, then says that it is
// ready.
func (sv *server) listen(talk io.Reader) {
	defer close(sv.out)
	lines := bufio.NewScanner(talk)
	for lines.Scan() {
		sv.mu.Lock()
		sv.lines = append(sv.lines, lines.Text())
		sv.mu.Unlock()
		var said struct{ Msg, Door, Addr string }
		if json.Unmarshal(lines.Bytes(), &said) != nil {
			continue
		}
		switch said.Msg {
		case "listening":
			sv.addrs[said.Door] = said.Addr
		case "ready":
			close(sv.up)
		}
	}
}

func (sv *server) talk() string {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	return strings.Join(sv.lines, "\n")
}

// end sends a signal and waits for the process.
func (sv *server) end(sig syscall.Signal) (code int, took time.Duration) {
	began := time.Now()
	sv.cmd.Process.Signal(sig)
	<-sv.out
	sv.cmd.Wait()
	return sv.cmd.ProcessState.ExitCode(), time.Since(began)
}
