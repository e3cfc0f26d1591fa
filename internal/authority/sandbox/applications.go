package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"openofd/internal/authority/kgd"
	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// maxApplication bounds an application, in bytes of JSON: a signature carries
// certificates, and base64 makes four bytes of three.
const maxApplication = 2 << 20

// application is one as it is kept.
type application struct {
	Seq      int64
	Operator int64
	ID       string
	Number   string // ours
	Kind     string
	Country  fiscal.Country
	Register int64
	XIN      string
	Taken    int64 // microseconds since 1970, as are Due and Decided
	Due      int64
	Decided  int64
	By       string
	Granted  bool
	Given    string
	Why      fiscal.Text
	Message  message
}

// message is an application as it is kept, in the words of Kazakhstan's; what
// Russia's has besides stands beside them.
type message struct {
	kgd.Application
	Form  string `json:"form,omitempty"`  // number of the tax service's form
	Drive string `json:"drive,omitempty"` // number of the fiscal drive
}

const applicationColumns = "seq, operator, id, number, kind, country, register, xin, taken, due, decided, by, granted, given, why_kk, why_ru, why_en, body"

func scanApplication(s *sqlitefile.Stmt) (a application, err error) {
	a = application{
		Seq: s.Int(0), Operator: s.Int(1), ID: s.Text(2), Number: s.Text(3), Kind: s.Text(4), Country: fiscal.Country(s.Text(5)),
		Register: s.Int(6), XIN: s.Text(7), Taken: s.Int(8), Due: s.Int(9), Decided: s.Int(10), By: s.Text(11), Granted: s.Int(12) != 0, Given: s.Text(13),
		Why: fiscal.Text{KK: s.Text(14), RU: s.Text(15), EN: s.Text(16)},
	}
	return a, json.Unmarshal(s.Bytes(17), &a.Message)
}

// takeApplication takes a signed application about a register of Kazakhstan. The
// same ID gets the same answer.
//
// Source: order 135 items 9, 10.
func (s *Server) takeApplication(w http.ResponseWriter, r *http.Request, operator int64) error {
	return s.takePaper(w, r, operator, func(body []byte) (m message, err error) {
		if err := json.Unmarshal(body, &m.Application); err != nil {
			return m, unprocessable("the body is no application: %v", err)
		}
		switch {
		case m.Format != kgd.Format:
			return m, &wrong{"format", "it is not " + kgd.Format}
		case m.Country != fiscal.Kazakhstan:
			return m, &wrong{"country", "it is kz; there is another address for others"}
		}
		return m, checkApplication(&m, s.now())
	})
}

// takePaper takes an application that read reads and judges.
func (s *Server) takePaper(w http.ResponseWriter, r *http.Request, operator int64, read func(body []byte) (message, error)) error {
	leave, err := s.place()
	if err != nil {
		return err
	}
	defer leave()
	body, err := s.body(w, r, maxApplication)
	if err != nil {
		return err
	}
	m, err := read(body)
	if rule := new(wrong); errors.As(err, &rule) {
		return unprocessable("%v", err)
	}
	if err != nil {
		return err
	}
	var number string
	err = s.file.Write(r.Context(), func(tx *sqlitefile.Tx) error {
		number, err = s.keepApplication(tx, operator, &m)
		return err
	})
	if err != nil {
		return err
	}
	s.nudge()
	answerJSON(w, kgd.ApplicationTaken{ID: m.ID, Number: number})
	return nil
}

// keepApplication writes an application down, unless it is there.
func (s *Server) keepApplication(tx *sqlitefile.Tx, operator int64, a *message) (number string, err error) {
	body, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	st, err := tx.Query("SELECT number, kind, register, xin, country FROM applications WHERE operator = ? AND id = ?", operator, a.ID)
	if err != nil {
		return "", err
	}
	there, same := st.Next(), false
	if there {
		number, same = st.Text(0), st.Text(1) == a.Kind && st.Int(2) == int64(a.Register) && st.Text(3) == string(a.BIN) && st.Text(4) == string(a.Country)
	}
	if err := st.Close(); err != nil || same {
		return number, err
	}
	if there {
		return "", &refused{status: http.StatusConflict, detail: "another application was taken under this id"}
	}
	n, _, err := tx.QueryInt("SELECT ifnull(max(seq), 0) + 1 FROM applications")
	if err != nil {
		return "", err
	}
	now, due := s.now(), int64(0)
	if !s.cfg.ByPerson {
		due = s.cfg.Now().Add(max(0, s.cfg.DecideAfter)).UnixMicro()
	}
	number = fmt.Sprintf("%s-%d-%06d", strings.ToUpper(string(a.Country)), now.Year(), n)
	_, err = tx.Exec(`INSERT INTO applications (seq, operator, id, number, kind, country, register, xin, taken, body, due, decided, by, granted, given, why_kk, why_ru, why_en)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', 0, '', '', '', '')`,
		n, operator, a.ID, number, a.Kind, string(a.Country), int64(a.Register), string(a.BIN), now.UnixMicro(), body, due)
	return number, err
}

// checkApplication reports what makes a message no application at all. What it
// asks for is looked at when it is decided on.
func checkApplication(a *message, now time.Time) error {
	form := struct {
		Format string `json:"format"`
	}{}
	switch {
	case a.ID == "" || len(a.ID) > 100 || strings.Trim(a.ID, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "":
		return &wrong{"id", "it has 1 to 100 letters, digits and hyphens"}
	case !slices.Contains([]string{kgd.ApplicationRegister, kgd.ApplicationChange, kgd.ApplicationDeregister}, a.Kind):
		return &wrong{"kind", "it is register, change or deregister"}
	case a.Register <= 0:
		return &wrong{"register", "it is missing"}
	case !validXIN(a.Country, string(a.BIN)):
		return &wrong{"bin", "its last digits do not check the others"}
	case a.SignedAt.IsZero() || a.SignedAt.After(now.Add(24*time.Hour)):
		return &wrong{"signed_at", "it is missing, or in the future"}
	case json.Unmarshal(a.Content, &form) != nil:
		return &wrong{"content", "it is no JSON object"}
	case len(a.Signature) < 2 || a.Signature[0] != 0x30 && !pemed(a.Signature):
		return &wrong{"signature", "it is no CMS"}
	}
	return nil
}

// pemed reports whether a signature is CMS written as text.
func pemed(b []byte) bool {
	text := strings.TrimSpace(string(b[:min(len(b), 64)]))
	return strings.HasPrefix(text, "-----BEGIN") || strings.HasPrefix(text, "MI")
}

func validXIN(c fiscal.Country, xin string) bool {
	if c == fiscal.Russia {
		return validRussian(xin)
	}
	return validKazakh(xin)
}

// wanted is what an application says of the register, as far as it is decided
// by.
type wanted struct{ xin, model, serial, drive, registration string }

// readContent looks for what it needs in the signed bytes, however its objects
// lie in each other.
func readContent(content []byte) (in wanted) {
	s := scanner{text: content}
	s.find(map[string]*string{
		"xin": &in.xin, "model": &in.model, "serial_number": &in.serial, "drive": &in.drive, "registration_number": &in.registration,
	}, maxNesting)
	return in
}

// find keeps the first text under each of some keys.
func (s *scanner) find(want map[string]*string, depth int) {
	if depth == 0 || s.peek() != '{' {
		s.skipBelow(depth)
		return
	}
	for s.begin('{'); s.member(); {
		if to := want[string(s.key)]; to != nil && s.peek() == '"' {
			if v := string(s.str()); *to == "" {
				*to = v
			}
			continue
		}
		s.find(want, depth-1)
	}
}

// decisions serves those of a country behind a place. Both countries word them
// alike.
func (s *Server) decisions(c fiscal.Country) serve {
	return func(w http.ResponseWriter, r *http.Request, operator int64) error {
		return s.decisionsOf(w, r, operator, c)
	}
}

func (s *Server) decisionsOf(w http.ResponseWriter, r *http.Request, operator int64, c fiscal.Country) error {
	q := r.URL.Query()
	limit, err := pageLimit(q.Get("limit"))
	if err != nil {
		return err
	}
	after := int64(0)
	if text := q.Get("after"); text != "" {
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < 0 {
			return malformed("after is what an answer named as next")
		}
	}
	page := kgd.Decisions{Decisions: []kgd.Decision{}, Next: q.Get("after")}
	err = s.file.Read(r.Context(), func(tx *sqlitefile.Tx) error {
		st, err := tx.Query(`SELECT id, number, granted, given, why_kk, why_ru, why_en, decided, decision FROM applications
			WHERE decision > ? AND operator = ? AND country = ? ORDER BY decision LIMIT ?`, after, operator, string(c), limit)
		if err != nil {
			return err
		}
		for st.Next() {
			page.Decisions = append(page.Decisions, kgd.Decision{
				ID: st.Text(0), Number: st.Text(1), Granted: st.Int(2) != 0, RegistrationNumber: st.Text(3),
				Why: fiscal.Text{KK: st.Text(4), RU: st.Text(5), EN: st.Text(6)}, At: time.UnixMicro(st.Int(7)).UTC(),
			})
			page.Next = strconv.FormatInt(st.Int(8), 10)
		}
		return st.Close()
	})
	if err != nil {
		return err
	}
	answerJSON(w, page)
	return nil
}

// pageLimit reads how many things somebody asks for.
func pageLimit(text string) (int64, error) {
	if text == "" {
		return kgd.MaxPage, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, malformed("limit is a number above zero")
	}
	return min(n, kgd.MaxPage), nil
}
