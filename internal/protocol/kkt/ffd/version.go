package ffd

import "openofd/internal/fiscal"

// Version is a version of the format, numbered as in tag 1209. The zero
// Version is not known.
type Version uint8

// The versions.
const (
	V100 Version = iota + 1 // 1.0
	V105                    // 1.05
	V110                    // 1.1
	V120                    // 1.2
	versionEnd
)

var versionNames = [versionEnd]string{"", "1.0", "1.05", "1.1", "1.2"}

// Versions lists the versions, oldest first.
func Versions() []Version { return []Version{V100, V105, V110, V120} }

// ParseVersion reads what String writes; an unknown name is the zero Version.
func ParseVersion(name string) Version {
	for v := V100; v < versionEnd; v++ {
		if versionNames[v] == name {
			return v
		}
	}
	return 0
}

// Known reports whether v is one of the versions.
func (v Version) Known() bool { return v >= V100 && v < versionEnd }

func (v Version) String() string {
	if v.Known() {
		return versionNames[v]
	}
	return "unknown"
}

// versionOf reads tag 1209: 0 was used by early drives of 1.0, and a number
// above those known is read as the newest.
func versionOf(n byte) Version {
	switch {
	case n == 0:
		return V100
	case Version(n).Known():
		return Version(n)
	}
	return V120
}

// day is the first second of a day.
func day(year, month, dayOfMonth int) fiscal.WallTime {
	t, _ := fiscal.WallDate(year, month, dayOfMonth, 0, 0, 0)
	return t
}
