package intake

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"openofd/internal/fiscal"
)

func TestCacheForgetsTheOldest(t *testing.T) {
	c := newCache[fiscal.RegisterID, string](shards * 100)
	// Keys that share a shard, found by trial: the hash is seeded.
	var keys []fiscal.RegisterID
	for k := fiscal.RegisterID(1); len(keys) < 5; k++ {
		if c.shard(k) == c.shard(1) {
			keys = append(keys, k)
		}
	}
	for _, k := range keys[:4] {
		c.put(k, fmt.Sprint(k), 25)
	}
	c.get(keys[0])                  // used, so newer than the rest
	c.put(keys[1], "again", 25)     // replaced, newer too
	c.put(keys[4], "the fifth", 25) // one has to go
	for i, want := range []bool{true, true, false, true, true} {
		if _, ok := c.get(keys[i]); ok != want {
			t.Errorf("key %d kept %t, want %t", i, ok, want)
		}
	}
	if v, _ := c.get(keys[1]); v != "again" {
		t.Errorf("get() = %q, want the value put last", v)
	}
	c.drop(keys[1])
	c.drop(keys[1])
	if _, ok := c.get(keys[1]); ok {
		t.Error("dropped, yet there")
	}
	c.put(keys[2], "large", 1000) // larger than its shard: kept alone
	if _, ok := c.get(keys[2]); !ok || c.size() != 1000 {
		t.Errorf("a large value: kept %t, %d bytes in use; want true, 1000", ok, c.size())
	}
}

func TestCacheBounded(t *testing.T) {
	const bound = 1 << 20
	c := newCache[fiscal.RegisterID, row](bound)
	r := row{card: &fiscal.Card{Title: fiscal.Text{RU: "ТОО «Береке»"}, Model: "Порт"}, state: &fiscal.State{Protocol: make([]byte, 200)}}
	for range 20_000 {
		c.put(fiscal.RegisterID(rand.Int64N(1e6)), r, r.bytes())
	}
	kept := 0
	for i := range c.shards {
		kept += len(c.shards[i].nodes)
	}
	if size := c.size(); size > bound || size != kept*r.bytes() {
		t.Errorf("%d bytes in use for %d rows of %d, bound %d", size, kept, r.bytes(), bound)
	}
}

// A register's row is about 2 KiB, so that 256 MiB hold some 130,000.
func TestRowBytes(t *testing.T) {
	r := row{
		card: &fiscal.Card{
			Title: fiscal.Text{KK: "«Береке» ЖШС", RU: "ТОО «Береке»"}, LegalAddress: fiscal.Text{RU: "г. Алматы, пр. Абая, 10"},
			OutletAddress: fiscal.Text{RU: "г. Алматы, пр. Абая, 10"}, Model: "Порт DPG-150ФKZ", SerialNumber: "SN0012345678", RegistrationNumber: "010102310125",
		},
		state: &fiscal.State{Protocol: make([]byte, 201), Counters: fiscal.Counters{Sections: make([]fiscal.SectionTally, 1), Taxes: make([]fiscal.TaxTally, 1)}},
	}
	if n := r.bytes(); n < 1500 || n > 3000 {
		t.Errorf("row.bytes() = %d, want about 2000", n)
	}
}

// size is the bytes in use.
func (c *cache[K, V]) size() (bytes int) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		bytes += s.bytes
		s.mu.Unlock()
	}
	return bytes
}
