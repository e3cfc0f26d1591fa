// Package history records what registers sent and what they were answered
// while things went wrong, and judges whether one operator that does one thing
// at a time could have answered so.
//
//	recorder.go  exchanges and acts as they begin and end
//	model.go     what such an operator does: the token, the retry slot, a block
//	check.go     each register's history against the model, by porcupine
//	account.go   a bad history told to a person
//
// An exchange without an answer may have happened at any time after it began,
// or never. Registers do not touch each other, so each is judged alone.
//
// Source: KKM reference §3.2, §3.3, §3.4.
package history
