package main

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm"
	"openofd/internal/registry"
	"openofd/internal/testkit"
)

// TestFlowsOverSockets plays every flow of the vectors, and those that stand
// alone, against a running operator over real connections, with its clock set
// to the time of each document.
//
// Req: N-004, O-003, O-034, O-073, O-074, O-076, O-084, O-114, P-004, P-005, P-007
func TestFlowsOverSockets(t *testing.T) {
	for _, f := range testkit.KKMDays() {
		t.Run(f.Flows[0], func(t *testing.T) {
			v := newVectorOperator(t, f.Register)
			p := v.player(t)
			for _, flow := range f.Flows {
				if c := testkit.KKMCatalog(flow); c != nil {
					v.publish(t, c)
				}
				p.Flow(flow)
			}
			if _, err := verifyStore(t.Context(), v.o.core, nil); err != nil {
				t.Errorf("after the flows: %v", err)
			}
		})
	}
}

// TestBadFramesOverSockets: each malformed or dishonest frame gets the
// reaction that the reference names, and nothing of it is stored.
func TestBadFramesOverSockets(t *testing.T) {
	v := newVectorOperator(t, 200145)
	for _, x := range testkit.KKMVectors(t) {
		if x.Flow != "" || !x.Request() || x.Given != "" || len(x.Frame) < kkm.HeaderLen || binary.LittleEndian.Uint32(x.Frame[8:]) != 200145 {
			continue
		}
		t.Run(x.Name, func(t *testing.T) {
			before, err := v.o.store.Heads(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			p := v.player(t)
			frame := x.Frame
			if !x.Want.Silent {
				frame = p.WithToken(x.Frame)
				if before, err = v.o.store.Heads(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			answer, closed := v.exchange(t, frame, 300*time.Millisecond)
			if x.Want.Silent != (answer == nil) || closed != x.Want.Close {
				t.Fatalf("answer %x, closed %v; want silent %v, closed %v", answer, closed, x.Want.Silent, x.Want.Close)
			}
			if answer != nil {
				m, err := kkm.ParseResponse(answer[kkm.HeaderLen:])
				if err != nil || m.GetResult().GetResultCode() != x.Want.Code {
					t.Fatalf("answer %v, %v; want code %d", m, err, x.Want.Code)
				}
			}
			after, err := v.o.store.Heads(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(after) != len(before) || after[0] != before[0] {
				t.Errorf("the journal moved from %v to %v", before, after)
			}
		})
	}
}

// vectorOperator is an operator with one register of the vectors.
type vectorOperator struct {
	o     *operator
	place fiscal.Place

	mu  sync.Mutex
	now time.Time
}

func newVectorOperator(t *testing.T, id fiscal.RegisterID) *vectorOperator {
	t.Helper()
	v := &vectorOperator{now: testkit.KKMCard(id).RegisteredAt}
	var s settings
	s.Data = t.TempDir()
	any := config.Addr{HostPort: "127.0.0.1:0"}
	s.KKMAddr, s.HTTPAddr, s.OpsAddr = any, any, any
	s.Operator = config.Operator{
		Title: testkit.KKMOperator.Title,
		Ad:    config.Notice{Text: testkit.KKMOperator.Ad.Text, Version: testkit.KKMOperator.Ad.Version},
	}
	s.Site = config.Site{URL: testkit.KKMOperator.Site}
	s.Now = func() time.Time {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.now
	}
	var err error
	if v.o, err = startOperator(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.o.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	v.register(t, id)
	return v
}

// register stores the vectors' register under its own ID, with its cashier.
func (v *vectorOperator) register(t *testing.T, id fiscal.RegisterID) {
	t.Helper()
	ctx := t.Context()
	card := testkit.KKMCard(id)
	owner := registry.Taxpayer{Country: card.Country, XIN: card.XIN, Title: card.Title, Address: card.LegalAddress, Created: v.now}
	if err := v.o.store.AddTaxpayer(ctx, &owner); err != nil {
		t.Fatal(err)
	}
	outlet := registry.Outlet{Taxpayer: owner.ID, Title: card.OutletTitle, Address: card.OutletAddress, Zone: card.Zone}
	if err := v.o.store.AddOutlet(ctx, &outlet); err != nil {
		t.Fatal(err)
	}
	card.Taxpayer, card.Outlet = owner.ID, outlet.ID
	if err := v.o.store.AddRegister(ctx, owner.Partition, &card, []fiscal.Address{
		{Kind: fiscal.ByID, Name: strconv.FormatInt(int64(id), 10)},
		{Kind: fiscal.ByRegistrationNumber, Name: card.RegistrationNumber},
	}); err != nil {
		t.Fatal(err)
	}
	v.place = fiscal.Place{Partition: owner.Partition, Register: id}
	if _, err := v.o.intake.Do(ctx, v.place, fiscal.Act{Kind: fiscal.ActRegister, By: "test", Card: &card}); err != nil {
		t.Fatal(err)
	}
	login, password := testkit.KKMCashier()
	if err := v.o.registry.PutCashier(ctx, access.NewPasswords(1, rand.Reader), registry.NewCashier{
		Taxpayer: owner.ID, Login: login.Login, Password: password, Code: login.Code, Name: login.Name, Roles: login.Roles,
	}); err != nil {
		t.Fatal(err)
	}
}

// publish publishes a catalog under the version that the vectors name: earlier
// versions come first.
func (v *vectorOperator) publish(t *testing.T, c *fiscal.Catalog) {
	t.Helper()
	want := c.Version
	for c.Version = 0; c.Version < want; {
		if err := v.o.registry.PutCatalog(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}

func (v *vectorOperator) player(t *testing.T) *testkit.KKMPlayer {
	return &testkit.KKMPlayer{
		T: t,
		Send: func(frame []byte) []byte {
			answer, _ := v.exchange(t, frame, 0)
			return answer
		},
		SetClock: func(now time.Time) {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.now = now
		},
		Token: func(r fiscal.RegisterID) uint32 {
			token, err := v.o.registry.Token(t.Context(), r, "test")
			if err != nil {
				t.Fatal(err)
			}
			return token
		},
		Block: func(r fiscal.RegisterID, text string) {
			err := v.o.registry.Unblock(t.Context(), r, "test")
			if text != "" {
				err = v.o.registry.Block(t.Context(), r, "test", text)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
	}
}

// exchange sends one frame over a connection of its own. It returns the
// answer, nil for none, and whether the operator closed the connection within
// the given time afterwards.
func (v *vectorOperator) exchange(t *testing.T, frame []byte, wait time.Duration) (answer []byte, closed bool) {
	t.Helper()
	conn, err := net.Dial("tcp", v.o.KKMAddr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(frame); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, kkm.HeaderLen)
	if _, err := io.ReadFull(conn, head); err != nil {
		return nil, !errors.Is(err, net.ErrClosed)
	}
	answer = append(head, make([]byte, binary.LittleEndian.Uint32(head[4:])-kkm.HeaderLen)...)
	if _, err := io.ReadFull(conn, answer[kkm.HeaderLen:]); err != nil {
		t.Fatal(err)
	}
	if wait == 0 {
		return answer, false
	}
	if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	_, err = conn.Read(head[:1])
	return answer, errors.Is(err, io.EOF)
}
