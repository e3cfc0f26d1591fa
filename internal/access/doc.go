// Package access says who may see what: people and how they prove that it is
// them, their sessions, what each may do in which organization, and the journal
// of what they did.
//
// Facts here are its own: they follow from no document. What a person did is
// appended to a chain of audit records and never changes.
package access
