// Package sandbox is an authority to rehearse with: a server of its own, with a
// database of its own, that takes what operators of both countries send to
// theirs, holds it against rules of its own, counts it, decides on applications,
// and breaks down in the ways that are asked for.
//
//	server.go       what it is made of; the door
//	operators.go    who sends
//	lines.go        a batch of lines read under limits, and its answer
//	scan.go         JSON without reflection
//	document.go     what is kept of a document; its fields and their rules
//	kazakhstan.go   a line of kgd/1
//	russia.go       a line of Russia's tax service
//	take.go         a batch stored in one transaction, and counted
//	counts.go       what the documents of a register and a day come to
//	summaries.go    what operators say of it; compare.go where the two differ
//	applications.go signed applications; decide.go what becomes of them;
//	                russiapapers.go those of Russia, and its words
//	markingdoor.go  requests about marked goods
//	held.go         how much is here, for whoever runs it in a process
//	faults.go       breaking down on request
//	login.go, pages*.go, templates/  screens for its staff
//
// It is no authority: what it grants has no force, and it judges no electronic
// signature.
//
// Promises: what was answered survives power loss; a document, an application or
// a summary that comes again, in whatever company and order, changes nothing;
// a batch is taken as a whole or not at all; operators do not see each other's;
// memory is bounded by limits that are compared before anything is allocated.
//
// Left to others: the words of the messages (authority/kgd, authority/fns,
// authority/marking).
//
// Sources: order 135 of 27.02.2015 items 9 to 13, 20, 22; order 626 of
// 24.10.2025; law 54-FZ articles 4.2, 4.3; KKT reference §12.
package sandbox
