// Package room is what people see who sign in: the doors to their rooms, and in
// them their own settings, the people of their organization and what was done.
//
// A handler parses, asks and renders. What may be done package access decides:
// the actor is part of every question.
package room
