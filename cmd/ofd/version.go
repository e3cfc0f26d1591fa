package main

import (
	"fmt"
	"io"
	"runtime/debug"
)

type versionCmd struct{}

// build is what the binary knows of itself.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"` // built from files that were not committed
	Go       string `json:"go"`
}

func thisBuild() build {
	b := build{Version: "unknown", Go: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Go = info.GoVersion
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func (versionCmd) Run(con *console) error {
	b := thisBuild()
	return con.result(b, func(w io.Writer) { fmt.Fprintf(w, "ofd %s, %s\n", b.Version, b.Go) })
}
