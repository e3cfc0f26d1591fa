package signature

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// The limits of a folder of certificates or revocation lists.
const (
	maxTrustFiles = 1000
	maxTrustFile  = 64 << 20 // bytes; the lists of a national authority are long
)

// trust is whom we believe: roots, the authorities below them that we were
// given, and their revocation lists. It is never changed once it was read.
type trust struct {
	roots []*certificate
	below []*certificate
	lists map[string]*revocations // by the issuer's authorityOf; nil where they are not asked for
}

// readTrust reads both folders. crls may be nil: then nothing is said of
// revocation. An error names the file.
func readTrust(roots, crls fs.FS) (*trust, error) {
	t := new(trust)
	err := eachFile(roots, []string{".pem", ".cer", ".crt", ".der"}, "CERTIFICATE", func(raw []byte) error {
		c, refused := parseCertificate(raw)
		if refused != nil {
			return refused
		}
		if c.root() {
			t.roots = append(t.roots, c)
		} else {
			t.below = append(t.below, c)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the roots: %w", err)
	}
	if len(t.roots) == 0 {
		return nil, errors.New("read the roots: the folder holds no root, a certificate that signs itself (.pem, .cer, .crt or .der)")
	}
	if crls == nil {
		return t, nil
	}
	t.lists = make(map[string]*revocations)
	err = eachFile(crls, []string{".crl", ".pem", ".der"}, "X509 CRL", func(raw []byte) error {
		list, err := parseRevocations(raw, slices.Concat(t.roots, t.below))
		if err != nil {
			return err
		}
		if old := t.lists[list.authority]; old == nil || list.thisUpdate.After(old.thisUpdate) {
			t.lists[list.authority] = list
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the revocation lists: %w", err)
	}
	return t, nil
}

// eachFile gives take what is in the files of a folder, DER or PEM blocks of a
// type. Other files and folders are left alone.
func eachFile(folder fs.FS, suffixes []string, block string, take func(raw []byte) error) error {
	files, err := fs.ReadDir(folder, ".")
	if err != nil {
		return err
	}
	if len(files) > maxTrustFiles {
		return fmt.Errorf("%d files; %d are the most", len(files), maxTrustFiles)
	}
	for _, f := range files {
		if f.IsDir() || !slices.Contains(suffixes, strings.ToLower(path.Ext(f.Name()))) {
			continue
		}
		b, err := readFile(folder, f.Name())
		if err == nil {
			err = eachBlock(b, block, take)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	return nil
}

func readFile(folder fs.FS, name string) ([]byte, error) {
	f, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxTrustFile+1))
	if err == nil && len(b) > maxTrustFile {
		err = fmt.Errorf("more than %d bytes", maxTrustFile)
	}
	return b, err
}

// eachBlock gives take the blocks of a PEM file, or the whole of another.
func eachBlock(b []byte, block string, take func(raw []byte) error) error {
	if !bytes.Contains(b, []byte("-----BEGIN ")) {
		return take(b)
	}
	found := false
	for {
		var p *pem.Block
		if p, b = pem.Decode(b); p == nil {
			break
		}
		if p.Type != block {
			continue
		}
		found = true
		if err := take(p.Bytes); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("no block %q in the PEM file", block)
	}
	return nil
}
