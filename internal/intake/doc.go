// Package intake is the act of accepting one exchange: find the register, take
// its lane, judge by the country's rules, commit, answer.
//
// It knows neither wire formats nor databases. A country is a set of Rules, an
// engine is a Store; both are handed in.
//
// Promises: the exchanges of one register are judged one at a time on a node;
// an acceptance leaves only after it is durable, and only if the register's
// state is still the one it was judged on; a refusal is never judged on a stale
// state.
//
// Source: KKM reference §3.2 and §3.3, order 135 items 13 and 14.
package intake
