package kkm

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// Result codes, by the names of the protocol. Source: KKM 2.0.2, table of result codes.
const (
	CodeOK                 = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_OK)
	CodeUnknownID          = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_UNKNOWN_ID)
	CodeInvalidToken       = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_INVALID_TOKEN)
	CodeProtocolError      = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_PROTOCOL_ERROR)
	CodeUnknownCommand     = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_UNKNOWN_COMMAND)
	CodeUnsupportedCommand = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_UNSUPPORTED_COMMAND)
	CodeInvalidReqNum      = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_INVALID_REQUEST_NUMBER)
	CodeInvalidRetry       = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_INVALID_RETRY_REQUEST)
	CodeCannotCancel       = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_CANT_CANCEL_TICKET)
	CodeShiftTooLong       = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_OPEN_SHIFT_TIMEOUT_EXPIRED)
	CodeIncorrectData      = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_INCORRECT_REQUEST_DATA)
	CodeNotEnoughCash      = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_NOT_ENOUGH_CASH)
	CodeBlocked            = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_BLOCKED)
	CodeSameTaxpayer       = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_SAME_TAXPAYER_AND_CUSTOMER)
	CodeBarcodeNotFound    = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_ELEMENT_NOT_FOUND_BY_BARCODE)
	CodeDeregistered       = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_DEREGISTERED)
	CodeUnavailable        = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_SERVICE_TEMPORARILY_UNAVAILABLE)
	CodeUnknownError       = uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_UNKNOWN_ERROR)
)

// CodeOf is the result code of a refusal for this reason towards a device of
// this version. Reasons that never come from these rules end in 254 when the
// same request may succeed later, and in 255 when the fault is ours.
func CodeOf(r fiscal.Reason, v Version) uint32 {
	switch r {
	case fiscal.NoReason:
		return CodeOK
	case fiscal.UnknownRegister:
		return CodeUnknownID
	case fiscal.StaleToken:
		return CodeInvalidToken
	case fiscal.BadForm, fiscal.BodyMissing, fiscal.UnsupportedVersion, fiscal.VersionSwitchedOff:
		return CodeProtocolError
	case fiscal.UnknownCommand:
		return CodeUnknownCommand
	case fiscal.UnsupportedCommand:
		return CodeUnsupportedCommand
	case fiscal.RequestNumberReused:
		return CodeInvalidReqNum
	case fiscal.RetryDiffers:
		return CodeInvalidRetry
	case fiscal.CannotCancel:
		return CodeCannotCancel
	case fiscal.ShiftTooLong:
		return CodeShiftTooLong
	case fiscal.BadValue:
		return CodeIncorrectData
	case fiscal.MissingParameter, fiscal.RegisterBlocked, fiscal.NoService:
		return CodeBlocked
	case fiscal.NotEnoughCash:
		return CodeNotEnoughCash
	case fiscal.RegisterDeregistered:
		if v >= V204 {
			return CodeDeregistered
		}
		return CodeBlocked
	case fiscal.SameTaxpayerAndBuyer:
		return CodeSameTaxpayer
	case fiscal.BarcodeNotFound:
		return CodeBarcodeNotFound
	}
	switch r.Kind() {
	case fiscal.Overloaded, fiscal.Unavailable:
		return CodeUnavailable
	case fiscal.Internal, fiscal.Corrupt:
		return CodeUnknownError
	}
	return CodeIncorrectData
}

// texts word the refusals for cashiers, in Kazakh and Russian. They say what
// to do where something can be done at the register.
var texts = map[fiscal.Reason]fiscal.Text{
	fiscal.UnknownRegister:      {KK: "Касса операторда тіркелмеген", RU: "Касса не зарегистрирована у оператора"},
	fiscal.StaleToken:           {KK: "Токен жарамсыз: жаңасын енгізіңіз", RU: "Неверный токен: введите новый"},
	fiscal.BadForm:              {KK: "Хаттама қатесі", RU: "Ошибка протокола"},
	fiscal.BodyMissing:          {KK: "Команда деректері жоқ", RU: "Нет данных команды"},
	fiscal.UnsupportedVersion:   {KK: "Хаттама нұсқасы қолданылмайды", RU: "Версия протокола не поддерживается"},
	fiscal.VersionSwitchedOff:   {KK: "Хаттама нұсқасы өшірілген: кассаны жаңартыңыз", RU: "Версия протокола отключена: обновите кассу"},
	fiscal.UnknownCommand:       {KK: "Белгісіз команда", RU: "Неизвестная команда"},
	fiscal.UnsupportedCommand:   {KK: "Команда қолданылмайды", RU: "Команда не поддерживается"},
	fiscal.RequestNumberReused:  {KK: "Сұрау нөмірі қате", RU: "Неправильный номер запроса"},
	fiscal.RetryDiffers:         {KK: "Қайталанған сұрау басқа құжатпен келді", RU: "Повторный запрос с другим документом"},
	fiscal.CannotCancel:         {KK: "Чектің күшін жою мүмкін емес", RU: "Отменить чек нельзя"},
	fiscal.ShiftTooLong:         {KK: "Ауысым уақыты бітті: ауысымды жабыңыз", RU: "Время открытой смены истекло: закройте смену"},
	fiscal.BadValue:             {KK: "Деректер қате", RU: "Некорректные данные"},
	fiscal.MissingParameter:     {KK: "Міндетті деректеме жоқ", RU: "Нет обязательного реквизита"},
	fiscal.NotEnoughCash:        {KK: "Кассада қолма-қол ақша жеткіліксіз", RU: "Недостаточно наличных в кассе"},
	fiscal.RegisterBlocked:      {KK: "Касса бұғатталған", RU: "Касса заблокирована"},
	fiscal.RegisterDeregistered: {KK: "Касса есептен шығарылған", RU: "Касса снята с учёта"},
	fiscal.NoService:            {KK: "Шарт аяқталды: құжаттар қабылданбайды", RU: "Договор прекращён: документы не принимаются"},
	fiscal.SameTaxpayerAndBuyer: {KK: "Сатып алушының ЖСН/БСН сатушымен бірдей", RU: "ИИН/БИН покупателя совпадает с продавцом"},
	fiscal.BarcodeNotFound:      {KK: "Штрих-код каталогта жоқ", RU: "Штрихкод не найден в каталоге"},
}

// TextOf words a refusal for the cashier's screen: Kazakh, then Russian, then
// the field it is about. It is never empty.
func TextOf(r fiscal.Reason, field string) string {
	t, ok := texts[r]
	if !ok {
		switch r.Kind() {
		case fiscal.Overloaded, fiscal.Unavailable:
			t = fiscal.Text{KK: "Қызмет уақытша қолжетімсіз, қайталаңыз", RU: "Сервис временно недоступен, повторите"}
		default:
			t = fiscal.Text{KK: "Белгісіз қате, қайталаңыз", RU: "Неизвестная ошибка, повторите"}
		}
	}
	s := t.KK + " / " + t.RU
	if field != "" {
		s += " (" + field + ")"
	}
	return s
}
