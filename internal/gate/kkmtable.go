package gate

import (
	"errors"

	"openofd/internal/fiscal"
)

// The result codes this door gives by itself; all others come with the
// decision. Source: KKM 2.0.2 §4.1.
const (
	codeProtocol    = 3
	codeUnavailable = 254 // nothing is stored, the same request may succeed later
	codeUnknown     = 255 // our own fault, nothing is stored
)

// The texts stand on the cashier's screen. A register in use crashes on a
// refusal without one.
const (
	textTooLong     = "Хабарлама тым ұзын / Сообщение слишком длинное"
	textVersion     = "Хаттаманың бұл нұсқасы қолданылмайды / Версия протокола не поддерживается"
	textUnavailable = "Қызмет уақытша қолжетімсіз, сұрауды қайталаңыз / Сервис временно недоступен, повторите запрос"
	textUnknown     = "Оператор жағындағы қате / Ошибка на стороне оператора"
)

// kkmTexts words the codes of failures.
var kkmTexts = map[uint32]string{
	codeUnavailable: textUnavailable,
	codeUnknown:     textUnknown,
}

// kkmCodes says what a register hears when its exchange failed. A refusal is a
// decision and never comes this way; kinds that only a refusal can have are
// our own fault here.
var kkmCodes = [...]uint32{
	fiscal.Internal:        codeUnknown,
	fiscal.Invalid:         codeUnknown,
	fiscal.Unauthenticated: codeUnknown,
	fiscal.Denied:          codeUnknown,
	fiscal.NotFound:        codeUnknown,
	fiscal.Conflict:        codeUnknown,
	fiscal.Overloaded:      codeUnavailable,
	fiscal.Unavailable:     codeUnavailable,
	fiscal.Corrupt:         codeUnknown,
}

// kkmCode is the code for an error. One that nobody typed is our own fault.
func kkmCode(err error) uint32 {
	var e *fiscal.Error
	if errors.As(err, &e) {
		return kkmCodes[e.Kind()]
	}
	var r fiscal.Reason
	if errors.As(err, &r) {
		return kkmCodes[r.Kind()]
	}
	var k fiscal.Kind
	if errors.As(err, &k) {
		return kkmCodes[k]
	}
	return codeUnknown
}
