package fns_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rules is as much of JSON Schema as docs/fns.schema.json uses.
type rules struct {
	Type       string            `json:"type"`
	Properties map[string]*rules `json:"properties"`
	Required   []string          `json:"required"`
	Additional json.RawMessage   `json:"additionalProperties"` // false, or rules
	Items      *rules            `json:"items"`
	Pattern    string            `json:"pattern"`
	Enum       []any             `json:"enum"`
	Max        int               `json:"maxProperties"`
	Min        int               `json:"minProperties"`
	Ref        string            `json:"$ref"`
	Defs       map[string]*rules `json:"$defs"`

	// For people alone.
	Schema      string `json:"$schema"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

// schema reads what is published; a rule that this reader does not know is an
// error.
func schema(t *testing.T) *rules {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "fns.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	s := new(rules)
	if err := d.Decode(s); err != nil {
		t.Fatalf("docs/fns.schema.json: %v", err)
	}
	return s
}

// check holds a line against the schema.
func (s *rules) check(t *testing.T, line []byte) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	for _, complaint := range s.judge("", v, s) {
		t.Errorf("the line breaks docs/fns.schema.json: %s\n%s", complaint, line)
	}
}

func (s *rules) judge(at string, v any, root *rules) (wrong []string) {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		return root.Defs[name].judge(at, v, root)
	}
	complain := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	if is := kindOf(v); s.Type != "" && s.Type != is && !(s.Type == "number" && is == "integer") {
		complain("%s, want %s", is, s.Type)
		return wrong
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(e any) bool { return fmt.Sprint(e) == fmt.Sprint(v) }) {
		complain("%v is none of %v", v, s.Enum)
	}
	switch v := v.(type) {
	case string:
		if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v) {
			complain("%q does not match %s", v, s.Pattern)
		}
	case []any:
		for i := range v {
			if s.Items != nil {
				wrong = append(wrong, s.Items.judge(fmt.Sprintf("%s[%d]", at, i), v[i], root)...)
			}
		}
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				complain("%s is missing", name)
			}
		}
		if len(v) < s.Min || s.Max > 0 && len(v) > s.Max {
			complain("%d members, want %d to %d", len(v), s.Min, s.Max)
		}
		for name, member := range v {
			if p := s.Properties[name]; p != nil {
				wrong = append(wrong, p.judge(at+"."+name, member, root)...)
			} else if string(s.Additional) == "false" {
				complain("nobody knows %s", name)
			}
		}
	}
	return wrong
}

func kindOf(v any) string {
	switch v := v.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "number"
		}
		return "integer"
	}
	return "null"
}

// TestSchemaRefuses shows that the schema is one that can be broken.
func TestSchemaRefuses(t *testing.T) {
	s := schema(t)
	good := `{"id":"9999078902001234-57","register":200145,"entry":58,"received":"2026-11-22T01:02:03.123456Z","answered":0,"flags":["document_gap"],` +
		`"document":{"receipt":{"code":3,"fiscalDriveNumber":"9999078902001234","fiscalDocumentNumber":57,"dateTime":1,"messageFiscalSign":9297138501240524816,"rawData":"AA==",` +
		`"items":[{"name":"x","price":1,"quantity":1.5,"sum":2}]}}}`
	s.check(t, []byte(good))
	for _, change := range [][2]string{
		{`"id":"9999078902001234-57",`, ``}, {`9999078902001234-57`, `57`}, {`"register":200145`, `"register":"200145"`}, {`"entry":58`, `"entry":5.8`},
		{`.123456Z`, `Z`}, {`"answered":0`, `"answered":7`}, {`["document_gap"]`, `[1]`}, {`"flags"`, `"flag"`}, {`"receipt":`, `"Receipt":`},
		{`{"receipt":`, `{"openShift":{},"receipt":`}, {`"rawData":"AA=="`, `"rawData":"??"`}, {`9297138501240524816`, `9.297138501240524e18`}, {`"code":3`, `"code":33`},
		{`"quantity":1.5`, `"quantity":"1.5"`}, {`"price":1,`, `"price":0.01,`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		var v any
		d := json.NewDecoder(strings.NewReader(bad))
		d.UseNumber()
		if err := d.Decode(&v); err != nil || bad == good {
			t.Fatalf("%s: %v", bad, err)
		}
		if len(s.judge("", v, s)) == 0 {
			t.Errorf("the schema takes %s in the place of %s", change[1], change[0])
		}
	}
}
