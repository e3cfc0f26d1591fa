// Package config reads what an operator may set: the flags of `ofd serve`,
// the same names as OFD_… in the environment, and ofd.toml. A flag wins over
// the environment, the environment over the file, the file over the default.
//
// The package knows names and forms only. What a value means is the business
// of the package whose Config it ends in; cmd/ofd carries it there. A file
// holds no secrets, only paths to them.
package config
