package link

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
)

// smallest is the size in bytes from which a body is worth packing.
const smallest = 1 << 10

// packer packs, and is used again.
type packer struct {
	room bytes.Buffer
	zip  *gzip.Writer
}

// packed is a body as it travels.
type packed struct {
	text []byte
	from *packer // nil: as it was
}

// pack packs a body that is worth it.
func (l *Link) pack(body []byte) packed {
	if len(body) < smallest {
		return packed{text: body}
	}
	p, ok := l.packs.Get().(*packer)
	if !ok {
		p = new(packer)
		p.zip, _ = gzip.NewWriterLevel(&p.room, gzip.BestSpeed) // the level exists
	}
	p.room.Reset()
	p.zip.Reset(&p.room)
	_, _ = p.zip.Write(body) // memory does not fail
	_ = p.zip.Close()
	return packed{p.room.Bytes(), p}
}

// reader reads it; nil if there is nothing.
func (p packed) reader() io.Reader {
	if p.text == nil {
		return nil
	}
	return bytes.NewReader(p.text)
}

func (p packed) label(r *http.Request) {
	if p.from != nil {
		r.Header.Set("Content-Encoding", "gzip")
	}
}

// free forgets the body. The transport may still be reading one whose answer
// came early or not at all, so only its writer is used again, with other room.
func (l *Link) free(p packed) {
	if p.from != nil {
		p.from.room = bytes.Buffer{}
		l.packs.Put(p.from)
	}
}
