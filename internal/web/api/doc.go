// Package api serves programs: JSON over HTTP, described by OpenAPI 3.1 at
// /api/v1/openapi.json and .yaml, and for people at /api.
//
// Anybody may check a receipt. All else is done with a key that a person made in
// the cabinet, and by the same questions and offices as the cabinet's pages: no
// rule of who may do what stands here. The session of a browser opens nothing
// here: a page of another site could then have a person's browser ask, and a
// program that needs the answer has no browser.
//
// Promises of version 1: names and meanings stay, fields are added and never
// removed, amounts and quantities are text with a point (no reader makes a
// float of them by accident), times of registers have no zone, errors are
// application/problem+json. A POST with an Idempotency-Key is done once.
package api
