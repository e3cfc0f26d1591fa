package stepfile

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"openofd/internal/fiscal"
)

// recordHead is the size of what stands in front of a body, in bytes.
const recordHead = 8

// AppendRecord appends a step as a record, whose body has at most limit bytes.
func AppendRecord[S any](b []byte, step S, limit uint32) ([]byte, error) {
	body, err := json.Marshal(step)
	if err != nil {
		return b, err
	}
	if uint64(len(body)) > uint64(limit) {
		return b, fmt.Errorf("record of %d bytes, limit %d", len(body), limit)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(body, castagnoli()))
	return append(b, body...), nil
}

// Replay goes through the records of a file and has each step taken, in order.
// size is where the last whole record ends.
//
// Errors: Corrupt, also when a step was not taken.
func Replay[S any](b []byte, limit uint32, take func(S) error) (size int64, err error) {
	corrupt := func(err error) (int64, error) {
		return size, &fiscal.Error{Of: fiscal.Corrupt, Field: "record", Msg: fmt.Sprintf("at byte %d", size), Err: err}
	}
	for int(size) < len(b) {
		body := record(b[size:], limit)
		if body == nil {
			if !torn(b[size:], limit) {
				return corrupt(errors.New("the record does not check, and others follow"))
			}
			break
		}
		var step S
		if err := json.Unmarshal(body, &step); err != nil {
			return corrupt(err)
		}
		if err := take(step); err != nil {
			return corrupt(err)
		}
		size += int64(recordHead + len(body))
	}
	return size, nil
}

// record returns the body of the record at the front of b, nil if there is
// none that checks.
func record(b []byte, limit uint32) []byte {
	if len(b) < recordHead {
		return nil
	}
	length := binary.LittleEndian.Uint32(b)
	if length == 0 || length > limit || int(length) > len(b)-recordHead {
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
func torn(b []byte, limit uint32) bool {
	for i := 1; i < len(b); i++ {
		if record(b[i:], limit) != nil {
			return false
		}
	}
	return true
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // made once by the package
