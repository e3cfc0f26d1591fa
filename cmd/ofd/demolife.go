package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// demoLife is how a register lives: when it works and how much. Days are counted
// back from today, which is 0.
type demoLife struct {
	opens, closes int        // hours of its day
	customers     int        // of an ordinary day
	week          [7]int     // in percent of it, from Sunday on; zeros are a hundred
	since         int        // the first day; 0 is the first of all
	away          []dayRange // days without a document
	cut           []dayRange // days without a link: what was made goes out on the day behind them
	blocked       int        // the day on which the operator blocks it; 0 never
}

// dayRange is some days in a row, the earlier first.
type dayRange struct{ from, to int }

func (d dayRange) has(day int) bool { return day <= d.from && day >= d.to }

func anyDay(all []dayRange, day int) bool {
	return slices.ContainsFunc(all, func(d dayRange) bool { return d.has(day) })
}

// pastDeed is what happens at a register.
type pastDeed uint8

const (
	deedOpen     pastDeed = iota // the morning: cash for change, the shift
	deedCustomer                 // somebody at the counter
	deedClose                    // the evening
	deedCut                      // the link fails
	deedMend                     // the link is back, and what waits goes out
	deedBlock                    // the operator blocks the register
)

// pastEvent is what happens at a moment.
type pastEvent struct {
	at   time.Time
	deed pastDeed
}

// day is all that happens on one day, in order. date is its midnight at the
// register, back how many days ago it is.
func (l *demoLife) day(date time.Time, back int, r *rand.Rand) (all []pastEvent) {
	if l.since != 0 && back > l.since || anyDay(l.away, back) {
		return nil
	}
	at := func(hour, minute int) time.Time {
		return date.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
	}
	switch {
	case l.blocked != 0 && back < l.blocked:
		return nil
	case anyDay(l.cut, back) && !anyDay(l.cut, back+1):
		all = append(all, pastEvent{at(l.opens+2, 17), deedCut})
	case anyDay(l.cut, back+1) && !anyDay(l.cut, back):
		all = append(all, pastEvent{at(l.opens, -45), deedMend})
	}
	if back == l.blocked && l.blocked != 0 {
		all = append(all, pastEvent{at(l.closes, 30), deedBlock})
	}
	all = append(all, pastEvent{at(l.opens, -r.IntN(9)), deedOpen}, pastEvent{at(l.closes, 4+r.IntN(9)), deedClose})
	for range l.visits(date, back, r) {
		all = append(all, pastEvent{l.moment(date, r), deedCustomer})
	}
	slices.SortStableFunc(all, func(a, b pastEvent) int { return a.at.Compare(b.at) })
	return all
}

// visits is how many customers come: by the day of the week, more towards the
// autumn and in the days after wages are paid, and never the same.
func (l *demoLife) visits(date time.Time, back int, r *rand.Rand) int {
	week := l.week[date.Weekday()]
	if l.week == [7]int{} {
		week = 100
	}
	season := 100 + 8*math.Cos(2*math.Pi*float64(date.YearDay()-320)/365)
	if d := date.Day(); d >= 5 && d <= 8 || d >= 20 && d <= 23 {
		season += 9
	}
	growth := 112 - 0.15*float64(back)
	chance := 86 + r.Float64()*28
	return int(float64(l.customers*week) / 100 * season / 100 * growth / 100 * chance / 100)
}

// moment is when a customer comes: most of them at noon and on the way home.
func (l *demoLife) moment(date time.Time, r *rand.Rand) time.Time {
	opens, closes := float64(l.opens), float64(l.closes)
	for {
		hour := opens + r.Float64()*(closes-opens)
		switch n := r.IntN(10); {
		case n < 3:
			hour = 13 + 1.3*r.NormFloat64()
		case n < 7:
			hour = 18.3 + 1.6*r.NormFloat64()
		}
		if hour > opens+0.05 && hour < closes-0.05 {
			return date.Add(time.Duration(hour * float64(time.Hour))).Truncate(time.Second)
		}
	}
}
