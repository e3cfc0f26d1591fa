// Package ui is what all our pages share: layout and components, assets under
// names that carry their hash, words in Kazakh, Russian and English, amounts
// and dates as people write them, error pages, security headers.
//
// Pages work without JavaScript and set no cookies. A language is asked for in
// the address (lang=kk) or by the browser.
//
// Left to others: what a page says (web/pages), what a program is told
// (web/api).
package ui
