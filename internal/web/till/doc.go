// Package till is the door of the software cash register: the pages that a
// seller opens on a phone, installs, and uses all day.
//
//	handler.go   routes, and who is at the door
//	page.go      what stands around every page
//	signin.go    language, address, code, quick-access code, who is at the register
//	registers.go registers: new, connected, chosen
//	settings.go  what is set on a register, and its token
//	cashiers.go  people at the registers; account.go what is behind the gear
//	goods.go     goods that are kept
//	install.go   what makes it an application of a phone, also without a network
//
// Pages are made here and work without scripts but for selling, where each key
// must answer at once. Every act goes to internal/till, which judges it; here it
// is worded. Scripts and styles keep to what Android 8.1 and iOS 12.4 know.
//
// Source: E-kassa manual; requirements E-016 to E-157.
package till
