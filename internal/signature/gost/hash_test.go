package gost

import (
	"bytes"
	"encoding/hex"
	"hash"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// stribog is the second message of RFC 6986 §10, in the encoding it has there.
const stribog = "d1e520e2e5f2f0e82c20d1f2f0e8e1eee6e820e2edf3f6e82c20e2e5fef2fa20f120eceef0ff20f1f2f0e5ebe0ece820ede020f5f0e0e1f0fbff20efebfaeafb20c8e3eef0e5e2fb"

// TestHashVectors holds the hashes against the examples of the standards.
func TestHashVectors(t *testing.T) {
	second, err := hex.DecodeString(stribog)
	if err != nil {
		t.Fatal(err)
	}
	first := strings.Repeat("0123456789", 7)[:63]
	tests := []struct {
		name, message string
		hash          hash.Hash
		want          string
	}{
		{"RFC 6986 §10.1.1", first, New512(), "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48"},
		{"RFC 6986 §10.1.2", first, New256(), "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500"},
		{"RFC 6986 §10.2.1", string(second), New512(), "1e88e62226bfca6f9994f1f2d51569e0daf8475a3b0fe61a5300eee46d961376035fe83549ada2b8620fcd7c496ce5b33f0cb9dddc2b6460143b03dabac9fb28"},
		{"RFC 6986 §10.2.2", string(second), New256(), "9dd2fe4e90409e5da87f53976d7405b0c0cac628fc669a741d50063c557e8f50"},
		{"nothing, 512", "", New512(), "8e945da209aa869f0455928529bcae4679e9873ab707b55315f56ceb98bef0a7362f715528356ee83cda5f2aac4c6ad2ba3a715c1bcd81cb8e9f90bf4c1c1a8a"},
		{"nothing, 256", "", New256(), "3f539a213e97c802cc229d474c6aa32a825a360b2a933a949fd925208d9ce1bb"},
		{"RFC 5831 §7.3.1", "This is message, length=32 bytes", New94(Example), "b1c466d37519b82e8319819ff32595e047a28cb6f83eff1c6916a815a637fffa"},
		{"RFC 5831 §7.3.2", "Suppose the original message has length = 50 bytes", New94(Example), "471aba57a60a770d3a76130635c1fbea4ef14de51f78b4ae57dd893b62f55208"},
		{"nothing, 94", "", New94(Example), "ce85b99cc46752fffee35cab9a7b0278abb4c2d2055cff685af4912c49490f8d"},
		{"nothing, 94 CryptoPro", "", New94(CryptoPro), "981e5f3ca30c841487830f84fb433e13ac1101569b9c13584ac483234cd656c0"},
	}
	for _, tt := range tests {
		tt.hash.Write([]byte(tt.message))
		if got := hex.EncodeToString(tt.hash.Sum(nil)); got != tt.want {
			t.Errorf("%s: hash(%q) = %s, want %s", tt.name, tt.message, got, tt.want)
		}
	}
}

// TestHashPieces: a message hashed in pieces gives the hash of the whole, and
// asking for the sum changes nothing.
func TestHashPieces(t *testing.T) {
	makers := map[string]func() hash.Hash{
		"256": New256, "512": New512,
		"94": func() hash.Hash { return New94(CryptoPro) },
	}
	for name, make := range makers {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			message := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "message")
			whole := make()
			whole.Write(message)
			want := whole.Sum(nil)
			pieces := make()
			for rest := message; len(rest) > 0; {
				n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
				pieces.Write(rest[:n])
				pieces.Sum(nil)
				rest = rest[n:]
			}
			if got := pieces.Sum(nil); !bytes.Equal(got, want) {
				t.Fatalf("hash of %x in pieces = %x, want %x", message, got, want)
			}
			whole.Reset()
			whole.Write(message)
			if got := whole.Sum(nil); !bytes.Equal(got, want) {
				t.Fatalf("hash of %x after Reset = %x, want %x", message, got, want)
			}
		}))
	}
}

func BenchmarkHash(b *testing.B) {
	message := make([]byte, 64<<10)
	for name, h := range map[string]hash.Hash{"256": New256(), "512": New512(), "94": New94(CryptoPro)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				h.Reset()
				h.Write(message)
				h.Sum(nil)
			}
		})
	}
}
