// Package registry knows who may speak: taxpayers, outlets, registers and
// their cards, models, cashiers kept at the operator, and the catalog of goods.
//
// It makes new registers and words changes of their cards; from then on
// whatever changes a judgement is an act, committed through intake.
//
// Sources: order 135 items 5.6, 7, 13; KKM reference §3.4.
package registry
