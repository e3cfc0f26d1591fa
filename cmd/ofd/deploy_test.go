package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// exported is what a scrape gives: by metric, by label, the values seen. The
// key "" holds the type.
type exported map[string]map[string]map[string]bool

var seriesLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? \S+$`)
var labelPair = regexp.MustCompile(`([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"`)

// scrape reads the metrics of an operator with every door open.
func scrape(t *testing.T) (all exported, types map[string]string) {
	t.Helper()
	o, _ := tlsOperator(t, t.TempDir(), "")
	resp, err := http.Get("http://" + o.OpsAddr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	all, types = make(exported), make(map[string]string)
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(rest, " ")
			types[name] = kind
			continue
		}
		m := seriesLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if all[m[1]] == nil {
			all[m[1]] = make(map[string]map[string]bool)
		}
		for _, pair := range labelPair.FindAllStringSubmatch(m[2], -1) {
			if all[m[1]][pair[1]] == nil {
				all[m[1]][pair[1]] = make(map[string]bool)
			}
			all[m[1]][pair[1]][pair[2]] = true
		}
	}
	return all, types
}

// Every metric of ours, by name and type. Who renames one finds here that
// dashboards and alerts of operators name it.
func TestMetricNames(t *testing.T) {
	_, types := scrape(t)
	var got strings.Builder
	for _, name := range slices.Sorted(maps.Keys(types)) {
		if !strings.HasPrefix(name, "ofd_") {
			continue
		}
		fmt.Fprintln(&got, name, types[name])
		if types[name] == "counter" != strings.HasSuffix(name, "_total") {
			t.Errorf("%s is a %s: counters, and they alone, end in _total", name, types[name])
		}
		if types[name] == "histogram" && !strings.HasSuffix(name, "_seconds") && !strings.HasSuffix(name, "_entries") {
			t.Errorf("%s names no unit", name)
		}
	}
	golden := filepath.Join("testdata", "metrics.golden")
	if *updateGolden {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || got.String() != string(want) {
		t.Errorf("the metrics are\n%s\nwant those of %s (%v)\n%s", &got, golden, err, want)
	}
}

// The dashboard and the alerts ask for what is exported, in expressions that
// hold together.
func TestDashboardAndAlerts(t *testing.T) {
	all, _ := scrape(t)
	asked := make(map[string]bool)
	for _, file := range []struct {
		path  string
		read  func(*testing.T, string) []string
		least int
	}{
		{filepath.Join("..", "..", "deploy", "grafana", "ofd.json"), dashboardExpressions, 30},
		{filepath.Join("..", "..", "deploy", "prometheus", "alerts.yml"), alertExpressions, 15},
	} {
		expressions := file.read(t, file.path)
		if len(expressions) < file.least {
			t.Errorf("%s: %d expressions were found, want at least %d", file.path, len(expressions), file.least)
		}
		for _, e := range expressions {
			selectors, err := selectorsOf(e)
			if err != nil {
				t.Errorf("%s: %s: %v", file.path, e, err)
			}
			for _, s := range selectors {
				asked[s.metric] = true
				if err := all.has(s); err != nil {
					t.Errorf("%s: %s: %v", file.path, e, err)
				}
			}
		}
	}
	for name := range all {
		base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		if strings.HasPrefix(name, "ofd_") && !asked[name] && !asked[base] && !asked[base+"_bucket"] {
			t.Errorf("%s stands in no dashboard and no alert", name)
		}
	}
}

// has reports what of a selector does not exist. instance and job are added by
// Prometheus.
func (all exported) has(s selector) error {
	if s.metric == "up" { // Prometheus's own
		return nil
	}
	labels, ok := all[s.metric]
	if !ok {
		return fmt.Errorf("there is no metric %s", s.metric)
	}
	for _, m := range s.matchers {
		if m.label == "instance" || m.label == "job" {
			continue
		}
		if labels[m.label] == nil {
			return fmt.Errorf("%s has no label %s", s.metric, m.label)
		}
		for _, v := range strings.Split(m.value, "|") {
			if !labels[m.label][v] {
				return fmt.Errorf("%s never has %s=%q", s.metric, m.label, v)
			}
		}
	}
	return nil
}

// dashboardExpressions reads every "expr" of a dashboard, and holds its panels
// against what Grafana needs.
func dashboardExpressions(t *testing.T, path string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		UID, Title string
		Panels     []struct {
			ID                       int
			Type, Title, Description string
			Targets                  []struct{ RefID, Expr string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	ids := make(map[int]bool)
	for _, p := range d.Panels {
		if ids[p.ID] || p.Title == "" || p.Type != "row" && (p.Description == "" || len(p.Targets) == 0) {
			t.Errorf("%s: panel %d %q: an ID of its own, a title, a description and targets are wanted", path, p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			all = append(all, target.Expr)
		}
	}
	return all
}

// alertExpressions reads the alerts as the file writes them, which is less than
// YAML allows; what does not look so is an error. Each alert has all its keys.
func alertExpressions(t *testing.T, path string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var block strings.Builder // of the | under way
	var alert string
	have := make(map[string]bool)
	ended := func() {
		for _, key := range []string{"expr", "labels", "annotations", "summary", "action"} {
			if alert != "" && !have[key] {
				t.Errorf("%s: %s has no %s", path, alert, key)
			}
		}
		clear(have)
	}
	inBlock := false
	flush := func() {
		if inBlock {
			all, inBlock = append(all, block.String()), false
			block.Reset()
		}
	}
	line := regexp.MustCompile(`^(?:groups:|  - name: \w+|    rules:|      - (alert): (\w+)|        (expr|for|labels|annotations): ?(.*)|          (summary|action): "((?:[^"\\]|\\.)*)")$`)
	for n, l := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if inBlock && strings.HasPrefix(l, "          ") {
			block.WriteString(strings.TrimSpace(l) + "\n")
			continue
		}
		flush()
		if strings.TrimSpace(l) == "" || strings.HasPrefix(strings.TrimSpace(l), "#") {
			continue
		}
		m := line.FindStringSubmatch(l)
		switch {
		case m == nil || strings.Contains(l, "\t"):
			t.Errorf("%s:%d: %q is not written as an alert is here", path, n+1, l)
		case m[1] != "":
			ended()
			alert = m[2]
		case m[3] == "labels" && m[4] != "{severity: page}" && m[4] != "{severity: ticket}":
			t.Errorf("%s:%d: the severity is page or ticket", path, n+1)
		case m[3] == "for" && !regexp.MustCompile(`^\d+[smhd]$`).MatchString(m[4]):
			t.Errorf("%s:%d: %q is no time", path, n+1, m[4])
		case m[3] == "expr" && m[4] == "|":
			inBlock = true
		case m[3] == "expr" && strings.ContainsAny(m[4][:1], `"'&*!>%@[`), strings.Contains(m[4], " #"), m[3] == "expr" && strings.Contains(m[4], ": "):
			t.Errorf("%s:%d: YAML would not take the expression as it stands", path, n+1)
		case m[3] == "expr":
			all = append(all, m[4])
		}
		if m != nil {
			have[m[3]], have[m[5]] = true, true
		}
	}
	flush()
	ended()
	return all
}
