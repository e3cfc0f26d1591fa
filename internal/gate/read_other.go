//go:build !unix

package gate

// findRaw finds nothing: here frames are begun in the connection itself.
func (c *conn) findRaw() {}
