package registers

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

// DriveCredential is what a register of Russia knows of itself.
type DriveCredential struct {
	ID     fiscal.RegisterID
	Number wire.DriveNumber
	INN    string // of the owner
	Serial string

	RegistrationNumber string
}

// drive is a device of Russia. Its fiscal drive judges every answer.
type drive struct {
	DriveCredential
	cfg      *Config
	register *kkt.Register
	nodes    *nodes
	shop     kkt.Shop
	memory   *kkt.Volatile
	answered []Document
	refused  error
}

// Every so many documents a drive acts as if the answer had not come: the
// repetition must be answered with the same bytes.
const everyRepetition = 8

// newDrive makes a device. Devices differ in the version of their documents and
// in whether they are encrypted.
func newDrive(cfg *Config, cred DriveCredential, index int) *drive {
	d := &drive{DriveCredential: cred, cfg: cfg, memory: &kkt.Volatile{}, nodes: &nodes{cfg: cfg, index: index}}
	for _, addr := range cfg.DriveAddrs {
		d.nodes.links = append(d.nodes.links, kkt.NewLink(kkt.LinkConfig{Addr: addr, Keep: true, Connect: cfg.Answer, Answer: cfg.Answer}))
	}
	d.shop = kkt.SampleShop([]ffd.Version{ffd.V120, ffd.V105, ffd.V110}[index%3])
	d.shop.INN, d.shop.Serial, d.shop.RegistrationNumber = cred.INN, cred.Serial, cred.RegistrationNumber
	simulated, err := kkt.NewDrive(kkt.DriveConfig{Number: cred.Number, Encrypted: index%2 == 1}, d.memory, wire.NewSIM1(wire.SIM1TestKey()))
	if err != nil {
		panic(err) // the number was parsed, the memory is new
	}
	zone := time.FixedZone("MSK", 3*60*60)
	d.register = kkt.New(kkt.Config{Zone: zone, Tries: 1}, simulated, d.nodes, nil, cfg.Now, rand.Reader)
	return d
}

func (d *drive) id() fiscal.RegisterID { return d.ID }
func (d *drive) waits() bool           { return d.register.Standing().Unsent > 0 }
func (d *drive) stands() error         { return d.refused }
func (d *drive) documents() []Document { return d.answered }
func (d *drive) under() string {
	return fmt.Sprintf("document %d", d.register.Standing().FirstUnsent)
}
func (d *drive) close() error { return d.register.Close() }

// next makes what is due in the drive's life: a registration, then shifts of
// receipts.
func (d *drive) next() error {
	s := d.register.Standing()
	doc := d.shop.Receipt(fiscal.OpSale, fiscal.Money(10_000+s.Documents))
	switch {
	case s.Documents == 0:
		doc = d.shop.Registration(0)
	case !s.Shift.Open:
		doc = d.shop.OpenShift()
	case s.Shift.Documents >= everyClose:
		doc = d.shop.CloseShift()
	}
	_, d.refused = d.register.Make(doc)
	return d.refused
}

// exchange implements device. The drive has taken the answer when it returns
// true, or has found fault with it, which no operator may give cause for.
func (d *drive) exchange(ctx context.Context) bool {
	done, err := d.register.Deliver(ctx, kkt.QueueDocuments)
	var silence *kkt.LinkError
	switch {
	case errors.As(err, &silence):
		return false
	case err != nil:
		d.refused = err
		return true
	}
	for _, one := range done {
		if !one.Ack.Accepted() {
			d.refused = fmt.Errorf("document %d was refused: %+v", one.Number, one.Ack)
			return true
		}
		d.answered = append(d.answered, Document{
			Register: d.ID, Number: int(one.Number), Request: behind(d.nodes.sent, wire.HeaderLen), Answer: sha256.Sum256(d.nodes.heard),
		})
		if one.Number%everyRepetition == 0 {
			d.refused = d.nodes.again(ctx, one.Number)
		}
	}
	return true
}

// compare implements device. Numbers of documents follow each other in the
// order in which they are stored.
func (d *drive) compare(stored []held, n *Counts) []string {
	var under [sha256.Size]byte
	if d.waits() {
		n.Pending++
		contents, _ := d.memory.Load()
		under = sha256.Sum256(contents.Documents[0].Frame)
	}
	complaints := compare(d.answered, under, stored, n)
	for i, h := range stored {
		if h.device != uint64(i)+1 {
			return append(complaints, fmt.Sprintf("entry %d is document %d, want %d", h.number, h.device, i+1))
		}
	}
	return complaints
}

// nodes carries each message of a drive to the node that is chosen for it, and
// remembers the last one that was answered.
type nodes struct {
	cfg         *Config
	index       int
	links       []*kkt.Link
	exchanges   int
	sent, heard []byte
}

var _ kkt.Exchanger = (*nodes)(nil)

// Exchange implements kkt.Exchanger.
func (n *nodes) Exchange(ctx context.Context, message []byte) ([]byte, error) {
	node := n.cfg.Choose(n.index, n.exchanges) % len(n.links)
	n.exchanges++
	began := time.Now()
	answer, err := n.links[node].Exchange(ctx, message)
	if err != nil {
		return nil, err
	}
	if n.cfg.Took != nil {
		n.cfg.Took(time.Since(began))
	}
	n.sent, n.heard = bytes.Clone(message), bytes.Clone(answer)
	return answer, nil
}

// again sends the last message once more and wants the same answer, or none.
func (n *nodes) again(ctx context.Context, number uint32) error {
	first := n.heard
	second, err := n.Exchange(ctx, n.sent)
	if err == nil && !bytes.Equal(first, second) {
		return fmt.Errorf("document %d again was answered with %x, the first time with %x", number, second, first)
	}
	return nil
}

// Close implements kkt.Exchanger.
func (n *nodes) Close() error {
	var all []error
	for _, l := range n.links {
		all = append(all, l.Close())
	}
	return errors.Join(all...)
}
