package kgd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rules is as much of JSON Schema as docs/kgd.schema.json uses.
type rules struct {
	Type       string            `json:"type"`
	Properties map[string]*rules `json:"properties"`
	Required   []string          `json:"required"`
	Additional json.RawMessage   `json:"additionalProperties"` // false, or rules
	Items      *rules            `json:"items"`
	Pattern    string            `json:"pattern"`
	Enum       []string          `json:"enum"`
	Ref        string            `json:"$ref"`
	Defs       map[string]*rules `json:"$defs"`

	// For people alone.
	Schema      string `json:"$schema"`
	Title       string `json:"title"`
	Description string `json:"description"`

	root *rules
}

// schema reads what is published; a rule that this reader does not know is an
// error.
func schema(t *testing.T) *rules {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "kgd.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	s := new(rules)
	if err := d.Decode(s); err != nil {
		t.Fatalf("docs/kgd.schema.json: %v", err)
	}
	return s
}

// of is one of its messages.
func (s *rules) of(name string) *rules { return &rules{Ref: "#/$defs/" + name, root: s} }

// check holds a message against the schema.
func (s *rules) check(t *testing.T, message []byte) {
	t.Helper()
	for _, complaint := range s.judge("", decode(t, message), s.root) {
		t.Errorf("it breaks docs/kgd.schema.json: %s\n%s", complaint, message)
	}
}

func decode(t *testing.T, message []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(message))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", message, err)
	}
	return v
}

func (s *rules) judge(at string, v any, root *rules) (wrong []string) {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		return root.Defs[name].judge(at, v, root)
	}
	complain := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	if is := kindOf(v); s.Type != "" && s.Type != is {
		complain("%s, want %s", is, s.Type)
		return wrong
	}
	switch v := v.(type) {
	case string:
		if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v) {
			complain("%q does not match %s", v, s.Pattern)
		}
		if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
			complain("%q is none of %v", v, s.Enum)
		}
	case []any:
		for i := range v {
			wrong = append(wrong, s.Items.judge(fmt.Sprintf("%s[%d]", at, i), v[i], root)...)
		}
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				complain("%s is missing", name)
			}
		}
		more := new(rules)
		closed := string(s.Additional) == "false"
		if !closed && len(s.Additional) > 0 && json.Unmarshal(s.Additional, more) != nil {
			complain("additionalProperties is %s", s.Additional)
		}
		for name, member := range v {
			switch p := s.Properties[name]; {
			case p != nil:
				wrong = append(wrong, p.judge(at+"."+name, member, root)...)
			case closed:
				complain("nobody knows %s", name)
			default:
				wrong = append(wrong, more.judge(at+"."+name, member, root)...)
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

// What is published has the members of the messages, all of them and no others,
// and calls those required that are never left out.
func TestSchemaIsTheTypes(t *testing.T) {
	s := schema(t)
	types := map[string]reflect.Type{
		"document": reflect.TypeFor[Document](), "cashier": reflect.TypeFor[Cashier](), "payment": reflect.TypeFor[Payment](), "tax": reflect.TypeFor[Tax](),
		"item": reflect.TypeFor[Item](), "parent": reflect.TypeFor[Parent](), "act": reflect.TypeFor[Act](), "shift_report": reflect.TypeFor[ShiftReport](),
		"receipt_tally": reflect.TypeFor[ReceiptTally](), "tally": reflect.TypeFor[Tally](), "tax_tally": reflect.TypeFor[TaxTally](),
		"taken": reflect.TypeFor[Taken](), "refusal": reflect.TypeFor[Refusal](), "application": reflect.TypeFor[Application](), "field_error": reflect.TypeFor[FieldError](),
		"application_taken": reflect.TypeFor[ApplicationTaken](), "decisions": reflect.TypeFor[Decisions](), "decision": reflect.TypeFor[Decision](),
		"summary": reflect.TypeFor[Summary](), "edge": reflect.TypeFor[Edge](), "counts": reflect.TypeFor[Counts](), "count": reflect.TypeFor[Count](),
		"report": reflect.TypeFor[Report](), "problem": reflect.TypeFor[Problem](),
	}
	for name, typ := range types {
		d := s.Defs[name]
		if d == nil {
			t.Errorf("docs/kgd.schema.json does not have %s", name)
			continue
		}
		members := 0
		for i := range typ.NumField() {
			key, options, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			members++
			if d.Properties[key] == nil {
				t.Errorf("%s of docs/kgd.schema.json lacks %s", name, key)
			}
			if required := slices.Contains(d.Required, key); required == strings.Contains(options, "omit") {
				t.Errorf("%s.%s: required is %t, and its tag says %q", name, key, required, options)
			}
		}
		if len(d.Properties) != members {
			t.Errorf("%s of docs/kgd.schema.json has %d members, want %d", name, len(d.Properties), members)
		}
	}
	if len(types)+4 != len(s.Defs) { // money, wall, instant, text
		t.Errorf("docs/kgd.schema.json has %d messages and parts, want %d", len(s.Defs), len(types)+4)
	}
}

// The schema is one that can be broken.
func TestSchemaRefuses(t *testing.T) {
	document := schema(t).of("document")
	good, err := os.ReadFile(filepath.Join("testdata", "documents.golden"))
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Split(string(good), "\n")[2]
	document.check(t, []byte(line))
	for _, change := range [][2]string{
		{`"format":"kgd/1",`, ``}, {`kgd/1`, `kgd/2`}, {`"id":"200145-4"`, `"id":"4"`}, {`"register":200145`, `"register":"200145"`}, {`"1777.50"`, `1777.5`}, {`"1777.50"`, `"1777.5"`},
		{`.120000Z`, `Z`}, {`"kind":"receipt"`, `"kind":"check"`}, {`"quantity":"2.5"`, `"quantity":2.5`}, {`"items":`, `"goods":`}, {`"kind":"cash"`, `"kind":"coins"`}, {`"hash":"ab`, `"hash":"AB`},
	} {
		bad := strings.Replace(line, change[0], change[1], 1)
		if bad == line {
			t.Fatalf("%s is not in %s", change[0], line)
		}
		if len(document.judge("", decode(t, []byte(bad)), document.root)) == 0 {
			t.Errorf("the schema takes %s in the place of %s", change[1], change[0])
		}
	}
}
