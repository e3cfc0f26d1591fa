// Package storetest is the contract of a storage engine as tests. Every engine
// runs the same ones:
//
//	storetest.Run(t, func(t *testing.T) storetest.Engine { … })
//
// The tests speak in the interfaces of the packages that call an engine and in
// the little SQL that all engines share: the names of tables and columns. What
// only one engine has, it tests itself.
//
// Promises shown here: what was acknowledged is there, byte for byte, for ever
// and in order; a stale commit is left out alone; nothing that a document
// depends on can be changed or deleted with the rights of the service.
package storetest
