package policy

import "time"

// kazakhstan is the law of Kazakhstan.
//
// Sources: order 135 item 16 (autonomous work); retention is the longest of what
// is asked for: five years of operators (order 135 item 18), the limitation
// period of the tax law (five at most), eight of a register's fiscal memory
// (technical requirements, item 34), of which ours is the copy; order 636 item 31 with the rules of the software register (shift); tax code of
// 2017 article 422 and of 2025 (VAT from 1 January 2026); instruction of the
// software register, step 5 (decision within three days). How long registers go
// on after a contract no law says: it is what it takes to find another operator.
func kazakhstan() Policy {
	return Policy{
		offline:   []dated[time.Duration]{{always, 72 * time.Hour}},
		shift:     []dated[time.Duration]{{always, 24 * time.Hour}},
		decision:  []dated[time.Duration]{{always, 72 * time.Hour}},
		grace:     []dated[time.Duration]{{always, 10 * 24 * time.Hour}},
		retention: []dated[int]{{always, 8}},
		vat: []datedRate{
			{Rate: Rate{Code: "vat12", Percent: 12_000}, from: day(2009, 1, 1), until: day(2026, 1, 1)},
			{Rate: Rate{Code: "vat16", Percent: 16_000}, from: day(2026, 1, 1)},
			{Rate: Rate{Code: "vat0"}, from: always},
			{Rate: Rate{Code: "none", Exempt: true}, from: always},
		},
	}
}
