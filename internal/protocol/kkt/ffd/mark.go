package ffd

// Mark is the sign of a marked item on paper and screens.
type Mark string

// The signs. Source: reference §10.2.
const (
	MarkPositive Mark = "[M+]" // the code and the status are right
	MarkNegative Mark = "[M-]" // one of them is wrong
	MarkUnknown  Mark = "[M]"  // not checked, or not to the end
)

// Checked is the sign for a value of tag 2106: what was checked and what came
// of it.
func Checked(result uint8) Mark {
	switch result {
	case 15:
		return MarkPositive
	case 1, 5, 7, 17:
		return MarkNegative
	}
	return MarkUnknown
}

// SellsMarked reports whether a receipt has an item of marked goods: one that
// states what was checked (2106), or that is of such a kind (1212).
func (d *Document) SellsMarked() bool {
	if !d.Form.Settles() || d.Version < V120 {
		return false
	}
	for i := 0; i < len(d.nodes); i = int(d.nodes[i].next) {
		if d.nodes[i].tag != TagItem {
			continue
		}
		for at := i + 1; at < int(d.nodes[i].next); at = int(d.nodes[at].next) {
			switch n := &d.nodes[at]; n.tag {
			case 2106:
				return true
			case 1212:
				if kind := byteOf(d.value(n)); kind == exciseWithCode || kind == goodsWithCode {
					return true
				}
			}
		}
	}
	return false
}

// The kinds of items that bear a marking code, values of tag 1212.
const (
	exciseWithCode = 31
	goodsWithCode  = 33
)
