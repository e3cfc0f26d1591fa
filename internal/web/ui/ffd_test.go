package ui

import (
	"strconv"
	"testing"

	"openofd/internal/protocol/kkt/ffd"
)

// TestRequisitesHaveWords walks what a receipt of Russia may hold, in every
// form and version, and asks for words of every requisite and of every value
// of an enumeration, in every language.
//
// Req: F-047, F-048, F-051, F-053, F-070, F-071
func TestRequisitesHaveWords(t *testing.T) {
	all := locales(t)
	keys := map[string]bool{}
	var walk func(in uint16)
	walk = func(in uint16) {
		for _, def := range ffd.Definitions() {
			for _, p := range def.Places {
				key := "requisite." + def.Key()
				if p.In != in || def.Paper || keys[strconv.Itoa(int(in))+key] {
					continue
				}
				keys[strconv.Itoa(int(in))+key], keys[key] = true, true
				for _, v := range def.Values {
					keys[key+"."+strconv.FormatUint(uint64(v.N), 10)] = true
				}
				if def.Type == ffd.STLV {
					walk(uint16(def.Tag))
				}
			}
		}
	}
	for _, form := range ffd.Forms() {
		if form.Form.Settles() {
			walk(uint16(form.Form))
			keys["requisite.form."+form.Name] = true
		}
	}
	asked := 0
	for key := range keys {
		if key[0] != 'r' {
			continue // where it stands
		}
		asked++
		for lang, l := range all {
			if !l.Has(key) {
				t.Errorf("%s has no words for %q", lang, key)
			}
		}
	}
	if asked < 230 {
		t.Errorf("the dictionary led to %d keys, want 230 at least", asked)
	}
}
