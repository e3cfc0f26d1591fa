package pdf

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestVendor: the files of others are those that VENDOR.md names.
func TestVendor(t *testing.T) {
	doc, err := os.ReadFile("VENDOR.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("\\| `(font/[^`]+)` \\| `([0-9a-f]{64})` \\|").FindAllSubmatch(doc, -1)
	files, err := os.ReadDir("font")
	if err != nil || len(files) != len(rows) {
		t.Fatalf("%d files, %d in VENDOR.md (%v)", len(files), len(rows), err)
	}
	for _, row := range rows {
		b, err := os.ReadFile(string(row[1]))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != string(row[2]) {
			t.Errorf("%s has the sum %x", row[1], sum)
		}
	}
}

// covered reads which letters a font has from its table cmap, format 4.
func covered(t *testing.T, font string) map[rune]bool {
	t.Helper()
	b, u16 := []byte(font), binary.BigEndian.Uint16
	var cmap []byte
	for i := range int(u16(b[4:])) {
		if entry := b[12+16*i:]; string(entry[:4]) == "cmap" {
			cmap = b[binary.BigEndian.Uint32(entry[8:]):]
		}
	}
	all := map[rune]bool{}
	for i := range int(u16(cmap[2:])) {
		table := cmap[binary.BigEndian.Uint32(cmap[4+8*i+4:]):]
		if u16(table) != 4 {
			continue
		}
		n := int(u16(table[6:])) / 2
		for seg := range n {
			for c := rune(u16(table[16+2*n+2*seg:])); c <= rune(u16(table[14+2*seg:])) && c < 0xffff; c++ {
				all[c] = true
			}
		}
	}
	return all
}

// TestFaces: both fonts have every letter that we say they have, and so those
// that Kazakh has and Russian has not, and the signs of the currencies.
//
// Req: T-041
func TestFaces(t *testing.T) {
	for name, font := range map[string]string{"regular": regular, "bold": bold} {
		has := covered(t, font)
		for _, f := range faces {
			for r := f[0]; r <= f[1]; r++ {
				if !has[r] {
					t.Errorf("%s lacks %q (U+%04X)", name, r, r)
				}
			}
		}
	}
	if text := "ӘәҒғҚқҢңӨөҰұҮүҺһІіЁё ₸₽€№ «»„“—–…•−×"; clean(text) != text {
		t.Errorf("clean(%q) = %q", text, clean(text))
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\nb\t\u200d🙂中\u202e")
	f.Add("\xff\x00")
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s)
		if !utf8.ValidString(got) || clean(got) != got {
			t.Errorf("clean(%q) = %q, again %q", s, got, clean(got))
		}
		for _, r := range got {
			if !has(r) {
				t.Errorf("clean(%q) keeps %q", s, r)
			}
		}
	})
}

// sample has one of everything.
func sample() *Sheet {
	s := &Sheet{Title: "Чек №1 «Әсем»", Lang: "kk", At: time.Date(2026, 3, 14, 9, 12, 41, 0, time.UTC)}
	s.Text("«Әсем Дүкен» ЖШС 🙂", Style{Center: true, Strong: true})
	s.Text("   ", Style{})
	s.Rule()
	s.Rule()
	s.Row("Label that is long enough to be broken over lines, is it not?", "23 456,10 ₸", Style{Size: Large, Strong: true})
	s.Row("short", strings.Repeat("value ", 40), Style{Muted: true})
	s.Row(strings.Repeat("both ", 30), strings.Repeat("long", 40), Style{Inner: true, Size: Small})
	s.Gap()
	s.QR("https://ofd.example/?i=1")
	return s
}

// TestSameBytes: what is written the same is the same file.
func TestSameBytes(t *testing.T) {
	for _, paper := range []Paper{Roll, A4} {
		want, err := sample().Bytes(paper)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if got, err := sample().Bytes(paper); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("on paper %d: %d bytes, want the same %d (%v)", paper, len(got), len(want), err)
			}
		}
		if !bytes.HasPrefix(want, []byte("%PDF-")) || bytes.Count(want, []byte("/Type /Page\n")) != 1 || len(want) > 60_000 {
			t.Errorf("on paper %d: %d bytes, %d pages", paper, len(want), bytes.Count(want, []byte("/Type /Page\n")))
		}
	}
}

// TestString: what is written reads as text, without what says nothing.
func TestString(t *testing.T) {
	want := "«Әсем Дүкен» ЖШС \uFFFD\n---\n"
	if got := sample().String(); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "\n[QR] https://ofd.example/?i=1\n") {
		t.Errorf("got %q, want it to begin with %q and end with the code", got, want)
	}
}

// TestManyPages: what is longer than a sheet goes on on the next, what is longer
// than a roll may be too, and what has no end is refused.
func TestManyPages(t *testing.T) {
	s := &Sheet{Title: "long", Lang: "en"}
	for i := range 1500 {
		s.Row(fmt.Sprintf("line %d", i), "1", Style{})
	}
	for paper, most := range map[Paper]int{Roll: 2, A4: 40} {
		b, err := s.Bytes(paper)
		if pages := bytes.Count(b, []byte("/Type /Page\n")); err != nil || pages < 2 || pages > most {
			t.Errorf("on paper %d: %d pages, %v", paper, pages, err)
		}
	}
	for range Most {
		s.Gap()
	}
	if _, err := s.Bytes(A4); err == nil {
		t.Error("a document without end was set")
	}
	empty := Sheet{}
	if b, err := empty.Bytes(Roll); err != nil || bytes.Count(b, []byte("/Type /Page\n")) != 1 {
		t.Errorf("nothing written: %d bytes, %v", len(b), err)
	}
}

// TestBroken: lines are no wider than they may be and lose nothing but spaces.
func TestBroken(t *testing.T) {
	for _, text := range []string{"a", "word word word", strings.Repeat("x", 500), "ұзақ атауы бар тауар " + strings.Repeat("ж", 90) + " соңы", ""} {
		s := (&Sheet{}).setter(Roll)
		s.face(Style{})
		lines := s.broken(text, 30)
		if got := strings.Join(lines, ""); strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(text, " ", "") {
			t.Errorf("broken(%q) = %q", text, lines)
		}
		for _, l := range lines {
			if w := s.GetStringWidth(l); w > 30.01 {
				t.Errorf("broken(%q) has a line of %.1f mm: %q", text, w, l)
			}
		}
	}
}
