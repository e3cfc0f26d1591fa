package till

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// memory is a register's memory on the shelf. What the register pushes into its
// queue enters the history in the same transaction, and what an answer makes of
// it is noted in the one in which it leaves the queue.
type memory struct {
	shelf    *shelf
	register fiscal.RegisterID
	check    func(sign string, d *Document) string // the text of a receipt's QR code

	// What the next document is, set by the act that makes it. A register's acts
	// take turns, and so does this.
	making *Document

	mu     sync.Mutex
	made   Document        // the last one, as the history has it; guarded by mu
	latest fiscal.WallTime // by the register's clock, of all that were made; guarded by mu

	first, next int64 // places of the queue in the table
	loaded      bool
}

var _ kkm.Memory = (*memory)(nil)

// Load implements kkm.Memory.
func (m *memory) Load() (state kkm.State, queue []kkm.Job, err error) {
	err = m.shelf.write(func(tx *sqlitefile.Tx) error { // behind what is being written
		state, queue = kkm.State{}, nil
		if err := row(tx, &state, "register", `SELECT memory FROM registers WHERE id = ?`, int64(m.register)); err != nil {
			return err
		}
		rows, err := tx.Query(`SELECT place, body FROM waiting WHERE register = ? ORDER BY place`, int64(m.register))
		if err != nil {
			return err
		}
		last, _, err := tx.QueryInt(`SELECT coalesce(max(made), 0) FROM documents WHERE register = ?`, int64(m.register))
		if err != nil {
			return errors.Join(err, rows.Close())
		}
		m.first, m.next, m.latest = 1, 1, fiscal.WallTime(last)
		for rows.Next() {
			var job kkm.Job
			if err := json.Unmarshal(rows.Bytes(1), &job); err != nil {
				_ = rows.Close()
				return &fiscal.Error{Of: fiscal.Corrupt, Field: "queue", Err: err}
			}
			if len(queue) == 0 {
				m.first = rows.Int(0)
			}
			m.next = rows.Int(0) + 1
			queue = append(queue, job)
		}
		return rows.Close()
	})
	if err != nil {
		return state, nil, fmt.Errorf("memory of register %d: %w", m.register, err)
	}
	m.loaded = true
	return state, queue, nil
}

// last is what was made last, and the latest moment at which something was.
func (m *memory) last() (Document, fiscal.WallTime) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.made, m.latest
}

// Save implements kkm.Memory.
func (m *memory) Save(s kkm.Step) error {
	if !m.loaded {
		return &fiscal.Error{Of: fiscal.Internal, Field: "memory", Msg: "saved before it was loaded"}
	}
	state, err := json.Marshal(s.State)
	if err != nil {
		return err
	}
	first, next := m.first, m.next
	was, latest := m.last()
	made := was
	err = m.shelf.write(func(tx *sqlitefile.Tx) error {
		first, next, made = m.first, m.next, was // a step that is tried again begins anew
		if _, err := tx.Exec(`UPDATE registers SET memory = ? WHERE id = ?`, state, int64(m.register)); err != nil {
			return err
		}
		dropped, err := m.drop(tx, &s, first, &made)
		if err != nil {
			return err
		}
		first += int64(s.Drop)
		for i := range s.Push {
			job, document := &s.Push[i], int64(0)
			switch {
			case s.Drop > 0: // goes on as an autonomous one
				document = dropped
			case m.making != nil:
				if made, err = m.making.begin(tx, m, job, &s.State); err != nil {
					return err
				}
				document = made.ID
			}
			body, err := json.Marshal(job)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO waiting (register, place, document, body) VALUES (?, ?, NULLIF(?, 0), ?)`, int64(m.register), next, document, body); err != nil {
				return err
			}
			next++
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("memory of register %d: %w", m.register, err)
	}
	m.first, m.next = first, next
	m.mu.Lock()
	defer m.mu.Unlock()
	m.made, m.latest = made, max(latest, made.Made)
	return nil
}

// drop takes documents off the queue and notes in the history what became of
// them. It returns the last one's ID there. made is the last one that was made,
// which is not read again to be changed.
func (m *memory) drop(tx *sqlitefile.Tx, s *kkm.Step, first int64, made *Document) (document int64, err error) {
	for place := first; place < first+int64(s.Drop); place++ {
		if document, _, err = tx.QueryInt(`SELECT document FROM waiting WHERE register = ? AND place = ?`, int64(m.register), place); err != nil {
			return 0, err
		}
		if _, err := tx.Exec(`DELETE FROM waiting WHERE register = ? AND place = ?`, int64(m.register), place); err != nil {
			return 0, err
		}
		if document == 0 {
			continue
		}
		change := accept(s.Done)
		switch {
		case len(s.Push) > 0:
			change = turn(m, &s.Push[0])
		case s.Done == nil:
			change = giveUp
		}
		if document == made.ID && made.Kind != KindZ { // which may have been shown meanwhile
			err = made.become(tx, change)
		} else {
			err = become(tx, document, change)
		}
		if err != nil {
			return 0, err
		}
	}
	return document, nil
}

// Close implements kkm.Memory; the shelf is closed by whoever opened it.
func (m *memory) Close() error { return nil }
