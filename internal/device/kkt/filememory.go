package kkt

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"openofd/internal/fiscal"
)

// FileMemory is a Memory in one file that only grows: each step is a record
// behind the last one, and is on the disk before the step counts. When most of
// the file is history, what still matters is written to a new file that takes
// the old one's name.
//
//	off len field   of a record; integers are little-endian
//	  0   4 length  of the body in bytes
//	  4   4 crc     CRC-32C of the body
//	  8     body    a Step as JSON
//
// A power cut can tear the last record; it then never counted and is cut off.
// Damage anywhere else is an error, for a document would be lost in silence.
type FileMemory struct {
	path     string
	file     *os.File
	size     int64 // bytes of whole records
	contents Contents
	err      error // of a failed write; nothing is written after it
}

var _ Memory = (*FileMemory)(nil)

const (
	recordHead = 8
	maxRecord  = 1 << 30 // bytes; a queue of 30 days stays far below
	// compactAt is the size below which history is left alone.
	compactAt = 1 << 20
)

// OpenFile opens the memory at path and makes it when there is none.
//
// Errors: Corrupt when a record before the last does not check; else of the
// file system.
func OpenFile(path string) (*FileMemory, error) {
	// A compaction that a power cut stopped: its file never took the name.
	if err := os.Remove(path + ".new"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("drive memory: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("drive memory: %w", err)
	}
	m := &FileMemory{path: path, file: file}
	if err := m.read(); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("drive memory %s: %w", path, err)
	}
	return m, nil
}

// read replays the file and cuts a torn record off.
func (m *FileMemory) read() error {
	b, err := io.ReadAll(m.file)
	if err != nil {
		return err
	}
	if m.contents, m.size, err = replay(b); err != nil {
		return err
	}
	if m.size < int64(len(b)) {
		if err := m.file.Truncate(m.size); err != nil {
			return err
		}
	}
	if _, err := m.file.Seek(m.size, io.SeekStart); err != nil {
		return err
	}
	if err := m.file.Sync(); err != nil {
		return err
	}
	return syncDir(m.path)
}

// replay goes through the steps of a file; size is where the last whole record
// ends. The error is Corrupt.
func replay(b []byte) (c Contents, size int64, err error) {
	corrupt := func(err error) (Contents, int64, error) {
		return Contents{}, 0, &fiscal.Error{Of: fiscal.Corrupt, Field: "record", Msg: fmt.Sprintf("at byte %d", size), Err: err}
	}
	for int(size) < len(b) {
		body := record(b[size:])
		if body == nil {
			if !torn(b[size:]) {
				return corrupt(errors.New("the record does not check, and others follow"))
			}
			break
		}
		var step Step
		if err := json.Unmarshal(body, &step); err != nil {
			return corrupt(err)
		}
		if err := c.apply(step); err != nil {
			return corrupt(err)
		}
		size += int64(recordHead + len(body))
	}
	return c, size, nil
}

// record returns the body of the record at the front of b, nil if there is
// none that checks.
func record(b []byte) []byte {
	if len(b) < recordHead {
		return nil
	}
	length := binary.LittleEndian.Uint32(b)
	if length == 0 || length > maxRecord || int(length) > len(b)-recordHead {
		return nil
	}
	body := b[recordHead : recordHead+int(length)]
	if crc32.Checksum(body, castagnoli()) != binary.LittleEndian.Uint32(b[4:]) {
		return nil
	}
	return body
}

// torn reports whether a record that does not check can be the last one, cut
// short: nothing behind it is a record.
func torn(b []byte) bool {
	for i := 1; i < len(b); i++ {
		if record(b[i:]) != nil {
			return false
		}
	}
	return true
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // made once by the package

// Load implements Memory.
func (m *FileMemory) Load() (Contents, error) { return m.contents.clone(), nil }

// Save implements Memory. It returns after the disk has the step.
func (m *FileMemory) Save(s Step) error {
	if m.err != nil {
		return m.err
	}
	next := m.contents
	if err := next.apply(s); err != nil {
		return err
	}
	b, err := appendRecord(nil, s)
	if err != nil {
		return err
	}
	if _, err = m.file.Write(b); err == nil {
		err = m.file.Sync()
	}
	if err != nil {
		// What the disk has now is not known; only reading it again can tell.
		m.err = fmt.Errorf("drive memory %s: %w", m.path, err)
		return m.err
	}
	m.size += int64(len(b))
	m.contents = next
	return m.compact()
}

// compact writes the present into a new file once history is the larger part.
func (m *FileMemory) compact() error {
	if m.size < compactAt {
		return nil
	}
	b, err := appendRecord(nil, m.contents.whole())
	if err != nil || m.size < 4*int64(len(b)) {
		return err
	}
	file, err := replaceFile(m.path, b)
	if err != nil {
		m.err = fmt.Errorf("drive memory %s: compact: %w", m.path, err)
		return m.err
	}
	_ = m.file.Close() // all of it is in the new file
	m.file, m.size = file, int64(len(b))
	return nil
}

// replaceFile puts b under path in one move and leaves the file open at its
// end. At every moment either the old or the new content has the name.
func replaceFile(path string, b []byte) (*os.File, error) {
	file, err := os.OpenFile(path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err = file.Write(b); err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err == nil {
		err = syncDir(path)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// syncDir makes the name of a file durable.
func syncDir(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func appendRecord(b []byte, s Step) ([]byte, error) {
	body, err := json.Marshal(s)
	if err != nil {
		return b, fmt.Errorf("drive memory: %w", err)
	}
	if len(body) > maxRecord {
		return b, fmt.Errorf("drive memory: record of %d bytes", len(body))
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(body, castagnoli()))
	return append(b, body...), nil
}

// Close implements Memory.
func (m *FileMemory) Close() error { return m.file.Close() }
