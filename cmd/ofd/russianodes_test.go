package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"testing"
	"time"

	"openofd/internal/config"
	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

// operatorINN stands in acknowledgements.
const operatorINN = "7704211201"

// fickle sends each message to another node than the last, and now and then
// leaves before the answer comes.
type fickle struct {
	nodes []device.Exchanger
	addrs []string
	n     int
	left  int
}

func (f *fickle) Close() error {
	var all error
	for _, n := range f.nodes {
		all = errors.Join(all, n.Close())
	}
	return all
}

func (f *fickle) Exchange(ctx context.Context, message []byte) ([]byte, error) {
	f.n++
	at := f.n % len(f.nodes)
	if f.n%3 != 0 {
		return f.nodes[at].Exchange(ctx, message)
	}
	f.left++
	c, err := net.Dial("tcp", f.addrs[at])
	if err == nil {
		_, err = c.Write(message)
		if f.n%2 == 0 {
			time.Sleep(5 * time.Millisecond) // stored, most likely
		}
		c.Close()
	}
	return nil, &device.LinkError{Stage: device.AtReceive, Err: errors.Join(errors.New("left"), err)}
}

// A register whose messages go to one node after another, and which does not
// wait for a third of the answers, gets every document stored once.
func TestRussianNodes(t *testing.T) {
	first, made := russianOperator(t, "postgres")
	var s settings
	s.Data, s.DB.URL, s.KeyFile = t.TempDir(), first.url, first.keyFile
	s.KKTAddr = config.Addr{HostPort: "127.0.0.1:0"}
	s.KKTCrypto.Name = config.CryptoSIM1
	s.Operator.INN.Number = operatorINN
	second, err := startOperator(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := second.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	link := &fickle{addrs: []string{first.KKTAddr, second.KKTAddr}}
	for _, addr := range link.addrs {
		link.nodes = append(link.nodes, device.NewLink(device.LinkConfig{Addr: addr, Keep: true}))
	}
	number, err := kkt.ParseDriveNumber(testDrive)
	if err != nil {
		t.Fatal(err)
	}
	drive, err := device.NewDrive(device.DriveConfig{Number: number, Encrypted: true}, &device.Volatile{}, kkt.NewSIM1(kkt.SIM1TestKey()))
	if err != nil {
		t.Fatal(err)
	}
	r := device.New(device.Config{Zone: moscow, Tries: 5, Pause: time.Millisecond}, drive, link, nil, time.Now, rand.Reader)
	defer r.Close()
	shop := device.SampleShop(ffd.V120)
	const sales = 60
	documents := []device.Document{shop.Registration(0), shop.OpenShift()}
	for range sales {
		documents = append(documents, shop.Receipt(fiscal.OpSale, 11_000))
	}
	for _, doc := range append(documents, shop.CloseShift()) {
		if _, err := r.Make(doc); err != nil {
			t.Fatal(err)
		}
		done, err := r.Deliver(t.Context(), device.QueueDocuments)
		if err != nil || len(done) != 1 || !done[0].Ack.Accepted() {
			t.Fatalf("Deliver = %+v, %v", done, err)
		}
	}
	row, err := second.store.Row(t.Context(), made.Place)
	if err != nil {
		t.Fatal(err)
	}
	v, err := verifyStore(t.Context(), second.core, nil)
	if err != nil || v.Signs != sales+3 || row.State.Counters.Receipts[0].Ever != sales {
		t.Errorf("verify = %+v, %v, %d sales counted; want %d documents, %d sales", v, err, row.State.Counters.Receipts[0].Ever, sales+3, sales)
	}
	t.Logf("%d messages, %d left without the answer", link.n, link.left)
}
