package bench

import (
	"math/bits"
	"time"
)

// histogram counts durations in buckets that grow with the duration: each
// power of two is cut into subBuckets, so a quantile is right to 1/64. It
// holds from 1 ns to an hour and longer; what is longer counts as the longest.
// One goroutine adds; merge the histograms of several afterwards.
type histogram struct {
	counts [buckets]uint64
	total  uint64
	max    time.Duration
}

const (
	subBits    = 6
	subBuckets = 1 << subBits
	buckets    = (42 - subBits + 1) * subBuckets // up to 2⁴² ns, 73 minutes
)

func (h *histogram) add(d time.Duration) {
	h.counts[bucket(d)]++
	h.total++
	h.max = max(h.max, d)
}

// bucket is the place of a duration.
func bucket(d time.Duration) int {
	v := uint64(max(d, 0))
	if v < subBuckets {
		return int(v)
	}
	power := bits.Len64(v) - 1 // v is in [2^power, 2^(power+1))
	i := (power-subBits+1)<<subBits + int(v>>(power-subBits)) - subBuckets
	return min(i, buckets-1)
}

// highest is the longest duration of a bucket.
func highest(i int) time.Duration {
	if i < subBuckets {
		return time.Duration(i)
	}
	power := i>>subBits + subBits - 1
	return time.Duration(uint64(i&(subBuckets-1)+subBuckets+1)<<(power-subBits)) - 1
}

func (h *histogram) merge(o *histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.total += o.total
	h.max = max(h.max, o.max)
}

// quantile is the duration that perThousand of all do not exceed; 0 without
// any.
func (h *histogram) quantile(perThousand uint64) time.Duration {
	if h.total == 0 {
		return 0
	}
	want := max((h.total*perThousand+999)/1000, 1)
	var seen uint64
	for i, n := range h.counts {
		if seen += n; seen >= want {
			return min(highest(i), h.max)
		}
	}
	return h.max
}
