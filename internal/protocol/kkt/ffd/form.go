package ffd

// Form is the code of a document form: the tag of the outermost TLV.
type Form uint16

// The forms. 81 to 84 travel on the marking channel.
const (
	FormRegistration      Form = 1
	FormOpenShift         Form = 2
	FormReceipt           Form = 3
	FormBSO               Form = 4 // strict reporting form: a receipt by another name
	FormCloseShift        Form = 5
	FormCloseDrive        Form = 6
	FormAcknowledgement   Form = 7
	FormRegistrationNew   Form = 11 // change of registration data
	FormState             Form = 21 // state of settlements
	FormReceiptCorrection Form = 31
	FormBSOCorrection     Form = 41
	FormMarkRequest       Form = 81
	FormMarkNotice        Form = 82
	FormMarkAnswer        Form = 83
	FormMarkReceipt       Form = 84
)

// FormInfo is what the table says of a form.
type FormInfo struct {
	Form   Form
	Name   string  // in JSON
	Code   string  // of the member that carries the code in JSON of FFD 1.0 to 1.1
	Max    int     // bytes of the document's value at most
	Since  Version // first version that has it
	RU, EN string
}

// forms are the document forms. Source: the order's tables of forms; lengths
// by its table of structures.
var forms = [...]FormInfo{
	{FormRegistration, "fiscalReport", "code", 6144, V100, "Отчёт о регистрации", "registration report"},
	{FormOpenShift, "openShift", "code", 4096, V100, "Отчёт об открытии смены", "shift opening report"},
	{FormReceipt, "receipt", "receiptCode", 32768, V100, "Кассовый чек", "receipt"},
	{FormBSO, "bso", "bsoCode", 32768, V100, "Бланк строгой отчётности", "strict reporting form"},
	{FormCloseShift, "closeShift", "code", 4096, V100, "Отчёт о закрытии смены", "shift closing report"},
	{FormCloseDrive, "closeArchive", "code", 4096, V100, "Отчёт о закрытии фискального накопителя", "report on closing the fiscal drive"},
	{FormAcknowledgement, "operatorAck", "code", 512, V100, "Подтверждение оператора", "operator's acknowledgement"},
	{FormRegistrationNew, "fiscalReportCorrection", "code", 6144, V100, "Отчёт об изменении параметров регистрации", "report on changed registration data"},
	{FormState, "currentStateReport", "code", 4096, V100, "Отчёт о текущем состоянии расчётов", "report on the state of settlements"},
	{FormReceiptCorrection, "receiptCorrection", "receiptCorrectionCode", 32768, V100, "Кассовый чек коррекции", "correction receipt"},
	{FormBSOCorrection, "bsoCorrection", "bsoCorrectionCode", 32768, V100, "Бланк строгой отчётности коррекции", "correction of a strict reporting form"},
	{FormMarkRequest, "markingCodeRequest", "code", 4096, V120, "Запрос о коде маркировки", "request about a marking code"},
	{FormMarkNotice, "markedProductSaleNotification", "code", 32768, V120, "Уведомление о реализации маркированного товара", "notification of a sale of marked goods"},
	{FormMarkAnswer, "markingResponse", "code", 512, V120, "Ответ на запрос", "answer to the request"},
	{FormMarkReceipt, "notificationReceipt", "code", 512, V120, "Квитанция на уведомление", "receipt for the notification"},
}

// Forms lists the forms.
func Forms() []FormInfo { return append([]FormInfo(nil), forms[:]...) }

// info is the row of f, nil if there is no such form.
func (f Form) info() *FormInfo {
	for i := range forms {
		if forms[i].Form == f {
			return &forms[i]
		}
	}
	return nil
}

// Known reports whether f is a form.
func (f Form) Known() bool { return f.info() != nil }

// String is the form's name in JSON.
func (f Form) String() string {
	if i := f.info(); i != nil {
		return i.Name
	}
	return "unknown"
}

// Settles reports whether f is a receipt, a strict reporting form or a
// correction of either.
func (f Form) Settles() bool {
	return f == FormReceipt || f == FormBSO || f.Corrects()
}

// Corrects reports whether f is a correction.
func (f Form) Corrects() bool { return f == FormReceiptCorrection || f == FormBSOCorrection }

// Registers reports whether f states registration data.
func (f Form) Registers() bool { return f == FormRegistration || f == FormRegistrationNew }

// Marks reports whether f belongs to the marking channel.
func (f Form) Marks() bool { return f >= FormMarkRequest && f <= FormMarkReceipt }
