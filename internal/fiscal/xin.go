package fiscal

import "fmt"

// XIN is a Kazakh IIN (person) or BIN (business): 12 digits, the last of which
// checks the others. It is kept as text, leading zeros included.
type XIN string

// CheckXIN reports an identification number that cannot exist. field names it
// in the error, which is Invalid.
//
// s = Σ i·a_i (i = 1..11) mod 11; if that is 10, the weights are 3, 4, … 11, 1, 2;
// if it is 10 again the number was never issued; else s is the twelfth digit.
func CheckXIN(x XIN, field string) error {
	if len(x) != 12 {
		return &Error{Reason: BadValue, Field: field, Msg: fmt.Sprintf("%q has %d characters, an IIN or BIN has 12 digits", string(x), len(x))}
	}
	var first, second int
	for i := range 12 {
		d := int(x[i]) - '0'
		if d < 0 || d > 9 {
			return &Error{Reason: BadValue, Field: field, Msg: fmt.Sprintf("%q holds something other than digits", string(x))}
		}
		if i < 11 {
			first += (i + 1) * d
			second += (i+2)%11*d + d
		}
	}
	s := first % 11
	if s == 10 {
		s = second % 11
	}
	if s == 10 || s != int(x[11]-'0') {
		return &Error{Reason: BadValue, Field: field, Msg: fmt.Sprintf("the check digit of %s is wrong: look for a mistyped digit", string(x))}
	}
	return nil
}
