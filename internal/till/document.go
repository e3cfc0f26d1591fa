package till

import (
	"cmp"
	"encoding/json"
	"strconv"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// Kind is what sort of document was made.
type Kind string

// The kinds.
const (
	KindReceipt Kind = "receipt"
	KindMove    Kind = "move" // cash put in or taken out
	KindX       Kind = "x"
	KindZ       Kind = "z"
)

// Fate is what became of a document.
type Fate string

// The fates.
const (
	Underway   Fate = "under_way"  // its first answer is awaited
	Accepted   Fate = "accepted"   // by the operator, at once
	Autonomous Fate = "autonomous" // printed without the operator; it waits
	Delivered  Fate = "delivered"  // was autonomous, and is accepted now
	Refused    Fate = "refused"    // it never came into being
	Removed    Fate = "removed"    // printed, and the operator does not have it: a person decided so
)

// Document is something a register made.
type Document struct {
	ID       int64             `json:"-"` // unique in the till
	Register fiscal.RegisterID `json:"-"`
	Number   uint64            `json:"-"` // as printed; 0 of an X report
	Made     fiscal.WallTime   `json:"-"`
	Shift    uint32            `json:"-"`
	Kind     Kind              `json:"-"`
	Draft    string            `json:"-"`
	Fate     Fate              `json:"-"`

	Op          string         `json:"op,omitempty"`
	Sum         fiscal.Money   `json:"sum,omitempty"`
	SumMinor    int64          `json:"sum_minor,omitempty"` // the same, to be added up
	Parent      uint64         `json:"parent,omitempty"`    // number of the receipt that it returns
	Cashier     fiscal.Cashier `json:"cashier"`
	FiscalSign  string         `json:"fiscal_sign,omitempty"`
	OfflineCode uint32         `json:"offline_code,omitempty"`
	QR          string         `json:"qr,omitempty"`
	Payload     []byte         `json:"payload,omitempty"` // the request, as the register wrote it
	Report      []byte         `json:"report,omitempty"`  // the operator's, where it differs from the register's own
	Shown       bool           `json:"shown,omitempty"`   // a Z report was seen: whatever is shown later is a copy
}

// Contents is what the document says.
//
// Errors: Corrupt.
func (d *Document) Contents() (kkm.Contents, error) {
	if len(d.Report) > 0 {
		r, err := kkm.ReadReport(d.Report)
		return kkm.Contents{Report: &r}, err
	}
	return (&kkm.Job{Payload: d.Payload}).Contents()
}

// Sign is what is printed as the document's number at the operator: the fiscal
// sign, or the register's own autonomous code.
func (d *Document) Sign() string {
	if d.FiscalSign == "" && d.OfflineCode != 0 {
		return strconv.FormatUint(uint64(d.OfflineCode), 10)
	}
	return d.FiscalSign
}

// begin writes the document into the history, as the register's memory takes
// it, and returns what stands there.
func (d *Document) begin(tx *sqlitefile.Tx, m *memory, job *kkm.Job, state *kkm.State) (row Document, err error) {
	row = *d // a step that is tried again begins anew
	row.Register = m.register
	row.Number, row.Made, row.Shift, row.Payload = job.Number, job.Made, state.Figures.Shift.Number, job.Payload
	row.Fate, row.OfflineCode = Underway, job.Code
	if job.Offline {
		row.Fate = Autonomous
		row.printed(m)
	}
	text, err := json.Marshal(&row)
	if err != nil {
		return row, err
	}
	const insert = `INSERT INTO documents (register, number, made, shift, kind, draft, fate, body) VALUES (?, ?, ?, ?, ?, NULLIF(?, ''), ?, ?)`
	if _, err := tx.Exec(insert, int64(m.register), int64(row.Number), int64(row.Made), int64(row.Shift), string(row.Kind), row.Draft, string(row.Fate), string(text)); err != nil {
		return row, err
	}
	row.ID, _, err = tx.QueryInt(`SELECT last_insert_rowid()`)
	return row, err
}

// become notes what an answer, or its absence, made of a document.
func become(tx *sqlitefile.Tx, id int64, change func(*Document)) error {
	var d Document
	rows, err := tx.Query(`SELECT fate, kind, made, body FROM documents WHERE id = ?`, id)
	if err != nil {
		return err
	}
	var text []byte
	if rows.Next() {
		d.Fate, d.Kind, d.Made, text = Fate(rows.Text(0)), Kind(rows.Text(1)), fiscal.WallTime(rows.Int(2)), rows.Bytes(3)
	}
	if err := rows.Close(); err != nil {
		return err
	}
	if text == nil {
		return &fiscal.Error{Of: fiscal.Corrupt, Field: "history", Msg: "a document that waits is not in it"}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return &fiscal.Error{Of: fiscal.Corrupt, Field: "history", Err: err}
	}
	d.ID = id
	return d.become(tx, change)
}

// become is the same for a document that is known.
func (d *Document) become(tx *sqlitefile.Tx, change func(*Document)) error {
	change(d)
	free := ""
	if d.Fate == Refused {
		free = ", draft = NULL" // its device may try again
	}
	return put(tx, d, `UPDATE documents SET fate = ?`+free+`, body = ?3 WHERE id = ?2`, string(d.Fate), d.ID)
}

// accept is the change when the operator has taken a document.
func accept(s *kkm.Slip) func(*Document) {
	return func(d *Document) {
		if d.Fate == Autonomous {
			d.Fate = Delivered
		} else {
			d.Fate = Accepted
		}
		d.FiscalSign, d.QR = cmp.Or(s.FiscalSign, d.FiscalSign), cmp.Or(s.QR, d.QR)
		if s.Report != nil {
			if b, err := kkm.AppendReport(nil, s.Report); err == nil {
				d.Report = b
			}
		}
	}
}

// turn is the change when nobody answered: the document is printed as an
// autonomous one.
func turn(m *memory, job *kkm.Job) func(*Document) {
	return func(d *Document) {
		d.Fate, d.OfflineCode, d.Payload = Autonomous, job.Code, job.Payload
		d.printed(m)
	}
}

// printed puts the QR code on an autonomous receipt, which stays what was
// printed when the operator has given its sign.
func (d *Document) printed(m *memory) {
	if d.Kind == KindReceipt && m.check != nil {
		d.QR = m.check(d.Sign(), d)
	}
}

// giveUp is the change when a document is in no queue any more and was not
// accepted: refused before it was printed, or removed afterwards.
func giveUp(d *Document) {
	if d.Fate == Autonomous {
		d.Fate = Removed
	} else {
		d.Fate = Refused
	}
}
