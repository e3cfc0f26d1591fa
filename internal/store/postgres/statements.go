package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// appending is how the committers' connections differ: their statements find
// rows by keys and by nothing else, whatever the statistics say.
var appending = map[string]string{
	"plan_cache_mode":  "force_generic_plan",
	"enable_hashjoin":  "off",
	"enable_mergejoin": "off",
	"enable_seqscan":   "off",
	"enable_material":  "off",
	"enable_memoize":   "off",
}

// prepare prepares the statements of Append and Fence on a new connection. On
// Citus each is for the one partition that is its first parameter, so that it
// is sent to one shard; elsewhere a batch may touch many.
func (db *DB) prepare(ctx context.Context, c *pgx.Conn) error {
	wholeWrites(c.PgConn())
	same := func(column, table string) string {
		if db.citus {
			return table + ".partition = $1"
		}
		return table + ".partition = " + column
	}
	for _, s := range []struct {
		name, sql string
		types     []uint32
	}{
		{"begin", `BEGIN`, nil},
		{"commit", `COMMIT`, nil},
		{"rollback", `ROLLBACK`, nil},
		{"heads", `SELECT partition, seq, month, chain, clock_timestamp() FROM heads WHERE partition = ANY ($1) ORDER BY partition FOR NO KEY UPDATE`, []uint32{oidInt4s}},
		{"states", `SELECT u.i, s.version, s.number, CASE WHEN (s.number & 31) + u.n >= 32 THEN s.latest END
			FROM unnest($2, $3, $4, $5) AS u (i, p, r, n) JOIN states s ON s.register = u.r AND ` + same("u.p", "s"), []uint32{oidInt4, oidInt4s, oidInt4s, oidInt8s, oidInt4s}},
		{"move", `UPDATE states s SET version = u.version, number = u.number, state = u.state, latest = substr(s.latest, 1, u.keep) || u.places
			FROM unnest($2, $3, $4, $5, $6, $7, $8) AS u (p, r, version, number, state, keep, places) WHERE s.register = u.r AND ` + same("u.p", "s"),
			[]uint32{oidInt4, oidInt4s, oidInt8s, oidInt8s, oidInt8s, oidByteas, oidInt4s, oidByteas}},
		{"numbers", `INSERT INTO numbers (partition, register, run, taxpayer, places) SELECT s.partition, s.register, u.run, s.taxpayer, u.places
			FROM unnest($2, $3, $4, $5) AS u (p, r, run, places) JOIN states s ON s.register = u.r AND ` + same("u.p", "s"),
			[]uint32{oidInt4, oidInt4s, oidInt8s, oidInt8s, oidByteas}},
		{"card", `INSERT INTO cards (partition, register, version, taxpayer, body) VALUES ($1, $2, $3, $4, convert_from($5, 'UTF8')::json)`,
			[]uint32{oidInt4, oidInt8, oidInt8, oidInt8, oidBytea}},
		{"advance", `UPDATE heads h SET seq = u.seq, month = u.month, chain = u.chain
			FROM unnest($2, $3, $4, $5) AS u (p, seq, month, chain) WHERE ` + same("u.p", "h"),
			[]uint32{oidInt4, oidInt4s, oidInt8s, oidInt4s, oidByteas}},
		{"fence", `UPDATE heads SET fence = fence + 1 WHERE partition = $1 RETURNING partition, seq, month, chain`, []uint32{oidInt4}},
	} {
		if _, err := c.PgConn().Prepare(ctx, s.name, s.sql, s.types); err != nil {
			return fmt.Errorf("prepare %s: %w", s.name, err)
		}
	}
	return nil
}

// look locks the heads and reads the states, in one round trip, and the
// database's clock with them: what came while ours is not right is not stored.
func (a *appender) look(ctx context.Context, w *talk) error {
	o := &a.out
	o.plain("begin")
	o.bind("heads", 1)
	at := o.array(oidInt4, len(a.heads))
	for i := range a.heads {
		o.int4(int32(a.heads[i].partition))
	}
	o.end(at)
	o.execute()

	o.bind("states", 5)
	o.int4(int32(a.heads[0].partition))
	at = o.array(oidInt4, len(a.lines))
	for i := range a.lines {
		o.int4(int32(i))
	}
	o.end(at)
	a.keys(len(a.lines), func(i int) int { return i })
	at = o.array(oidInt4, len(a.lines))
	for i := range a.lines {
		o.int4(int32(a.lines[i].entries))
	}
	o.end(at)
	o.execute()

	began, theirs := w.db.now(), time.Time{}
	if err := w.ask(ctx, o, func(statement int, f [][]byte) error {
		if statement == 1 {
			theirs = serverTime(f[4])
			h := &a.heads[a.headOf(fiscal.Partition(binary.BigEndian.Uint32(f[0])))]
			h.known = true
			return readHead(&h.Head, f)
		}
		l := &a.lines[binary.BigEndian.Uint32(f[0])]
		l.known = true
		l.version = binary.BigEndian.Uint64(f[1])
		l.number = fiscal.Number(binary.BigEndian.Uint64(f[2]))
		l.latest = append([]byte(nil), f[3]...)
		return nil
	}); err != nil || theirs.IsZero() {
		return err // without heads all is stale
	}
	if err := apart(began, theirs, w.db.now()); err != nil {
		return err
	}
	return a.early(theirs)
}

// early refuses what claims to have come after the database's present: our
// clock was wrong when it came.
func (a *appender) early(theirs time.Time) error {
	for i := range a.batch {
		for j := range a.batch[i].Entries {
			if e := &a.batch[i].Entries[j]; e.ReceivedAt.Sub(theirs) > clockApart {
				return &fiscal.Error{Reason: fiscal.StoreDown, Field: "clock", Msg: fmt.Sprintf("received %s ahead of the database's clock", e.ReceivedAt.Sub(theirs).Round(time.Millisecond))}
			}
		}
	}
	return nil
}

// keys are the arrays of partitions and registers of n lines.
func (a *appender) keys(n int, line func(int) int) {
	o := &a.out
	at := o.array(oidInt4, n)
	for i := range n {
		o.int4(int32(a.lines[line(i)].place.Partition))
	}
	o.end(at)
	at = o.array(oidInt8, n)
	for i := range n {
		o.int8(uint64(a.lines[line(i)].place.Register))
	}
	o.end(at)
}

// readHead reads partition, seq, month and chain.
func readHead(h *journal.Head, f [][]byte) error {
	h.Seq = journal.Seq(binary.BigEndian.Uint64(f[1]))
	h.Month = int32(binary.BigEndian.Uint32(f[2]))
	if copy(h.Chain[:], f[3]) != len(h.Chain) {
		return &fiscal.Error{Of: fiscal.Corrupt, Field: "heads", Msg: "a partition's head is cut"}
	}
	return nil
}

// store sends what judge left, and COMMIT.
func (a *appender) store(w *talk) error {
	o := &a.out
	o.again()
	o.wary = a.bytes > atOnce || w.conn.Conn().PgConn().CustomData()[onePiece] == nil
	statements := a.insert(w)
	a.moveStates()
	statements++
	if len(a.runs) > 0 {
		a.addRuns()
		statements++
	}
	cards, err := a.addCards()
	if err != nil {
		return w.abandon(err)
	}
	statements += cards
	a.moveHeads()
	statements++
	at := len(o.b)
	o.plain("commit")
	statements++
	return a.inserted(w, w.commit(o, at, statements))
}

func (a *appender) moveStates() {
	o, n := &a.out, len(a.moved)
	moved := func(i int) *line { return &a.lines[a.moved[i]] }
	o.bind("move", 8)
	o.int4(int32(a.heads[0].partition))
	a.keys(n, func(i int) int { return a.moved[i] })
	at := o.array(oidInt8, n)
	for i := range n {
		o.int8(moved(i).version)
	}
	o.end(at)
	at = o.array(oidInt8, n)
	for i := range n {
		o.int8(uint64(moved(i).number))
	}
	o.end(at)
	at = o.array(oidBytea, n)
	for i := range n {
		o.bytes(moved(i).state)
	}
	o.end(at)
	at = o.array(oidInt4, n)
	for i := range n {
		o.int4(int32(moved(i).keep))
	}
	o.end(at)
	at = o.array(oidBytea, n)
	for i := range n {
		o.bytes(moved(i).places)
	}
	o.end(at)
	o.execute()
}

func (a *appender) addRuns() {
	o, n := &a.out, len(a.runs)
	o.bind("numbers", 5)
	o.int4(int32(a.heads[0].partition))
	a.keys(n, func(i int) int { return a.runs[i].line })
	at := o.array(oidInt8, n)
	for i := range n {
		o.int8(a.runs[i].run)
	}
	o.end(at)
	at = o.array(oidBytea, n)
	for i := range n {
		o.bytes(a.runs[i].places)
	}
	o.end(at)
	o.execute()
}

// addCards adds the new cards of fresh commits.
func (a *appender) addCards() (n int, err error) {
	o := &a.out
	for i := range a.batch {
		c := &a.batch[i]
		if c.Card == nil || !a.fresh[i] {
			continue
		}
		body, err := cardBody(c.Card)
		if err != nil {
			return 0, err
		}
		o.bind("card", 5)
		o.int4(int32(c.Partition))
		o.int8(uint64(c.Card.Register))
		o.int8(uint64(c.Card.Version))
		o.int8(uint64(c.Card.Taxpayer))
		o.bytes(body)
		o.execute()
		n++
	}
	return n, nil
}

func (a *appender) moveHeads() {
	o, n := &a.out, 0
	for i := range a.heads {
		if a.heads[i].moved {
			n++
		}
	}
	each := func(element uint32, put func(h *head)) {
		at := o.array(element, n)
		for i := range a.heads {
			if a.heads[i].moved {
				put(&a.heads[i])
			}
		}
		o.end(at)
	}
	o.bind("advance", 5)
	o.int4(int32(a.heads[0].partition))
	each(oidInt4, func(h *head) { o.int4(int32(h.partition)) })
	each(oidInt8, func(h *head) { o.int8(uint64(h.Seq)) })
	each(oidInt4, func(h *head) { o.int4(h.Month) })
	each(oidBytea, func(h *head) { o.bytes(h.Chain[:]) })
	o.execute()
}
