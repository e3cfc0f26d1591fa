package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// clockCalls are the functions of package time that read or wait for the
// clock of the machine.
var clockCalls = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}

// TestNoClock shows that the rooms which judge are told the time: the same
// document and the same instant always give the same decision.
func TestNoClock(t *testing.T) {
	for _, p := range list(t) {
		if !slices.ContainsFunc(clockless, func(r string) bool { return fits(r, name(p.ImportPath)) }) {
			continue
		}
		for _, file := range p.GoFiles {
			fset := token.NewFileSet()
			tree, err := parser.ParseFile(fset, filepath.Join(p.Dir, file), nil, 0)
			if err != nil {
				t.Errorf("parse %s: %v", file, err)
				continue
			}
			for _, complaint := range clocks(fset, tree) {
				t.Errorf("%s: %s", name(p.ImportPath), complaint)
			}
		}
	}
}

// clocks returns the places where a file asks for the time, called or merely
// named (now: time.Now reads the clock later).
func clocks(fset *token.FileSet, file *ast.File) []string {
	local := "" // how the file calls package time
	for _, imp := range file.Imports {
		if imp.Path.Value == `"time"` {
			local = "time"
			if imp.Name != nil {
				local = imp.Name.Name
			}
		}
	}
	if local == "" {
		return nil
	}
	var complaints []string
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == local && slices.Contains(clockCalls, sel.Sel.Name) {
			at := fset.Position(sel.Pos())
			complaints = append(complaints, fmt.Sprintf("%s:%d uses time.%s; take the time as an argument", filepath.Base(at.Filename), at.Line, sel.Sel.Name))
		}
		return true
	})
	return complaints
}

func TestClocks(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"a call", "package x\nimport \"time\"\nvar a = time.Now()", "x.go:3 uses time.Now; take the time as an argument"},
		{"a value", "package x\nimport \"time\"\nvar now = time.Now", "x.go:3 uses time.Now; take the time as an argument"},
		{"another name", "package x\nimport t \"time\"\nfunc f() { t.Sleep(1) }", "x.go:3 uses time.Sleep; take the time as an argument"},
		{"a span", "package x\nimport \"time\"\nconst day = 24 * time.Hour", ""},
		{"another package", "package x\nvar time struct{ Now int }\nvar a = time.Now", ""},
	}
	for _, tt := range tests {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "x.go", tt.source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(clocks(fset, file), "; "); got != tt.want {
			t.Errorf("clocks(%s) = %q, want %q", tt.name, got, tt.want)
		}
	}
}
