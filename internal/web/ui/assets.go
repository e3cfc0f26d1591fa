package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed assets
var assetFiles embed.FS

// AssetPath is where assets are served.
const AssetPath = "/assets/"

// Assets are the embedded files under names that carry their hash, so that a
// browser may keep them for ever and a new version is a new name. Safe for
// concurrent use.
type Assets struct {
	names map[string]string // "app.css" → "app.3f2a….css"
	files map[string]asset  // by the hashed name
}

type asset struct {
	kind    string
	content []byte
	packed  []byte // gzip, nil where it does not pay
}

// kinds are the types of what we embed; other files are not served.
var kinds = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml",
	".png":   "image/png",
	".woff2": "font/woff2",
}

// reference is a file that a stylesheet names, and not one that it holds.
var reference = regexp.MustCompile(`url\("([^":]+)"\)`)

// partFolder holds what several stylesheets share. It is served only as a part
// of them.
const partFolder = "assets/part"

// partLine is where a stylesheet has a part, which is indented as the line is.
var partLine = regexp.MustCompile(`(?m)^([ \t]*)@part "([^"]+)";\n`)

// LoadAssets gives the embedded files. They are read and packed once, whoever
// asks: nobody changes them.
func LoadAssets() (*Assets, error) { return loadAssets() }

var loadAssets = sync.OnceValues(readAssets)

// readAssets reads the embedded files. Stylesheets come last: what they refer
// to must have its name by then.
func readAssets() (*Assets, error) {
	a := &Assets{names: map[string]string{}, files: map[string]asset{}}
	for _, styles := range []bool{false, true} {
		err := fs.WalkDir(assetFiles, "assets", func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || kinds[path.Ext(file)] == "" || (path.Ext(file) == ".css") != styles || path.Dir(file) == partFolder {
				return err
			}
			content, err := assetFiles.ReadFile(file)
			if err == nil && styles {
				content, err = whole(file, content)
			}
			if err != nil {
				return err
			}
			return a.add(strings.TrimPrefix(file, "assets/"), content)
		})
		if err != nil {
			return nil, fmt.Errorf("load assets: %w", err)
		}
	}
	return a, nil
}

// whole puts the parts into a stylesheet.
func whole(name string, sheet []byte) ([]byte, error) {
	var missing error
	sheet = partLine.ReplaceAllFunc(sheet, func(line []byte) []byte {
		m := partLine.FindSubmatch(line)
		part, err := assetFiles.ReadFile(path.Join(partFolder, string(m[2])))
		if err != nil {
			missing = fmt.Errorf("a part of %s: %w", name, err)
		}
		if len(m[1]) == 0 {
			return part
		}
		var b []byte
		for l := range bytes.Lines(part) {
			if len(l) > 1 { // an empty line stays empty
				b = append(b, m[1]...)
			}
			b = append(b, l...)
		}
		return b
	})
	return sheet, missing
}

func (a *Assets) add(name string, content []byte) error {
	ext := path.Ext(name)
	if ext == ".css" {
		var missing string
		content = reference.ReplaceAllFunc(content, func(ref []byte) []byte {
			target := string(reference.FindSubmatch(ref)[1])
			if a.names[target] == "" {
				missing = target
			}
			return []byte(`url("` + a.Path(target) + `")`)
		})
		if missing != "" {
			return fmt.Errorf("%s names %s, which is not there", name, missing)
		}
	}
	sum := sha256.Sum256(content)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:8]) + ext
	f := asset{kind: kinds[ext], content: content}
	if ext != ".woff2" && ext != ".png" {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err != nil {
			return err
		}
		if _, err := z.Write(content); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		f.packed = b.Bytes()
	}
	a.names[name], a.files[hashed] = hashed, f
	return nil
}

// Path is the address of an asset by its plain name.
func (a *Assets) Path(name string) string { return AssetPath + a.names[name] }

// Below lists the addresses of the assets in folders, in their order.
func (a *Assets) Below(folders ...string) (all []string) {
	for name := range a.names {
		if slices.ContainsFunc(folders, func(f string) bool { return strings.HasPrefix(name, f+"/") }) {
			all = append(all, a.Path(name))
		}
	}
	slices.Sort(all)
	return all
}

// ServeHTTP serves the assets below AssetPath.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[strings.TrimPrefix(r.URL.Path, AssetPath)]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	content := f.content
	if f.packed != nil {
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			content = f.packed
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // the client is gone: nothing to tell it
	}
}
