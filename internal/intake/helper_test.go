package intake_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/testkit"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// request is what the fake protocol parses: "sale 17 3 bread" is command,
// token, request number and contents.
type request struct {
	command string
	token   uint64
	number  uint64
}

// peerState is what the fake rules keep: the current token and the last
// accepted request.
type peerState struct {
	token   uint64
	tokenIn uint64
	number  uint64
	entry   fiscal.Number
}

func (p peerState) append() []byte {
	var b []byte
	for _, v := range [...]uint64{p.token, p.tokenIn, p.number, uint64(p.entry)} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

func parsePeer(b []byte) (p peerState) {
	if len(b) == 0 {
		return p
	}
	at := func(i int) uint64 { return binary.BigEndian.Uint64(b[8*i:]) }
	return peerState{at(0), at(1), at(2), fiscal.Number(at(3))}
}

// fakeRules judge the fake protocol as KKM's rules judge theirs: repetition,
// token, command.
//
//	sale      accepted: one record, a new token
//	close     accepted: two records, a new token
//	card      accepted: one record, a new version of the card
//	info      answered, nothing is stored
//	wrong     refused as BadValue
//	differs   refused as RetryDiffers, and the connection closes
//	greedy    needs an entry again and again
//	broken    an error
type fakeRules struct {
	judged func(*fiscal.Situation) // called at the beginning, if set
	needs  *fiscal.Needs           // of every exchange, if set
	found  func(fiscal.Found)      // hears what came of needs
}

func (f *fakeRules) Judge(s *fiscal.Situation) (fiscal.Decision, error) {
	if f.judged != nil {
		f.judged(s)
	}
	p, next := parsePeer(s.State.Protocol), s.State.Clone()
	if act, ok := s.Exchange.Body.(fiscal.Act); ok {
		p = peerState{token: newToken(s.Rand)}
		next.Protocol = p.append()
		if act.Kind == fiscal.ActBlock && act.Text == "" {
			return fiscal.Decision{Reason: fiscal.MissingParameter, Field: "text"}, nil
		}
		return fiscal.Decision{
			Next: next, Answer: strconv.AppendUint(nil, p.token, 10),
			Records: []fiscal.Record{{Kind: fiscal.DocAct, Format: "act/1", Request: []byte("act " + string(act.Kind))}},
		}, nil
	}
	q := s.Exchange.Body.(request)
	switch {
	case f.needs != nil && s.Found.Rounds == 0:
		return fiscal.Decision{Needs: f.needs}, nil
	case f.needs != nil:
		f.found(s.Found)
	}
	changing := q.command != "info"
	switch {
	case changing && p.entry != 0 && q.number == p.number && q.token == p.tokenIn: // repetition
		if !s.Found.Asked {
			return fiscal.Decision{Needs: &fiscal.Needs{Entries: []fiscal.Number{p.entry}}}, nil
		}
		return fiscal.Decision{Answer: s.Found.Entries[0].Answer, Replayed: true}, nil
	case q.token == p.token:
	case !changing && !s.Confirmed && p.entry != 0 && q.token == p.tokenIn:
	default:
		return fiscal.Decision{Reason: fiscal.StaleToken, Answer: []byte("stale"), Close: true}, nil
	}
	d := fiscal.Decision{Confirms: q.token == p.token}
	records := 1
	switch q.command {
	case "info":
		d.Answer = fmt.Appendf(nil, "info confirmed=%t", s.Confirmed)
		d.Contact = fiscal.Contact{Version: 203}
		return d, nil
	case "wrong":
		d.Reason, d.Field, d.Answer = fiscal.BadValue, "sum", []byte("wrong")
		return d, nil
	case "differs":
		d.Reason, d.Close, d.Answer = fiscal.RetryDiffers, true, []byte("differs")
		return d, nil
	case "greedy":
		return fiscal.Decision{Needs: &fiscal.Needs{Entries: []fiscal.Number{1}}}, nil
	case "broken":
		return fiscal.Decision{}, io.ErrUnexpectedEOF
	case "card":
		card := *s.Card
		card.Version++
		card.Name += "!"
		d.Card = &card
	case "close":
		records = 2
	}
	for range records {
		d.Records = append(d.Records, fiscal.Record{Kind: fiscal.DocReceipt, Format: "fake/1", Op: fiscal.OpSale, Total: 100})
	}
	p = peerState{token: newToken(s.Rand), tokenIn: q.token, number: q.number, entry: s.State.LastNumber + fiscal.Number(records)}
	next.Protocol = p.append()
	d.Next, d.Answer = next, fmt.Appendf(nil, "ok %d", p.token)
	return d, nil
}

func newToken(r io.Reader) uint64 {
	var b [4]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		panic(err)
	}
	return uint64(binary.BigEndian.Uint32(b[:])) + 1
}

func (f *fakeRules) Unknown(*fiscal.Exchange) fiscal.Decision {
	return fiscal.Decision{Reason: fiscal.UnknownRegister, Answer: []byte("unknown")}
}

// frame makes an exchange of the fake protocol.
func frame(r fiscal.RegisterID, text string) fiscal.Exchange {
	var q request
	words := strings.Fields(text)
	q.command = words[0]
	q.token, _ = strconv.ParseUint(words[1], 10, 64)
	q.number, _ = strconv.ParseUint(words[2], 10, 64)
	return fiscal.Exchange{
		Address: fiscal.Address{Kind: fiscal.ByID, Name: strconv.FormatInt(int64(r), 10)},
		Request: []byte(text), Body: q, Received: time.Now(), Peer: "192.0.2.1",
	}
}

// device is the other side of the fake protocol.
type device struct {
	id     fiscal.RegisterID
	token  uint64
	number uint64
}

// next is the device's next request; it stays the same until take.
func (d *device) next(command string) fiscal.Exchange {
	return frame(d.id, fmt.Sprintf("%s %d %d bread", command, d.token, d.number+1))
}

// take reads an answer and moves the device on when it is "ok TOKEN".
func (d *device) take(t testing.TB, a fiscal.Answer) {
	t.Helper()
	token, ok := strings.CutPrefix(string(a.Frame), "ok ")
	if !ok {
		t.Fatalf("register %d, request %d: answered %q (%v), want ok", d.id, d.number+1, a.Frame, a.Reason)
	}
	d.token, _ = strconv.ParseUint(token, 10, 64)
	d.number++
}

// node is an intake with a journal of its own, on a store that others may use
// too.
type node struct {
	*intake.Intake
	committer *journal.Committer
	rules     *fakeRules
}

// newNode runs an intake until the test ends.
func newNode(t testing.TB, cfg intake.Config, store *testkit.MemStore, under journal.Store) *node {
	c := journal.New(journal.Config{}, under, quiet, nil, time.Now)
	n := &node{committer: c, rules: &fakeRules{}}
	n.Intake = intake.New(cfg, store, c, n.rules, nil, &fiscal.Operator{}, quiet, nil, time.Now, rand.Reader)
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go c.Run(context.Background())
	go func() { n.Run(ctx); close(stopped) }()
	t.Cleanup(func() { cancel(); <-stopped; c.Stop() })
	return n
}

// newDevice adds a register to the store and gives it a token.
func newDevice(t testing.TB, store *testkit.MemStore, n *node, p fiscal.Partition) *device {
	t.Helper()
	card := fiscal.Card{Taxpayer: fiscal.TaxpayerID(p) + 1, Model: "fake"}
	if err := store.AddRegister(t.Context(), p, &card, nil); err != nil {
		t.Fatal(err)
	}
	a, err := n.Do(t.Context(), fiscal.Place{Partition: p, Register: card.Register}, fiscal.Act{Kind: fiscal.ActToken})
	if err != nil {
		t.Fatal(err)
	}
	d := &device{id: card.Register}
	d.token, _ = strconv.ParseUint(string(a.Frame), 10, 64)
	return d
}

// sell makes a device sell once and take the answer.
func (d *device) sell(t testing.TB, n *node) {
	t.Helper()
	a, err := n.Accept(t.Context(), d.next("sale"))
	if err != nil {
		t.Fatalf("register %d: %v", d.id, err)
	}
	d.take(t, a)
}

// entries are all entries of a partition.
func entries(t testing.TB, store *testkit.MemStore, p fiscal.Partition) []journal.Entry {
	t.Helper()
	all, err := store.Scan(context.Background(), p, 1, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
