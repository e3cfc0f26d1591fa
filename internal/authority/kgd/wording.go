package kgd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
)

// Read opens an entry of a register of Kazakhstan; kkm.Read does.
//
// Errors: Corrupt.
type Read func(rec *fiscal.Record) (fiscal.Document, error)

// Cards are the registry's.
type Cards interface {
	// Card reads one version of a register's card; NotFound.
	Card(ctx context.Context, r fiscal.RegisterID, version uint32) (fiscal.Card, error)
}

// Wording is a delivery.Authority. Safe for concurrent use.
type Wording struct {
	read  Read
	cards Cards

	mu    sync.Mutex
	known map[cardID]owner // guarded by mu
}

var _ delivery.Authority = (*Wording)(nil)

type cardID struct {
	register fiscal.RegisterID
	version  uint32
}

// owner is what a document says of its register's card.
type owner struct {
	country            fiscal.Country
	bin                fiscal.XIN
	registrationNumber string
	provisional        bool
}

// mostCards bounds what is remembered of cards: some 100 bytes each.
const mostCards = 1 << 16

// NewWording makes a wording.
func NewWording(read Read, cards Cards) *Wording {
	return &Wording{read: read, cards: cards, known: make(map[cardID]owner)}
}

// Name implements delivery.Authority.
func (*Wording) Name() string { return Name }

// kinds are the entries that the authority gets, by the names that they have
// there.
var kinds = map[fiscal.DocumentKind]string{
	fiscal.DocReceipt: KindReceipt, fiscal.DocCashMove: KindCashMove, fiscal.DocShiftClose: KindShiftClose,
	fiscal.DocReport: KindReport, fiscal.DocCancel: KindCancel, fiscal.DocAct: KindAct,
}

// IDOf is a document's, for ever.
func IDOf(r fiscal.RegisterID, n fiscal.Number) string {
	b := strconv.AppendInt(make([]byte, 0, 24), int64(r), 10)
	return string(strconv.AppendUint(append(b, '-'), uint64(n), 10))
}

// Word implements delivery.Authority: documents of registers of Kazakhstan, and
// acts on them but for new tokens. Notices and reports of a link's quality are
// none of the authority's business.
//
// Source: order 135 items 2.3, 20, 22.
func (w *Wording) Word(ctx context.Context, room []byte, e delivery.Entry) (id string, body []byte, ok bool, err error) {
	act := e.Format == fiscal.FormatAct
	kind, wanted := kinds[e.Kind]
	if !act && !strings.HasPrefix(e.Format, "kkm/") || !wanted && e.Kind != fiscal.DocUnreadable {
		return "", room, false, nil
	}
	whose, err := w.owner(ctx, e.Record)
	switch {
	case act && whose.country != fiscal.Kazakhstan: // of another country's register, or of none that is known
		if errors.Is(err, fiscal.NotFound) {
			err = nil
		}
		return "", room, false, err
	case errors.Is(err, fiscal.NotFound):
		return IDOf(e.Register, e.Number), room, false, &delivery.Unfit{Reason: delivery.Damaged, Err: err}
	case err != nil:
		return "", room, false, err
	}
	id = IDOf(e.Register, e.Number)
	if !wanted {
		return id, room, false, &delivery.Unfit{Reason: delivery.Unreadable, Err: errors.New("its body could not be read when it came")}
	}
	doc, err := w.read(e.Record)
	if err != nil {
		return id, room, false, &delivery.Unfit{Reason: delivery.Damaged, Err: err}
	}
	if act && (doc.Act == nil || doc.Act.Kind == fiscal.ActToken) {
		return "", room, false, nil
	}
	line := writer{room}
	line.document(id, kind, &whose, &e, &doc)
	return id, append(line.b, '\n'), true, nil
}

// owner is what the card says under which an entry was made.
func (w *Wording) owner(ctx context.Context, rec *fiscal.Record) (owner, error) {
	id := cardID{rec.Register, rec.CardVersion}
	w.mu.Lock()
	o, ok := w.known[id]
	w.mu.Unlock()
	if ok {
		return o, nil
	}
	card, err := w.cards.Card(ctx, rec.Register, rec.CardVersion)
	if err != nil {
		return o, fmt.Errorf("read card %d of register %d: %w", rec.CardVersion, rec.Register, err)
	}
	o = owner{card.Country, card.XIN, card.RegistrationNumber, card.Provisional}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.known) >= mostCards {
		clear(w.known)
	}
	w.known[id] = o
	return o, nil
}
