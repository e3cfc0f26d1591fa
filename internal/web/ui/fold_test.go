package ui

import (
	"html/template"
	"strings"
	"testing"
)

// What is put in before a page is made reads as if it had been asked for then.
func TestFold(t *testing.T) {
	const text = `{{define "label"}}{{T .}}{{range also .}} <span lang="{{.Lang}}">{{.Text}}</span>{{end}}{{end -}}
<title>{{T "odd"}}</title><p title="{{T "odd"}}" data-x='{{T "odd"}}'>{{T "odd"}} {{- icon "plus"}}{{T .Key}}</p>
{{- if .On}}<a href="{{asset "icon.svg"}}">{{template "label" "odd"}}</a>{{else}}{{T "none"}}{{end}}
{{- range .All}}{{T "odd"}}{{.}}{{template "label" .}}{{else}}{{T "odd"}}{{end}}
{{- with .Key}}{{$x := T "odd"}}{{$x}} {{T "odd" "n" 5}}{{end}}`
	l, ru := &Locale{Lang: "en", words: map[string]word{"odd": {text: `<b>"it's" & 1+1</b>`}, "even": {text: "even"}}}, &Locale{Lang: "ru", words: map[string]word{"odd": {text: "<нечет>"}}}
	assets, err := LoadAssets()
	if err != nil {
		t.Fatal(err)
	}
	rd := &Renderer{Locales: Locales{"en": l, "ru": ru, "kk": ru}, Assets: assets}
	parse := func() *template.Template {
		return template.Must(template.New("page").Funcs(rd.functions(l)).Parse(text))
	}
	folded := parse()
	if err := (&folder{l: l, assets: assets, labels: parse(), told: map[string]string{}}).fold(folded); err != nil {
		t.Fatal(err)
	}
	if left := folded.Tree.Root.String(); strings.Contains(left, `{{asset`) || strings.Contains(left, `{{icon`) || strings.Contains(left, `{{T "odd"}}`) || strings.Contains(left, `"label" "`) {
		t.Errorf("still asked for: %s", left)
	}
	plain := parse()
	for _, data := range []any{
		map[string]any{"Key": "even", "On": true, "All": []string{"odd", "even"}}, map[string]any{"Key": "", "On": false, "All": []string{}},
	} {
		var got, want strings.Builder
		if err := plain.Execute(&want, data); err != nil {
			t.Fatal(err)
		}
		if err := folded.Execute(&got, data); err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Errorf("%v:\ngot  %s\nwant %s", data, &got, &want)
		}
	}
}
