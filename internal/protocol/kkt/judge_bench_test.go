package kkt_test

import (
	"context"
	"testing"

	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
)

// A receipt of five items opened, judged and acknowledged: all that an exchange
// costs but sockets and store.
func BenchmarkJudge(b *testing.B) {
	d := newDesk(b)
	d.now = at(2026, 3, 2, 9)
	v, shop := newMaker(d, vectorDrive, false), device.SampleShop(4)
	v.send(shop.Registration(0))
	v.send(shop.OpenShift())
	message := v.make(shop.Receipt(fiscal.OpSale, 11_000, 5_500, 1_200, 99_900, 350))
	h, err := kkt.ParseHeader(message)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		q, err := kkt.OpenRequest(context.Background(), d.module, h, message[kkt.HeaderLen:])
		if err != nil {
			b.Fatal(err)
		}
		x := fiscal.Exchange{Request: message, Body: q, Received: d.now}
		s := fiscal.Situation{Card: &d.card, State: d.state, Exchange: &x, Now: d.now, Operator: &d.self}
		if got, err := d.rules.Judge(&s); err != nil || got.Next == nil {
			b.Fatal(told(got, err))
		}
		q.Release()
	}
}
