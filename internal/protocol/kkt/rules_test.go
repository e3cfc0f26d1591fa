package kkt_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/testkit"
)

// Every message of the document channel gets the reaction of its vector, from
// an operator that knows the register and none of its documents; what is
// accepted can be opened again, and makes the state.
//
// Req: F-001, F-002, F-005, F-043
func TestRulesOnVectors(t *testing.T) {
	counts := map[string]int{}
	for _, v := range testkit.KKTVectors(t) {
		if v.Channel == "marking" || v.Want.Reply == "sent" || v.Want.Reply == "incident" {
			continue
		}
		counts[v.Want.Reply]++
		t.Run(v.Name, func(t *testing.T) {
			d := newDesk(t)
			d.now = time.Unix(1763900000, 0).UTC()
			if v.Want.At != 0 {
				d.now = time.Unix(v.Want.At, 0).UTC()
			}
			if v.Want.Reply == "ack" && v.Want.Frame == nil {
				d.module, d.self.INN = kkt.Plain{}, "7704358518" // a real drive's
			}
			got, err := d.take(v.Message)
			switch v.Want.Reply {
			case "ack", "refusal":
				if err != nil || got.Reason != fiscal.NoReason || got.Close || got.Result != uint16(v.Want.Code) {
					t.Fatalf("%s; want an acknowledgement with %d", told(got, err), v.Want.Code)
				}
				if v.Want.Frame != nil && !bytes.Equal(got.Answer, v.Want.Frame) {
					t.Errorf("answer %x\nwant   %x", got.Answer, []byte(v.Want.Frame))
				}
				rec := d.last()
				if (rec.Kind == fiscal.DocUnreadable) != (v.Want.Code == 11) || rec.Outcome != uint16(v.Want.Code) || rec.Drive == "" || rec.DeviceNumber == 0 {
					t.Errorf("entry %v, outcome %d, drive %q, document %d", rec.Kind, rec.Outcome, rec.Drive, rec.DeviceNumber)
				}
				if !bytes.Equal(rec.Request, v.Message) || !bytes.Equal(rec.Answer, got.Answer) {
					t.Error("the entry does not hold what was received and sent")
				}
				d.replayed()
				again, err := d.take(v.Message)
				if err != nil || !again.Replayed || !bytes.Equal(again.Answer, got.Answer) || again.Next != nil || again.Result != got.Result {
					t.Errorf("the same again: %s; want the first answer", told(again, err))
				}
			case "none", "forward or none":
				if got.Answer != nil || len(d.entries) > 0 || err == nil && !got.Close {
					t.Errorf("%s; want no reply and no entry", told(got, err))
				}
				if err == nil && got.Reason.Kind() != fiscal.Unauthenticated {
					t.Errorf("refused for %v, want what is not authentic", got.Reason)
				}
			}
		})
	}
	if counts["ack"] < 40 || counts["refusal"] < 12 || counts["none"] < 10 {
		t.Errorf("vectors %v", counts)
	}
}

// Another document under a number that is taken gets no reply, whenever it
// comes, and what is stored stays.
func TestNumberTaken(t *testing.T) {
	d := newDesk(t)
	d.now = at(2025, 11, 23, 12)
	first := testkit.KKTVectorNamed(t, "duplicate-fd").Message
	answer, err := d.take(first)
	if err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(40 * 24 * time.Hour)
	other, err := d.take(testkit.KKTVectorNamed(t, "duplicate-fd-other-content").Message)
	if err != nil || other.Reason != fiscal.NumberTaken || !other.Close || other.Answer != nil {
		t.Errorf("other contents: %s; want NumberTaken and no reply", told(other, err))
	}
	again, err := d.take(first)
	if err != nil || !again.Replayed || !bytes.Equal(again.Answer, answer.Answer) {
		t.Errorf("the first again: %s; want its answer", told(again, err))
	}
	if len(d.entries) != 1 {
		t.Errorf("%d entries, want 1", len(d.entries))
	}
}

// The same document, encrypted anew, is the same document.
func TestRepeatedUnderAnotherHeader(t *testing.T) {
	d := newDesk(t)
	d.now = at(2025, 11, 23, 12)
	first := testkit.KKTVectorNamed(t, "duplicate-fd").Message
	answer, err := d.take(first)
	if err != nil {
		t.Fatal(err)
	}
	h, err := kkt.ParseHeader(first)
	if err != nil {
		t.Fatal(err)
	}
	h.Flags |= kkt.FlagBodyCRC
	other, err := kkt.AppendMessage(nil, h, first[kkt.HeaderLen:])
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.take(other)
	if err != nil || !again.Replayed || !bytes.Equal(again.Answer, answer.Answer) {
		t.Errorf("the same container under another header: %s; want the first answer", told(again, err))
	}
}

// A register that may not speak gets no reply, but for documents that were
// accepted when it might.
func TestBlockedAndDeregistered(t *testing.T) {
	stored, next := testkit.KKTVectorNamed(t, "open-shift-1.05").Message, testkit.KKTVectorNamed(t, "receipt-1.05-weight").Message
	for _, tt := range []struct {
		act    fiscal.Act
		reason fiscal.Reason
	}{
		{fiscal.Act{Kind: fiscal.ActBlock, Text: "no contract"}, fiscal.RegisterBlocked},
		{fiscal.Act{Kind: fiscal.ActDeregister}, fiscal.RegisterDeregistered},
	} {
		d := newDesk(t)
		d.now = at(2025, 11, 23, 12)
		if r := d.act(fiscal.Act{Kind: fiscal.ActRegister}).Reason; r != fiscal.NoReason {
			t.Fatal(r)
		}
		if got, err := d.take(stored); err != nil || got.Answer == nil {
			t.Fatal(told(got, err))
		}
		d.act(tt.act)
		if got, err := d.take(next); err != nil || got.Reason != tt.reason || !got.Close || got.Answer != nil {
			t.Errorf("%s: %s; want %v and no reply", tt.act.Kind, told(got, err), tt.reason)
		}
		if got, err := d.take(stored); err != nil || !got.Replayed {
			t.Errorf("%s, a stored document: %s; want its answer", tt.act.Kind, told(got, err))
		}
		if tt.act.Kind == fiscal.ActBlock {
			d.act(fiscal.Act{Kind: fiscal.ActUnblock})
			if got, err := d.take(next); err != nil || got.Answer == nil {
				t.Errorf("unblocked: %s; want an answer", told(got, err))
			}
		}
		d.replayed()
	}
	if got := newDesk(t).act(fiscal.Act{Kind: fiscal.ActToken}); got.Reason != fiscal.UnsupportedCommand {
		t.Errorf("a token for a register of Russia: %v, want UnsupportedCommand", got.Reason)
	}
}

// While the module is not to be had nothing is judged, so that nothing is
// wrongly refused.
func TestModuleDown(t *testing.T) {
	message := testkit.KKTVectorNamed(t, "receipt-1.2-measure-kg").Message
	for _, broken := range []faultyModule{{SIM1: sim1(), open: kkt.ErrTemporary}, {SIM1: sim1(), open: kkt.ErrKeyUnavailable}, {SIM1: sim1(), seal: kkt.ErrTemporary}, {SIM1: sim1(), sign: kkt.ErrTemporary}} {
		d := newDesk(t)
		d.now, d.module = at(2025, 11, 23, 12), &broken
		if got, err := d.take(message); !errors.Is(err, fiscal.Unavailable) || got.Answer != nil || len(d.entries) > 0 {
			t.Errorf("open %v, seal %v, sign %v: %s; want Unavailable", broken.open, broken.seal, broken.sign, told(got, err))
		}
	}
	d := newDesk(t)
	d.module = &faultyModule{SIM1: sim1(), open: kkt.ErrUnknownDrive}
	if got, err := d.take(message); err != nil || got.Reason != fiscal.NotAuthentic {
		t.Errorf("a drive that the module does not know: %s; want NotAuthentic", told(got, err))
	}
}
