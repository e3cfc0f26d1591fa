package sqlitefile

import "io/fs"

// Schema tells which version of the schema a file has (0: none, or no file) and
// which one the migrations lead to. It changes nothing.
func Schema(path string, migrations fs.FS) (has, needs int64, err error) {
	if needs, err = newest(migrations); err != nil {
		return 0, 0, err
	}
	f := &File{path: path}
	if has, err = f.schema(); err != nil {
		return 0, 0, fault(path, err)
	}
	return has, needs, nil
}
