package ffd

// Value is one value of an enumeration, or one bit of a mask by its mask
// value: 8 is the fourth bit.
type Value struct {
	N      uint32
	RU, EN string
}

// The enumerations. New values come by order; the judgement knows which of
// them refuse a document and which are only noticed.
var (
	yesNo = []Value{{0, "нет", "no"}, {1, "да", "yes"}}

	versions = []Value{{0, "1.0, ранняя", "1.0, early"}, {1, "1.0", "1.0"}, {2, "1.05", "1.05"}, {3, "1.1", "1.1"}, {4, "1.2", "1.2"}}

	answerCodes = []Value{{0, "принят", "accepted"}, {11, "документ не распознан", "document not recognized"}, {14, "ошибка форматно-логического контроля", "a rule of the format is broken"}}

	operations = []Value{{1, "приход", "sale"}, {2, "возврат прихода", "sale return"}, {3, "расход", "purchase"}, {4, "возврат расхода", "purchase return"}}

	taxSystems = []Value{
		{1, "ОСН", "general"}, {2, "УСН доход", "simplified, income"}, {4, "УСН доход минус расход", "simplified, income less expense"},
		{8, "ЕНВД", "imputed income, until 2021"}, {16, "ЕСХН", "agricultural"}, {32, "патент", "patent"},
	}

	agents = []Value{
		{1, "банковский платёжный агент", "bank payment agent"}, {2, "банковский платёжный субагент", "bank payment subagent"},
		{4, "платёжный агент", "payment agent"}, {8, "платёжный субагент", "payment subagent"},
		{16, "поверенный", "attorney"}, {32, "комиссионер", "commissioner"}, {64, "агент", "other agent"},
	}

	reasonCodes = []Value{{1, "замена ФН", "drive replaced"}, {2, "замена ОФД", "operator replaced"}, {3, "изменение реквизитов пользователя", "user's data changed"}, {4, "изменение настроек ККТ", "settings of the register changed"}}

	changeReasons = []Value{
		{1 << 0, "замена ФН", "drive replaced"}, {1 << 1, "замена ОФД", "operator replaced"},
		{1 << 2, "наименование пользователя", "user's name"}, {1 << 3, "адрес или место расчётов", "address or place of settlement"},
		{1 << 4, "переход из автономного режима", "from autonomous mode"}, {1 << 5, "переход в автономный режим", "to autonomous mode"},
		{1 << 6, "версия модели ККТ", "version of the register's model"}, {1 << 7, "системы налогообложения", "tax systems"},
		{1 << 8, "номер автомата", "number of the vending machine"}, {1 << 9, "переход в неавтоматический режим", "to manual mode"},
		{1 << 10, "переход в автоматический режим", "to automatic mode"}, {1 << 11, "переход к формированию БСО", "to strict reporting forms"},
		{1 << 12, "переход к формированию чеков", "to receipts"}, {1 << 13, "прекращение расчётов в Интернет", "no longer on the Internet"},
		{1 << 14, "начало расчётов в Интернет", "now on the Internet"}, {1 << 15, "прекращение агентской деятельности", "no longer an agent"},
		{1 << 16, "начало агентской деятельности", "now an agent"}, {1 << 17, "прекращение азартных игр", "no more gambling"},
		{1 << 18, "начало азартных игр", "now gambling"}, {1 << 19, "прекращение лотерей", "no more lotteries"},
		{1 << 20, "начало лотерей", "now lotteries"}, {1 << 21, "изменение версии ФФД", "FFD version changed"}, {1 << 31, "иное", "other"},
	}

	operatorMessages = []Value{
		{2, "ошибки форматно-логического контроля", "a document broke a rule of the format"}, {4, "сообщения в кабинете ККТ на сайте ФНС", "see the messages in the tax service's cabinet"},
		{8, "требуется обновить версию ФФД", "the FFD version must be updated"}, {16, "ККТ в плане проверок", "the register is to be inspected"},
		{64, "обратитесь к ОФД для смены параметров связи", "ask the operator for new connection data"}, {128, "ОФД прекращает деятельность", "the operator ceases its work"},
	}

	conditions = []Value{
		{1 << 1, "принтер в автомате", "printer in a vending machine"}, {1 << 2, "АС БСО", "strict reporting forms"},
		{1 << 5, "только расчёты в Интернет", "Internet only"}, {1 << 6, "подакцизные товары", "excise goods"},
		{1 << 8, "маркированные товары", "marked goods"}, {1 << 9, "только услуги", "services only"},
		{1 << 10, "азартные игры", "gambling"}, {1 << 11, "лотереи", "lotteries"}, {1 << 12, "ломбард", "pawnshop"},
		{1 << 13, "страхование", "insurance"}, {1 << 14, "торговля через автомат", "vending"},
		{1 << 15, "общественное питание", "catering"}, {1 << 16, "оптовая торговля маркированными товарами", "wholesale of marked goods"},
	}

	correctionKinds = []Value{{0, "самостоятельно", "of one's own accord"}, {1, "по предписанию", "by order"}}

	rates = []Value{
		{1, "20 %", "20 %"}, {2, "10 %", "10 %"}, {3, "20/120", "20/120"}, {4, "10/110", "10/110"}, {5, "0 %", "0 %"}, {6, "без НДС", "no VAT"},
		{7, "5 %", "5 %"}, {8, "7 %", "7 %"}, {9, "5/105", "5/105"}, {10, "7/107", "7/107"}, {11, "22 %", "22 %"}, {12, "22/122", "22/122"},
	}

	productTypes = []Value{
		{1, "товар", "goods"}, {2, "подакцизный товар", "excise goods"}, {3, "работа", "work"}, {4, "услуга", "service"},
		{5, "ставка азартной игры", "bet"}, {6, "выигрыш азартной игры", "gambling win"}, {7, "лотерейный билет", "lottery ticket"}, {8, "выигрыш лотереи", "lottery win"},
		{9, "предоставление РИД", "intellectual property"}, {10, "платёж", "payment"}, {11, "агентское вознаграждение", "agent's fee"},
		{12, "выплата", "payout"}, {13, "иной предмет расчёта", "other"}, {14, "имущественное право", "property right"}, {15, "внереализационный доход", "non-operating income"},
		{16, "иные платежи и взносы", "other payments"}, {17, "торговый сбор", "trade fee"}, {18, "туристический налог", "tourist tax"}, {19, "залог", "pledge"}, {20, "расход", "expense"},
		{21, "взносы на ОПС ИП", "pension insurance, sole trader"}, {22, "взносы на ОПС", "pension insurance"}, {23, "взносы на ОМС ИП", "medical insurance, sole trader"},
		{24, "взносы на ОМС", "medical insurance"}, {25, "взносы на ОСС", "social insurance"}, {26, "платёж казино", "casino"}, {27, "выдача денежных средств", "cash handed out by a bank payment agent"},
		{30, "подакцизный товар без кода маркировки", "excise goods without a marking code"}, {31, "подакцизный товар с кодом маркировки", "excise goods with a marking code"},
		{32, "товар без кода маркировки", "marked goods without a code"}, {33, "товар с кодом маркировки", "marked goods with a code"},
	}

	paymentTypes = []Value{
		{1, "предоплата 100 %", "full prepayment"}, {2, "предоплата", "partial prepayment"}, {3, "аванс", "advance"}, {4, "полный расчёт", "full payment"},
		{5, "частичный расчёт и кредит", "partial payment and credit"}, {6, "передача в кредит", "handed over on credit"}, {7, "оплата кредита", "payment of credit"},
	}

	measures = []Value{
		{0, "шт.", "piece"}, {10, "г", "g"}, {11, "кг", "kg"}, {12, "т", "t"}, {20, "см", "cm"}, {21, "дм", "dm"}, {22, "м", "m"},
		{30, "кв. см", "cm²"}, {31, "кв. дм", "dm²"}, {32, "кв. м", "m²"}, {40, "мл", "ml"}, {41, "л", "l"}, {42, "куб. м", "m³"},
		{50, "кВт·ч", "kWh"}, {51, "Гкал", "Gcal"}, {70, "сутки", "day"}, {71, "час", "hour"}, {72, "мин", "minute"}, {73, "с", "second"},
		{80, "Кбайт", "KB"}, {81, "Мбайт", "MB"}, {82, "Гбайт", "GB"}, {83, "Тбайт", "TB"}, {255, "иная мера", "other"},
	}

	checkBits = []Value{
		{1, "код проверен в ФН", "code checked by the drive"}, {2, "проверка в ФН положительна", "the drive's check is positive"},
		{4, "статус товара проверен", "status checked"}, {8, "статус товара корректен", "status is right"}, {16, "автономный режим", "autonomous mode"},
	}

	statuses = []Value{
		{1, "штучный товар реализован", "piece sold"}, {2, "мерный товар в стадии реализации", "measured goods being sold"},
		{3, "штучный товар возвращён", "piece returned"}, {4, "часть товара возвращена", "part of measured goods returned"},
		{5, "штучный товар в стадии реализации", "piece being sold"}, {6, "мерный товар реализован", "measured goods sold"}, {255, "статус не изменился", "unchanged"},
	}

	allPositive = []Value{{0, "все проверки положительны", "all positive"}, {1, "есть отрицательная", "at least one is not"}}

	codeKinds = []Value{
		{0, "тип не распознан", "not recognized"}, {1, "короткий код", "short code"}, {2, "код проверки 88, проверяется в ФН", "88 characters, checked by the drive"},
		{3, "код проверки 44, не проверяется в ФН", "44 characters, not checked by the drive"}, {4, "код проверки 44, проверяется в ФН", "44 characters, checked by the drive"},
		{5, "код проверки 4, не проверяется в ФН", "4 characters, not checked by the drive"},
	}

	codeModes = []Value{{0, "обычный", "usual"}}

	requestOutcomes = []Value{{0, "формат верен", "format correct"}, {1, "формат запроса неверен", "request malformed"}, {2, "код не распознан", "code not recognized"}}

	statusAnswers = []Value{{1, "статус корректен", "status correct"}, {2, "статус некорректен", "status incorrect"}, {3, "оборот приостановлен", "circulation suspended"}}

	noticeOutcomes = []Value{{0, "принято", "accepted"}, {1, "уведомление некорректно", "notification incorrect"}}

	badCodes = []Value{{2, "ответ: код некорректен", "an answer says so"}, {4, "квитанция: код некорректен", "a receipt for a notification says so"}}

	badRequests = []Value{{1, "запрос", "request"}, {2, "уведомление", "notification"}}

	operationKinds = []Value{
		{1, "кассовый чек", "receipt"}, {2, "чек коррекции", "correction receipt"}, {4, "автомат без запроса", "vending without request"},
		{8, "питание без запроса", "catering without request"}, {16, "опт без запроса", "wholesale without request"},
	}

	// timeZones are those of tag 1011: n stands for UTC+(n+1).
	timeZones = []Value{
		{1, "UTC+2", "UTC+2"}, {2, "UTC+3", "UTC+3"}, {3, "UTC+4", "UTC+4"}, {4, "UTC+5", "UTC+5"}, {5, "UTC+6", "UTC+6"}, {6, "UTC+7", "UTC+7"},
		{7, "UTC+8", "UTC+8"}, {8, "UTC+9", "UTC+9"}, {9, "UTC+10", "UTC+10"}, {10, "UTC+11", "UTC+11"}, {11, "UTC+12", "UTC+12"},
	}
)
