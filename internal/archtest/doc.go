// Package archtest holds the shape of the tree as tests: who may import whom,
// what the innermost packages must not touch, and that every package says what
// it is for. A new package fails here until a row of the table names it.
//
// The table is the one of ARCHITECTURE.md, section "Who may import whom".
package archtest
