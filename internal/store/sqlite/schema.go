package sqlite

import (
	"io/fs"
	"path/filepath"

	"openofd/internal/store/sqlitefile"
)

// Schema is how far one file of a folder is migrated.
type Schema struct {
	File  string `json:"file"`
	Has   int64  `json:"has"` // 0: no such file yet
	Needs int64  `json:"needs"`
}

// Schemas tells of each file of a folder how far it is migrated and how far it
// has to be. It changes nothing and works beside a server.
func Schemas(dir string) ([]Schema, error) {
	var all []Schema
	for _, f := range []struct{ name, folder string }{{mainName, "main"}, {cabinetName, "cabinet"}} {
		files, err := fs.Sub(migrations, "migrations/"+f.folder)
		if err != nil {
			return nil, err
		}
		has, needs, err := sqlitefile.Schema(filepath.Join(dir, f.name), files)
		if err != nil {
			return nil, err
		}
		all = append(all, Schema{File: f.name, Has: has, Needs: needs})
	}
	return all, nil
}
