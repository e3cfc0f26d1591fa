// Package web is the HTTP door: pages for people, an API for programs, assets,
// and the limits that both are under.
//
// A request is read, asked and rendered; rules, access and storage are
// elsewhere. Nothing here needs a cookie, and a check is limited by the address
// it comes from.
package web
