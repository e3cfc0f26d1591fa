package config

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
)

var update = flag.Bool("update", false, "write the golden files again")

// files returns the test files of a kind, and their texts.
func files(t *testing.T, kind string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "config", "*."+kind+".toml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no *.%s.toml: %v", kind, err)
	}
	texts := make(map[string]string)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
	}
	return texts
}

func TestGoodFiles(t *testing.T) {
	want := map[string]File{
		"empty.good.toml": {},
		"tables.good.toml": {
			Operator: Operator{Title: fiscal.Text{RU: "ОФД «Пример»"}},
			KKM:      KKM{SwitchOff: map[Version]Date{{200}: {2026, time.April, 1}}},
		},
		"full.good.toml": {
			Serve: Serve{
				Data:           "/var/lib/ofd",
				DB:             DB{"postgres://ofd@db.example.kz/ofd"},
				KKMAddr:        Addr{":7777"},
				KKMTLSAddr:     Addr{"0.0.0.0:7443"},
				KKTAddr:        Addr{":7778"},
				KKTCrypto:      Crypto{"sim1"},
				Marking:        Marking{Name: "table", File: "/etc/ofd/codes.txt"},
				MarkingCert:    "/etc/ofd/marking.crt",
				MarkingKey:     "/etc/ofd/marking.key",
				MarkingCA:      "/etc/ofd/marking-ca.crt",
				KGD:            Far{FarURL{"https://exchange.example.kz"}, "/etc/ofd/kgd.crt", "/etc/ofd/kgd.key", "/etc/ofd/kgd-ca.crt"},
				FNS:            Far{FarURL{"https://exchange.example.ru"}, "/etc/ofd/fns.crt", "/etc/ofd/fns.key", "/etc/ofd/fns-ca.crt"},
				HTTPAddr:       Addr{"127.0.0.1:8080"},
				TLSCert:        "/etc/ofd/kkm.crt",
				TLSKey:         "/etc/ofd/kkm.key",
				ClientCA:       "/etc/ofd/registers.crt",
				KeyFile:        "/etc/ofd/master.key",
				Cache:          2 << 30,
				Site:           Site{"https://check.example.kz"},
				Parts:          []Part{PartGate, PartWeb},
				FNSDir:         "/var/lib/ofd-fns",
				TrustedProxies: []Proxy{{netip.MustParsePrefix("10.0.0.0/8")}, {netip.MustParsePrefix("192.0.2.7/32")}},
			},
			Operator: Operator{
				Title:   fiscal.Text{KK: "«Мысал» ФДО", RU: "ОФД «Пример»", EN: "Example operator"},
				BIN:     BIN{"960624350642"},
				INN:     INN{"7704211201"},
				Address: fiscal.Text{KK: "Алматы қ., Абай даңғ., 1", RU: "г. Алматы, пр. Абая, 1", EN: "1 Abay Ave., Almaty"},
				Ad:      Notice{Text: "Чек можно проверить на check.example.kz", Version: 3},
			},
			KKM: KKM{
				MaxSize:              512 << 10,
				IdleTimeout:          Duration(90 * time.Second),
				MissingParameterCode: 13,
				SwitchOff:            map[Version]Date{{124}: {2026, time.April, 1}, {202}: {2027, time.January, 1}},
			},
			KKT:    KKT{UnknownDrives: Unknown{UnknownDrop}, Severities: map[string]Severity{"K4": {"refuse"}, "drive_old": {"warn"}, "required 1.05": {"refuse"}}},
			Mail:   Mail{Server: "mail.example.kz:587", From: "ofd@example.kz", User: "ofd", PasswordFile: "/etc/ofd/mail.password"},
			Access: Access{Closed: true, HideInspections: true}, Signature: Signature{Roots: "/etc/ofd/ca", CRL: "/etc/ofd/crl"},
			Service: Service{Ended: Ended{EndedWarn}, Contract: Need{NeedRequired}, Text: fiscal.Text{RU: "Продлите договор: ofd.example.kz"}, Models: "/etc/ofd/models.tsv"},
			Till: Till{
				Data: "/var/lib/ofd-till", Addr: Addr{"127.0.0.1:8091"}, OpsAddr: Addr{"127.0.0.1:9092"}, TLSCert: "/etc/ofd/till.pem", TLSKey: "/etc/ofd/till.key",
				Secure: true, Operator: "ofd.example.kz:7777", OperatorTLS: true, OperatorURL: Site{"https://check.example.kz"},
			},
			Limits: Limits{
				Connections: 20000, PerAddress: 200, Exchanges: Most{8000},
				AddressFramesPerSecond: Off(), RegisterFramesPerSecond: Most{50}, CheckPerMinute: 30,
			},
		},
	}
	for path := range files(t, "good") {
		got, err := Open(path)
		if err != nil {
			t.Errorf("Open(%s) = %v, want no error", path, err)
			continue
		}
		got.top = nil // TestFileReachesEveryFlag looks at it
		want, known := want[filepath.Base(path)]
		if !known || !reflect.DeepEqual(*got, want) {
			t.Errorf("Open(%s) =\n%+v\nwant\n%+v", path, *got, want)
		}
	}
}

// A bad file begins with the error it must give.
var wantLine = regexp.MustCompile(`\A((?:# want: .*\n)+)`)

func TestBadFiles(t *testing.T) {
	for path, text := range files(t, "bad") {
		lines := wantLine.FindString(text)
		want := strings.TrimSpace(strings.ReplaceAll(lines, "# want: ", ""))
		_, err := Parse("ofd.toml", []byte(text))
		if err == nil {
			t.Errorf("Parse(%s) = nil, want %q", path, want)
			continue
		}
		if *update {
			text = "# want: " + strings.ReplaceAll(err.Error(), "\n", "\n# want: ") + "\n" + strings.TrimPrefix(text, lines)
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got := err.Error(); got != want {
			t.Errorf("Parse(%s)\n got %q\nwant %q", path, got, want)
		}
	}
}

// TestEveryKeyIsTested holds the test files against the structs: each key
// stands in a good file and in a bad one.
func TestEveryKeyIsTested(t *testing.T) {
	good, bad := "", ""
	for _, text := range files(t, "good") {
		good += text
	}
	for _, text := range files(t, "bad") {
		bad += wantLine.ReplaceAllString(text, "")
	}
	keys := keysOf(reflect.TypeFor[File](), nil)
	if len(keys) < 20 {
		t.Fatalf("keysOf(File) = %q, want all keys", keys)
	}
	for _, key := range keys {
		word := regexp.MustCompile(`\b` + key + `\b`)
		if !word.MatchString(good) {
			t.Errorf("key %s stands in no *.good.toml", key)
		}
		if !word.MatchString(bad) && len(key) > 2 { // the languages have one form
			t.Errorf("key %s stands in no *.bad.toml", key)
		}
	}
}

func keysOf(typ reflect.Type, keys []string) []string {
	for i := range typ.NumField() {
		field := typ.Field(i)
		if key := field.Tag.Get("toml"); key != "" {
			keys = append(keys, key)
		}
		if field.IsExported() && field.Type.Kind() == reflect.Struct {
			keys = keysOf(field.Type, keys)
		}
	}
	return keys
}

// TestOperator: what the file says of us reaches receipts.
//
// Req: O-023
func TestOperator(t *testing.T) {
	f, err := Parse("ofd.toml", []byte("[operator]\ntitle.ru = 'ОФД'\nbin = '960624350642'\nad = {text = 'Спасибо', version = 2}"))
	if err != nil {
		t.Fatal(err)
	}
	want := fiscal.Operator{
		Title: fiscal.Text{RU: "ОФД"},
		BIN:   "960624350642",
		Site:  "https://check.example.kz",
		Ad:    fiscal.Ad{Kind: fiscal.AdOperator, Version: 2, Text: "Спасибо"},
	}
	if got := f.Operator.At(Site{"https://check.example.kz"}); got != want {
		t.Errorf("At() = %+v, want %+v", got, want)
	}
}

// TestErrorHidesPassword: the file's error must not carry what it refuses.
func TestErrorHidesPassword(t *testing.T) {
	_, err := Parse("ofd.toml", []byte(`db = "postgres://ofd:open-sesame@db/ofd"`))
	if err == nil || strings.Contains(err.Error(), "sesame") {
		t.Errorf("Parse(a password) = %v, want a complaint without the password", err)
	}
}

// TestReadme: what the README tells people to write must be read.
func TestReadme(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```toml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("README.md has no example of ofd.toml")
	}
	if _, err := Parse("README.md", []byte(example)); err != nil {
		t.Errorf("the example in README.md: %v", err)
	}
}
