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
