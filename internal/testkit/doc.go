// Package testkit holds what tests of several packages share: a store in
// memory that keeps every promise of a real one, and a store that breaks down
// at a chosen step. Only tests import it.
package testkit
