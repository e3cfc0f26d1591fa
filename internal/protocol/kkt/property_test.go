package kkt_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

// message draws a request that every operator takes.
func drawMessage(t *rapid.T) (kkt.Header, kkt.FrameHeader, []byte) {
	number, err := kkt.ParseDriveNumber(rapid.StringMatching(`[0-9]{1,16}`).Draw(t, "drive"))
	if err != nil {
		t.Fatal(err)
	}
	crc := rapid.SampledFrom([]kkt.Flags{0, kkt.FlagHeaderCRC, kkt.FlagBodyCRC}).Draw(t, "crc")
	free := kkt.Flags(rapid.Uint16().Draw(t, "free bits")) & 0xFFC8
	h := kkt.Header{
		Service: kkt.ServiceDocuments, Version: rapid.SampledFrom(kkt.PVersions()).Draw(t, "P-version"),
		Drive: number, Flags: kkt.FlagsDocument | crc | free,
	}
	f := kkt.FrameHeader{
		Code: rapid.SampledFrom([]kkt.DocCode{1, 2, 3, 4, 5, 6, 11, 21, 31, 41}).Draw(t, "code"), Drive: number,
		Version: 1, Number: rapid.Uint32Max(kkt.MaxNumber).Draw(t, "number"),
		Extra1: [2]byte(rapid.SliceOfN(rapid.Byte(), 2, 2).Draw(t, "extra1")),
		Extra2: [12]byte(rapid.SliceOfN(rapid.Byte(), 12, 12).Draw(t, "extra2")),
	}
	return h, f, rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload")
}

// What is written reads back, and a message with one bit harmed anywhere but in
// the header's own fields never passes for another.
func TestMessageRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, f, payload := drawMessage(t)
		frame, err := kkt.AppendFrame(nil, f, payload)
		if err != nil {
			t.Fatal(err)
		}
		message, err := kkt.AppendMessage(nil, h, frame)
		if err != nil {
			t.Fatal(err)
		}
		var limits kkt.Limits
		got, admission, err := limits.Admit(message)
		if err != nil || admission != kkt.AdmitRead {
			t.Fatalf("Admit(%x) = %v, %v", message, admission, err)
		}
		read, err := kkt.ParseRequest(got, message[kkt.HeaderLen:])
		if err != nil {
			t.Fatalf("ParseRequest(%x) = %v", message, err)
		}
		f.Length, f.CRC = read.Length, read.CRC
		h.Size, h.CRC = got.Size, got.CRC
		if got != h || read.FrameHeader != f || !bytes.Equal(read.Payload(), payload) {
			t.Fatalf("read %+v, %+v, %x; wrote %+v, %+v, %x", got, read.FrameHeader, read.Payload(), h, f, payload)
		}
		body := bytes.Clone(message[kkt.HeaderLen:])
		bit := rapid.IntRange(0, 8*len(body)-1).Draw(t, "harmed bit")
		body[bit/8] ^= 1 << (bit % 8)
		if _, err := kkt.ParseRequest(got, body); err == nil {
			t.Fatalf("bit %d of the container harmed, and %x still parses", bit, body)
		}
		if h.Flags&(kkt.FlagHeaderCRC|kkt.FlagBodyCRC) != 0 {
			bit := rapid.IntRange(0, 8*26-1).Draw(t, "harmed bit of the header")
			head := bytes.Clone(message[:kkt.HeaderLen])
			head[bit/8] ^= 1 << (bit % 8)
			if h, _, err := limits.Admit(head); err == nil {
				if _, err := kkt.ParseRequest(h, message[kkt.HeaderLen:]); err == nil {
					t.Fatalf("bit %d of the header harmed, and %x still parses", bit, head)
				}
			}
		}
	})
}

// Whatever an acknowledgement says, the drive it is for reads the same.
func TestAckRoundTrip(t *testing.T) {
	module := sim1()
	rapid.Check(t, func(t *rapid.T) {
		h, f, _ := drawMessage(t)
		a := kkt.Ack{
			Operator: rapid.StringMatching(`[0-9]{10}([0-9]{2})?`).Draw(t, "operator"),
			Drive:    f.Drive, Number: f.Number,
			Time:     fiscal.WallTime(rapid.Int64Range(1, 1<<32-1).Draw(t, "time")),
			Version:  rapid.SampledFrom(ffd.Versions()).Draw(t, "version"),
			Response: rapid.SampledFrom([]kkt.Response{0, 11, 14}).Draw(t, "response"),
			Message:  kkt.OperatorMessage(rapid.Byte().Draw(t, "message")),
		}
		message, err := a.Seal(t.Context(), module, nil, h, kkt.Opened{Frame: f})
		if err != nil {
			t.Fatal(err)
		}
		if err := kkt.CheckReply(h, f, message); err != nil {
			t.Fatalf("CheckReply(%x) = %v", message, err)
		}
		got, err := kkt.Judge(message[kkt.HeaderLen:], f, module)
		if err != nil {
			t.Fatalf("Judge(%x) = %v", message, err)
		}
		b := got.Ack
		same := b.Operator == a.Operator && b.Drive == a.Drive && b.Number == a.Number && b.Time == a.Time
		if a.Version <= ffd.V105 {
			same = same && b.Response == a.Response && b.Message == 0
		} else {
			same = same && b.Response == 0 && b.Message == a.Message
		}
		if !same {
			t.Fatalf("read %+v, wrote %+v", b, a)
		}
	})
}
