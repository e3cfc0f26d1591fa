package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
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

// list returns every package of the module. A package that does not compile
// is listed all the same: building is not what is tested.
func list(t *testing.T) []listed {
	t.Helper()
	packages, err := listOnce()
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

// listOnce asks the go command, once for all tests.
var listOnce = sync.OnceValues(func() ([]listed, error) {
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Name,Dir,Doc,GoFiles,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = filepath.Join("..", "..")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, complaints.String())
	}
	var packages []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p listed
		if err := dec.Decode(&p); err != nil {
			return nil, fmt.Errorf("go list printed what is no JSON: %w", err)
		}
		packages = append(packages, p)
	}
	if len(packages) == 0 {
		return nil, errors.New("go list printed no package")
	}
	return packages, nil
})

// root is the folder of go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
