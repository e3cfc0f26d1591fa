//go:build !linux

package fns

// syncMany has no call for a whole file system here.
func syncMany(dir string, touched []change) error {
	for len(touched) > 0 {
		n := min(few, len(touched))
		if err := syncEach(dir, touched[:n]); err != nil {
			return err
		}
		touched = touched[n:]
	}
	return nil
}
