package config

import (
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// cli is a command line like that of cmd/ofd.
type cli struct {
	Config string `env:"OFD_CONFIG"`
	Serve  struct {
		Serve `embed:""`
	} `cmd:""`
	Demo struct {
		Data string `default:"demo-data"`
	} `cmd:""`
}

// parse reads a command line with a file and an environment.
func parse(t *testing.T, file string, env map[string]string, args ...string) (cli, error) {
	t.Helper()
	for name, value := range env {
		t.Setenv(name, value)
	}
	f, err := Parse("ofd.toml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	var c cli
	k, err := kong.New(&c, kong.Resolvers(f.Resolver(os.LookupEnv)), kong.Writers(io.Discard, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.Parse(args)
	return c, err
}

func TestPrecedence(t *testing.T) {
	const file = `kkm_addr = ":1003"`
	env := map[string]string{"OFD_KKM_ADDR": ":1002"}
	tests := []struct {
		name string
		file string
		env  map[string]string
		args []string
		want string
	}{
		{"default", "", nil, nil, ":7777"},
		{"file over default", file, nil, nil, ":1003"},
		{"environment over file", file, env, nil, ":1002"},
		{"flag over environment", file, env, []string{"--kkm-addr=:1001"}, ":1001"},
		{"flag over file", file, nil, []string{"--kkm-addr=:1001"}, ":1001"},
		{"closed by the file", `kkm_addr = "off"`, nil, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := parse(t, tt.file, tt.env, append([]string{"serve"}, tt.args...)...)
			if err != nil || c.Serve.KKMAddr.HostPort != tt.want {
				t.Errorf("serve %q: kkm-addr = %q, %v; want %q", tt.args, c.Serve.KKMAddr.HostPort, err, tt.want)
			}
		})
	}
}

// TestDefaults: with no file, no environment and no flag the server starts.
func TestDefaults(t *testing.T) {
	c, err := parse(t, "", nil, "serve")
	if err != nil {
		t.Fatal(err)
	}
	c.Serve.Data = filepath.Base(c.Serve.Data) // kong makes it absolute
	want := Serve{
		Data: "ofd-data", KKMAddr: Addr{":7777"}, HTTPAddr: Addr{":8080"}, OpsAddr: Addr{"127.0.0.1:9090"},
		Cache: 256 << 20, Parts: []Part{PartGate, PartWeb, PartFollowers},
	}
	if !reflect.DeepEqual(c.Serve.Serve, want) {
		t.Errorf("serve = %+v, want %+v", c.Serve.Serve, want)
	}
}

// TestFileReachesEveryFlag gives each key of the full file to the command line
// and expects what reading the file itself gave.
func TestFileReachesEveryFlag(t *testing.T) {
	path := filepath.Join("testdata", "config", "full.good.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := parse(t, string(text), nil, "serve")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c.Serve.Serve, f.Serve) {
		t.Errorf("serve = %+v, want %+v", c.Serve.Serve, f.Serve)
	}
}

// TestListsFromEnvironment: lists are separated by commas there.
func TestListsFromEnvironment(t *testing.T) {
	c, err := parse(t, `parts = ["web"]`, map[string]string{
		"OFD_PARTS":           "gate,followers",
		"OFD_TRUSTED_PROXIES": "10.0.0.0/8,::1",
	}, "serve")
	if err != nil {
		t.Fatal(err)
	}
	if want := []Part{PartGate, PartFollowers}; !reflect.DeepEqual(c.Serve.Parts, want) {
		t.Errorf("parts = %q, want %q", c.Serve.Parts, want)
	}
	want := []Proxy{{netip.MustParsePrefix("10.0.0.0/8")}, {netip.MustParsePrefix("::1/128")}}
	if !reflect.DeepEqual(c.Serve.TrustedProxies, want) {
		t.Errorf("trusted-proxies = %v, want %v", c.Serve.TrustedProxies, want)
	}
}

// TestBadFlag: a flag is judged in the same words as the file.
func TestBadFlag(t *testing.T) {
	_, err := parse(t, "", nil, "serve", "--cache=256MB")
	if want := `"256MB" is no size like 256MiB`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("serve --cache=256MB: %v, want an error with %s", err, want)
	}
}

// TestDemoKeepsItsFolder: sample data must never reach the folder of a real
// operator, whatever the file says.
func TestDemoKeepsItsFolder(t *testing.T) {
	c, err := parse(t, `data = "/var/lib/ofd"`, map[string]string{"OFD_DATA": "/var/lib/ofd"}, "demo")
	if err != nil || c.Demo.Data != "demo-data" {
		t.Errorf("demo: data = %q, %v; want demo-data", c.Demo.Data, err)
	}
}

// TestNames: a setting has one name in three forms.
func TestNames(t *testing.T) {
	typ := reflect.TypeFor[Serve]()
	for i := range typ.NumField() {
		field := typ.Field(i)
		key := field.Tag.Get("toml")
		if field.Type == reflect.TypeFor[Far]() { // a table: its flags and names begin with its own
			if prefix, env := field.Tag.Get("prefix"), field.Tag.Get("envprefix"); prefix != key+"-" || env != "OFD_"+strings.ToUpper(key)+"_" {
				t.Errorf("%s: flags --%s…, names %s…, table %s", field.Name, prefix, env, key)
			}
			continue
		}
		flag := field.Tag.Get("name")
		if flag == "" {
			flag = strings.ToLower(field.Name)
		}
		if want := strings.ReplaceAll(key, "_", "-"); flag != want {
			t.Errorf("%s: flag --%s, key %s", field.Name, flag, key)
		}
		if env, want := field.Tag.Get("env"), "OFD_"+strings.ToUpper(key); env != want {
			t.Errorf("%s: environment name %s, want %s", field.Name, env, want)
		}
		if field.Tag.Get("help") == "" {
			t.Errorf("%s: no help", field.Name)
		}
	}
}

func TestFind(t *testing.T) {
	t.Chdir(t.TempDir())
	none := func(string) (string, bool) { return "", false }
	named := func(name string) (string, bool) { return "env.toml", name == "OFD_CONFIG" }
	write := func(path, host string) {
		if err := os.WriteFile(path, []byte(`site = "https://`+host+`"`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	find := func(env LookupEnv, want string, args ...string) {
		t.Helper()
		f, err := Find(args, env)
		if err != nil || f.Site.URL != want {
			t.Errorf("Find(%q) = %v, %v; want the file with site %q", args, f, err, want)
		}
	}

	find(none, "", "serve")
	write("ofd.toml", "here")
	write("env.toml", "env")
	write("arg.toml", "arg")
	find(none, "https://here", "serve")
	find(named, "https://env", "serve")
	find(named, "https://arg", "--config", "arg.toml", "serve")
	find(named, "https://arg", "serve", "--config=arg.toml")
	find(none, "https://here", "decode", "--", "--config=arg.toml")

	if _, err := Find([]string{"--config=absent.toml"}, none); err == nil {
		t.Error("Find(--config=absent.toml) = nil, want an error: the file was asked for")
	}
}
