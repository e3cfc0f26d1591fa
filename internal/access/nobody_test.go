package access

import (
	"crypto/rand"
	"strings"
	"testing"
)

// Who is not there costs as much to verify as who is: the same work is asked for.
func TestHashOfNobody(t *testing.T) {
	p := NewPasswords(0, rand.Reader)
	nobody, err := p.ofNobody()
	if err != nil {
		t.Fatal(err)
	}
	again, _ := p.ofNobody()
	real, err := p.Hash("Құпия сөз 1")
	if err != nil {
		t.Fatal(err)
	}
	cost := func(hash string) string { return hash[:strings.LastIndex(hash[:strings.LastIndex(hash, "$")], "$")] }
	if cost(nobody) != cost(real) || len(nobody) != len(real) || nobody == again {
		t.Errorf("nobody has the hash %s, then %s; want one of the form %s, another each time", nobody, again, real)
	}
	if VerifyPassword(nobody, "") || VerifyPassword(nobody, "Құпия сөз 1") {
		t.Error("a password is nobody's")
	}
}
