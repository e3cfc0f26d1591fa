package delivery

import "strings"

// Trouble is why there is no answer of an authority that could be heeded: one of
// a closed set, so that staff are told in their own language what to look at.
// Whatever it is, nothing is known of what was asked, and it comes again.
type Trouble string

// The troubles.
const (
	NoWay         Trouble = "no_way"      // no connection comes about, or it breaks
	TooLate       Trouble = "too_late"    // no answer within the time
	Untrusted     Trouble = "untrusted"   // its certificate is expired, not yet valid, or of nobody we believe
	Unwelcome     Trouble = "unwelcome"   // it does not accept the certificate that we show, or we show none
	OursIsOver    Trouble = "ours_over"   // our own certificate is expired, or not yet valid
	LeaveAlone    Trouble = "leave_alone" // it asked not to be asked for a while
	Elsewhere     Trouble = "elsewhere"   // it points to another address
	Failing       Trouble = "failing"     // it answers that something is wrong with it, or with the request
	EmptyAnswer   Trouble = "empty"       // it answers that all is well, without a word
	CutAnswer     Trouble = "cut"         // the answer ends in the middle
	Rubbish       Trouble = "rubbish"     // the answer is none that was agreed on
	ForeignAnswer Trouble = "foreign"     // the answer is to something else
	WrongClock    Trouble = "wrong_clock" // it refuses while its clock is off, so that the refusal proves nothing
)

// Troubles lists them.
func Troubles() []Trouble {
	return []Trouble{NoWay, TooLate, Untrusted, Unwelcome, OursIsOver, LeaveAlone, Elsewhere, Failing, EmptyAnswer, CutAnswer, Rubbish, ForeignAnswer, WrongClock}
}

// Error says it in English. The words are stable, and none are part of others':
// what was kept as text can be told by them.
func (t Trouble) Error() string {
	switch t {
	case NoWay:
		return "it cannot be reached"
	case TooLate:
		return "no answer came in time"
	case Untrusted:
		return "its certificate is not to be believed"
	case Unwelcome:
		return "it does not accept our certificate"
	case OursIsOver:
		return "our own certificate does not hold today"
	case LeaveAlone:
		return "it asked to be left alone"
	case Elsewhere:
		return "it points to another address"
	case Failing:
		return "it answers with a failure"
	case EmptyAnswer:
		return "the answer is empty"
	case CutAnswer:
		return "the answer is cut off"
	case Rubbish:
		return "the answer is rubbish"
	case ForeignAnswer:
		return "the answer is to something else"
	case WrongClock:
		return "it refuses while its clock is wrong"
	}
	return "trouble " + string(t)
}

// TroubleIn finds the trouble in an error's text, as it was kept beside a cursor
// or an application; "" if it tells of none.
func TroubleIn(text string) Trouble {
	for _, t := range Troubles() {
		if strings.Contains(text, t.Error()) {
			return t
		}
	}
	return ""
}
