package web

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"openofd/internal/access"
)

var (
	docBlock  = regexp.MustCompile("(?s)```sh\n(curl .*?)\n```\n(?:```json\n(.*?)\n```)?")
	docOption = regexp.MustCompile(`-(X) (\w+)|-(H) "([^"]*)"|-(d) '([^']*)'|(")\$SITE/api/v1([^"]*)"`)
)

// quickStart does what docs/api.md tells to do, in its order, and holds each
// answer against the one that stands there: it has every field of it.
func quickStart(t *testing.T, h *programs) {
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"$KEY": h.key(&h.owner, everything()&^access.ManageKeys)}
	blocks := docBlock.FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 9 {
		t.Fatalf("%d commands in the page", len(blocks))
	}
	for _, block := range blocks {
		command := block[1]
		for name, v := range values {
			command = strings.ReplaceAll(command, name, v)
		}
		ask := apiAsk{method: "GET"}
		for _, o := range docOption.FindAllStringSubmatch(command, -1) {
			switch {
			case o[1] != "":
				ask.method = o[2]
			case o[3] != "":
				name, v, _ := strings.Cut(o[4], ": ")
				ask.header = append(ask.header, name, v)
			case o[5] != "":
				ask.body = o[6]
			default:
				ask.path = o[8]
			}
		}
		res, body := h.does(ask)
		if res.StatusCode >= http.StatusBadRequest || strings.Contains(ask.path+ask.body, "$") {
			t.Fatalf("%s\n= %d %s", command, res.StatusCode, body)
		}
		if block[2] == "" {
			continue
		}
		var got, want any
		if err := json.Unmarshal([]byte(block[2]), &want); err != nil {
			t.Fatalf("%v in %s", err, block[2])
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		lacks(t, command, "", got, want)
		one, _ := got.(map[string]any)
		if id, err := json.Marshal(one["id"]); err == nil {
			switch {
			case strings.HasSuffix(ask.path, "/outlets"):
				values["$OUTLET"] = string(id)
			case strings.HasSuffix(ask.path, "/registers"):
				values["$REGISTER"] = string(id)
			}
		}
	}
}

// lacks names what an answer of the page has and a real one has not.
func lacks(t *testing.T, command, path string, got, want any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		real, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s\nhas %v at %s, want an object", command, got, path)
		}
		for name, v := range want {
			if _, ok := real[name]; !ok {
				t.Errorf("%s\nlacks %s.%s in %v", command, path, name, got)
				continue
			}
			lacks(t, command, path+"."+name, real[name], v)
		}
	case []any:
		real, ok := got.([]any)
		if !ok || len(want) > 0 && len(real) == 0 {
			t.Errorf("%s\nhas %v at %s, want a list", command, got, path)
			return
		}
		for _, v := range want {
			lacks(t, command, path+"[0]", real[0], v)
		}
	}
}
