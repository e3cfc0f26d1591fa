package config

import (
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// LookupEnv is os.LookupEnv, or a test's stand-in.
type LookupEnv func(name string) (string, bool)

// envPrefix begins every name of ours in the environment.
const envPrefix = "OFD_"

// Find reads the file that the arguments name with --config, else the one that
// OFD_CONFIG names, else ofd.toml where there is one. Where there is none it
// returns an empty File, which says nothing.
func Find(args []string, env LookupEnv) (*File, error) {
	if path, ok := named(args); ok {
		return Open(path)
	}
	if path, ok := env(envPrefix + "CONFIG"); ok && path != "" {
		return Open(path)
	}
	if _, err := os.Stat(DefaultName); err != nil {
		return &File{}, nil
	}
	return Open(DefaultName)
}

// named looks for --config before the command line is parsed, because parsing
// already needs what the file says.
func named(args []string) (path string, ok bool) {
	for i, arg := range args {
		if arg == "--" {
			return "", false
		}
		if path, ok := strings.CutPrefix(arg, "--config="); ok {
			return path, true
		}
		if arg == "--config" && i+1 < len(args) {
			return args[i+1], true
		}
	}
	return "", false
}

// Resolver gives kong the file's value for each flag that has a name in the
// environment, unless the environment has one. A flag without such a name, as
// the folder of the demo, takes nothing from the file.
func (f *File) Resolver(env LookupEnv) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			if _, set := env(name); set {
				return nil, nil // kong has read it
			}
		}
		for _, name := range flag.Envs {
			if key, ours := strings.CutPrefix(name, envPrefix); ours {
				if value := f.value(strings.ToLower(key)); value != nil {
					return value, nil
				}
			}
		}
		return nil, nil
	})
}

// value is what the file says of a key: kkm_addr above the tables, or kgd_url as
// url of the table kgd.
func (f *File) value(key string) any {
	if value := f.top[key]; value != nil {
		return value
	}
	name, within, _ := strings.Cut(key, "_")
	table, _ := f.top[name].(map[string]any)
	return table[within]
}
