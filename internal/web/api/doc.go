// Package api serves programs: JSON over HTTP, described by OpenAPI 3.1 at
// /api/v1/openapi.json and .yaml.
//
// Promises of version 1: names and meanings stay, fields are added and never
// removed, amounts and quantities are text with a point (no reader makes a
// float of them by accident), times of registers have no zone, errors are
// application/problem+json.
package api
