package sqlitefile

// due is the set of pages yet to be copied.
type due struct {
	bits  []uint64
	pages int64 // known so far
	count int64
	from  int64 // where to look next
}

// grow makes the database larger or smaller; new pages are due.
func (d *due) grow(pages int64) {
	for ; d.pages > pages; d.pages-- {
		d.remove(d.pages)
	}
	if words := int(pages/64) + 1; words > len(d.bits) {
		d.bits = append(d.bits, make([]uint64, words-len(d.bits))...)
	}
	for d.pages < pages {
		d.pages++
		d.add(d.pages)
	}
}

func (d *due) add(page int64) {
	if w, bit := &d.bits[page/64], uint64(1)<<(page%64); *w&bit == 0 {
		*w |= bit
		d.count++
	}
}

func (d *due) remove(page int64) {
	if w, bit := &d.bits[page/64], uint64(1)<<(page%64); *w&bit != 0 {
		*w &^= bit
		d.count--
	}
}

// take gives the next page, round and round, and forgets it; 0 when none is
// due.
func (d *due) take() int64 {
	if d.count == 0 {
		return 0
	}
	for ; ; d.from++ {
		if d.from > d.pages {
			d.from = 1
		}
		if d.bits[d.from/64] == 0 {
			d.from |= 63
			continue
		}
		if d.bits[d.from/64]&(1<<(d.from%64)) != 0 {
			d.remove(d.from)
			return d.from
		}
	}
}
