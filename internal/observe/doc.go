// Package observe makes what operators look through: the logger, the registry
// of metrics and the ops door with metrics, health and profiles.
//
// It knows nothing of receipts. Each package registers its own metrics with
// the registry it is given; what "ready" means is a list of named checks.
package observe
