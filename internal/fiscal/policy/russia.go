package policy

import "time"

// russia is the law of Russia.
//
// Sources: law 54-FZ (articles 4.1 to 4.7: autonomous work, notifications of
// marked goods, shift, retention; 4.2: a registration number by the end of the
// next working day, which is three days away on a Friday);
// tax code article 164 with law 303-FZ (20 % from 2019), 176-FZ (5 % and 7 %
// from 2025) and the law of 2025 (22 % from 2026); tag 1199 of the FFD.
func russia() Policy {
	return Policy{
		offline:   []dated[time.Duration]{{always, 30 * 24 * time.Hour}},
		marking:   []dated[time.Duration]{{always, 30 * 24 * time.Hour}},
		shift:     []dated[time.Duration]{{always, 24 * time.Hour}},
		decision:  []dated[time.Duration]{{always, 72 * time.Hour}},
		grace:     []dated[time.Duration]{{always, 10 * 24 * time.Hour}},
		retention: []dated[int]{{always, 5}},
		vat: []datedRate{
			{Rate: Rate{Code: "vat18", Percent: 18_000}, from: day(2004, 1, 1), until: day(2019, 1, 1)},
			{Rate: Rate{Code: "vat20", Percent: 20_000}, from: day(2019, 1, 1), until: day(2026, 1, 1)},
			{Rate: Rate{Code: "vat22", Percent: 22_000}, from: day(2026, 1, 1)},
			{Rate: Rate{Code: "vat10", Percent: 10_000}, from: always},
			{Rate: Rate{Code: "vat7", Percent: 7_000}, from: day(2025, 1, 1)},
			{Rate: Rate{Code: "vat5", Percent: 5_000}, from: day(2025, 1, 1)},
			{Rate: Rate{Code: "vat0"}, from: always},
			{Rate: Rate{Code: "none", Exempt: true}, from: always},
			{Rate: Rate{Code: "vat18_118", Percent: 18_000, Calculated: true}, from: day(2004, 1, 1), until: day(2019, 1, 1)},
			{Rate: Rate{Code: "vat20_120", Percent: 20_000, Calculated: true}, from: day(2019, 1, 1), until: day(2026, 1, 1)},
			{Rate: Rate{Code: "vat22_122", Percent: 22_000, Calculated: true}, from: day(2026, 1, 1)},
			{Rate: Rate{Code: "vat10_110", Percent: 10_000, Calculated: true}, from: always},
			{Rate: Rate{Code: "vat7_107", Percent: 7_000, Calculated: true}, from: day(2025, 1, 1)},
			{Rate: Rate{Code: "vat5_105", Percent: 5_000, Calculated: true}, from: day(2025, 1, 1)},
		},
	}
}
