package sandbox

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"openofd/internal/store/sqlitefile"
)

// operators are those that have ever sent something, by name.
type operators struct {
	mu  sync.Mutex
	ids map[string]int64 // guarded by mu
}

// anybody is who sends where nobody shows a certificate.
const anybody = "operator"

// maxOperators bounds how many there may be: a certificate is worth one.
const maxOperators = 1000

// maxName bounds an operator's name, in bytes.
const maxName = 64

var errNoCertificate = errors.New("show a certificate whose common name is yours, of 1 to 64 bytes")

// operatorName is who sends a request.
func (s *Server) operatorName(r *http.Request) (string, error) {
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		name := r.TLS.VerifiedChains[0][0].Subject.CommonName
		if name == "" || len(name) > maxName {
			return "", errNoCertificate
		}
		return name, nil
	}
	if s.cfg.Certificates {
		return "", errNoCertificate
	}
	return anybody, nil
}

// operator is the number of a name, which is written down when it is new.
func (s *Server) operator(ctx context.Context, name string) (id int64, err error) {
	o := &s.operators
	o.mu.Lock()
	id = o.ids[name]
	o.mu.Unlock()
	if id != 0 {
		return id, nil
	}
	err = s.file.Write(ctx, func(tx *sqlitefile.Tx) error {
		n, _, err := tx.QueryInt("SELECT count(*) FROM operators WHERE name <> ?", name)
		if err != nil {
			return err
		}
		if n >= maxOperators {
			return errors.New("there are as many operators as there may be")
		}
		if _, err := tx.Exec("INSERT OR IGNORE INTO operators (name, first) VALUES (?, ?)", name, s.now().UnixMicro()); err != nil {
			return err
		}
		id, _, err = tx.QueryInt("SELECT id FROM operators WHERE name = ?", name)
		return err
	})
	if err != nil {
		return 0, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ids == nil {
		o.ids = map[string]int64{}
	}
	o.ids[name] = id
	return id, nil
}

// operatorNames are all of them by number.
func operatorNames(tx *sqlitefile.Tx) (map[int64]string, error) {
	st, err := tx.Query("SELECT id, name FROM operators")
	if err != nil {
		return nil, err
	}
	names := map[int64]string{}
	for st.Next() {
		names[st.Int(0)] = st.Text(1)
	}
	return names, st.Close()
}
