package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A listed package is one object of what `go list -json` prints.
type listed struct {
	ImportPath   string
	Name         string // main for a command or a generator
	Dir          string
	Doc          string // first sentence of the package comment
	GoFiles      []string
	Imports      []string
	TestImports  []string // of test files inside the package
	XTestImports []string // of test files beside it
}

// module is our import path.
const module = "openofd/"

// name is the path by which the table knows the package: below internal/, or
// as it is for a command.
func name(path string) string {
	path = strings.TrimPrefix(path, module)
	return strings.TrimPrefix(path, "internal/")
}

// ours keeps the imports that are packages of this module, by their names.
func ours(imports []string) []string {
	var names []string
	for _, path := range imports {
		if strings.HasPrefix(path, module) {
			names = append(names, name(path))
		}
	}
	return names
}

// list asks the go command for every package of the module. A package that
// does not compile is listed all the same: building is not what is tested.
func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Name,Dir,Doc,GoFiles,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = root(t)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, complaints.String())
	}
	var packages []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			if len(packages) == 0 {
				t.Fatal("go list printed no package")
			}
			return packages
		case err != nil:
			t.Fatalf("go list printed what is no JSON: %v", err)
		}
		packages = append(packages, p)
	}
}

// root is the folder of go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
