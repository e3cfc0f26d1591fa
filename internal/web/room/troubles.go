package room

import (
	"openofd/internal/delivery"
	"openofd/internal/web/ui"
)

// troubleKeys are those of the words for why an authority gives no answer.
var troubleKeys = map[delivery.Trouble]string{
	delivery.NoWay: "trouble.no_way", delivery.TooLate: "trouble.too_late", delivery.Untrusted: "trouble.untrusted", delivery.Unwelcome: "trouble.unwelcome",
	delivery.OursIsOver: "trouble.ours_over", delivery.LeaveAlone: "trouble.leave_alone", delivery.Elsewhere: "trouble.elsewhere", delivery.Failing: "trouble.failing",
	delivery.EmptyAnswer: "trouble.empty", delivery.CutAnswer: "trouble.cut", delivery.Rubbish: "trouble.rubbish", delivery.ForeignAnswer: "trouble.foreign",
	delivery.WrongClock: "trouble.wrong_clock",
}

// troubled is what an error's text says of an authority in words of the
// language, "" where it tells of no trouble that has any.
func troubled(l *ui.Locale, text string) string {
	key := troubleKeys[delivery.TroubleIn(text)]
	if key == "" {
		return ""
	}
	return l.T(key)
}
