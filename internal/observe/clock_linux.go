package observe

import (
	"time"

	"golang.org/x/sys/unix"
)

// readClock asks the kernel, and changes nothing.
func readClock() (clockState, bool) {
	var t unix.Timex // Modes 0: only read
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return clockState{}, false
	}
	unit := time.Microsecond
	if t.Status&unix.STA_NANO != 0 {
		unit = time.Nanosecond
	}
	return clockState{
		synchronized: state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0,
		offset:       time.Duration(t.Offset) * unit,
		maxError:     time.Duration(t.Maxerror) * time.Microsecond,
	}, true
}
