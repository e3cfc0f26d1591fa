package ui

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rsc.io/qr"
)

func TestAssets(t *testing.T) {
	a, err := LoadAssets()
	if err != nil {
		t.Fatal(err)
	}
	get := func(path, accept string) *http.Response {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", accept)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		return w.Result()
	}
	for name := range a.names {
		res := get(a.Path(name), "")
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != http.StatusOK || len(body) == 0 {
			t.Fatalf("%s: %d, %d bytes", a.Path(name), res.StatusCode, len(body))
		}
		sum := sha256.Sum256(body)
		if !strings.Contains(a.Path(name), hex.EncodeToString(sum[:8])) {
			t.Errorf("%s does not carry the hash of what it gives", a.Path(name))
		}
		if got := res.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s may be kept %q", name, got)
		}
		if strings.HasSuffix(name, ".css") {
			for _, ref := range reference.FindAllSubmatch(body, -1) {
				if res := get(string(ref[1]), ""); res.StatusCode != http.StatusOK {
					t.Errorf("%s names %s, which answers %d", name, ref[1], res.StatusCode)
				}
			}
			packed := get(a.Path(name), "gzip, br")
			z, err := gzip.NewReader(packed.Body)
			if err != nil {
				t.Fatal(err)
			}
			if unpacked, err := io.ReadAll(z); err != nil || string(unpacked) != string(body) {
				t.Errorf("%s packed is not what it is unpacked (%v)", name, err)
			}
		}
	}
	for _, path := range []string{AssetPath + "base.css", AssetPath, AssetPath + "font/LICENSE", AssetPath + "../doc.go"} {
		if res := get(path, ""); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %d, want 404", path, res.StatusCode)
		}
	}
	for _, name := range []string{"part/font.css", "part/paper.css"} {
		if a.names[name] != "" {
			t.Errorf("%s is served by itself", name)
		}
	}
	if err := new(Assets).add("bad.css", []byte(`a { background: url("gone.svg") }`)); err == nil {
		t.Error("a stylesheet that names what is not there was loaded")
	}
}

// Each sheet is what it would be with its parts written into it.
func TestParts(t *testing.T) {
	a, err := LoadAssets()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ sheet, part, indent string }{
		{"base.css", "font.css", ""}, {"room/room.css", "font.css", ""}, {"receipt.css", "paper.css", ""}, {"room/paper.css", "paper.css", "  "},
	} {
		part, err := os.ReadFile("assets/part/" + c.part)
		if err != nil {
			t.Fatal(err)
		}
		sheet, err := os.ReadFile("assets/" + c.sheet)
		if err != nil {
			t.Fatal(err)
		}
		written := regexp.MustCompile(`(?m)^(.+)$`).ReplaceAllString(string(part), c.indent+"$1")
		want := strings.Replace(string(sheet), c.indent+`@part "`+c.part+"\";\n", written, 1)
		want = reference.ReplaceAllStringFunc(want, func(ref string) string {
			return `url("` + a.Path(reference.FindStringSubmatch(ref)[1]) + `")`
		})
		if got := string(a.files[a.names[c.sheet]].content); got != want || strings.Contains(got, "@part") {
			t.Errorf("%s with its part is\n%s\nwant\n%s", c.sheet, got, want)
		}
	}
	if _, err := whole("bad.css", []byte("@part \"gone.css\";\n")); err == nil {
		t.Error("a stylesheet with a part that is not there was loaded")
	}
}

// TestAssetWeight keeps small what a buyer's phone fetches, and what a seller's
// does at the first visit.
func TestAssetWeight(t *testing.T) {
	a, err := LoadAssets()
	if err != nil {
		t.Fatal(err)
	}
	check, rooms, till := 0, 0, 0
	for name, f := range a.files {
		size := len(f.content)
		if f.packed != nil {
			size = len(f.packed)
		}
		if strings.HasPrefix(name, "room/forge.") { // fetched by who signs with a key file, at that moment
			if size > 80<<10 {
				t.Errorf("%s weighs %d bytes, want 80 KiB at most", name, size)
			}
			continue
		}
		if strings.HasPrefix(name, "till/") {
			till += size
			continue
		}
		rooms += size
		if !strings.HasPrefix(name, "room/") {
			check += size
		}
	}
	if check > 64<<10 || rooms > 200<<10 {
		t.Errorf("the assets of the check weigh %d bytes together, want 64 KiB at most; with those of rooms %d, want 200", check, rooms)
	}
	if till > 64<<10 {
		t.Errorf("what the till keeps on a phone beside fonts weighs %d bytes, want 64 KiB at most", till)
	}
	t.Logf("%d and %d bytes, fonts in all weights included; %d of the till", check, rooms, till)
}

// TestVendored: what others made is listed with its checksum, and nothing else
// is.
func TestVendored(t *testing.T) {
	list, err := os.ReadFile("VENDOR.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := 0
	check := func(files fs.FS, pattern, prefix string) {
		names, err := fs.Glob(files, pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("no files for %s: %v", pattern, err)
		}
		for _, name := range names {
			content, err := fs.ReadFile(files, name)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(content)
			if row := "| `" + prefix + name + "` | `" + hex.EncodeToString(sum[:]) + "` |"; !strings.Contains(string(list), row) {
				t.Errorf("VENDOR.md lacks the row\n%s", row)
			}
			listed++
		}
	}
	check(assetFiles, "assets/font/*", "")
	check(assetFiles, "assets/room/tabler*", "")
	check(assetFiles, "assets/room/forge*", "")
	check(os.DirFS("../testdata"), "vendor/*", "../testdata/")
	if rows := strings.Count(string(list), "\n| `"); rows != listed {
		t.Errorf("VENDOR.md has %d rows of files, there are %d", rows, listed)
	}
}

// TestQR draws the path again and compares it with the code.
func TestQR(t *testing.T) {
	const text = "https://ofd.example/check?i=362397639340&f=010101907421&s=23456.10&t=20260314T091241"
	q, err := NewQR(text)
	if err != nil {
		t.Fatal(err)
	}
	want, err := qr.Encode(text, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	if q.Side != want.Size+2*quiet {
		t.Fatalf("side %d, want %d", q.Side, want.Size+2*quiet)
	}
	drawn := make([][]bool, q.Side)
	for y := range drawn {
		drawn[y] = make([]bool, q.Side)
	}
	for _, m := range pathRun.FindAllStringSubmatch(q.Path, -1) {
		x, y, run := atoi(t, m[1]), atoi(t, m[2]), atoi(t, m[3])
		for i := range run {
			drawn[y][x+i] = true
		}
	}
	for y := range drawn {
		for x := range drawn[y] {
			if dark := want.Black(x-quiet, y-quiet); drawn[y][x] != dark {
				t.Fatalf("square %d, %d is %t, want %t", x, y, drawn[y][x], dark)
			}
		}
	}
	if _, err := NewQR(strings.Repeat("x", 5000)); err == nil {
		t.Error("a text too long for a code was drawn")
	}
}

var pathRun = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-\d+z`)

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
