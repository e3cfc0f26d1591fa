// Package mail words the letters that people get and hands them to a mail
// server, or to a sink where there is none.
package mail
