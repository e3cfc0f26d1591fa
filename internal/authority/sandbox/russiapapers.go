package sandbox

import (
	"encoding/json"
	"net/http"

	"openofd/internal/authority/fns"
	"openofd/internal/authority/kgd"
	"openofd/internal/fiscal"
)

// takeRussianApplication takes a signed application about a register of Russia.
// The same ID gets the same answer.
//
// Source: law 54-FZ article 4.2.
func (s *Server) takeRussianApplication(w http.ResponseWriter, r *http.Request, operator int64) error {
	return s.takePaper(w, r, operator, func(body []byte) (m message, err error) {
		var a fns.Application
		if err := json.Unmarshal(body, &a); err != nil {
			return m, unprocessable("the body is no application: %v", err)
		}
		switch {
		case a.Format != fns.Format:
			err = &wrong{"format", "it is not " + fns.Format}
		case a.Form == "" || a.Form != fns.FormOf(a.Kind):
			err = &wrong{"form", "it is " + fns.FormRegister + " or " + fns.FormDeregister + ", and that of the kind"}
		case a.Drive != "" && !digits(a.Drive, 16, 16):
			err = &wrong{"drive", "it has 16 digits"}
		case a.RegistrationNumber != "" && !digits(a.RegistrationNumber, 16, 16):
			err = &wrong{"registration_number", "it has 16 digits"}
		}
		m = message{Form: a.Form, Drive: a.Drive, Application: kgd.Application{
			Format: a.Format, ID: a.ID, Kind: a.Kind, Country: fiscal.Russia, Register: a.Register, RegistrationNumber: a.RegistrationNumber, BIN: a.INN,
			SignedAt: a.SignedAt, Content: a.Content, Signature: a.Signature,
		}}
		for _, f := range a.Control {
			m.Control = append(m.Control, kgd.FieldError(f))
		}
		if err == nil {
			err = checkApplication(&m, s.now())
		}
		if field, ok := err.(*wrong); ok && field.field == "bin" {
			field.field = "inn" // as the form calls it
		}
		return m, err
	})
}

// russianReasons are the words of Russia's tax service.
//
// Source: law 54-FZ articles 4.2, 4.3.
func russianReasons() *reasons {
	return &reasons{
		owner: fiscal.Text{
			KK: "Өтініштегі пайдаланушының ИНН-і өтініш берушінің ИНН-імен сәйкес келмейді: мәліметтер дұрыс емес (54-ФЗ заңының 4.2-бабы).",
			RU: "ИНН пользователя в заявлении не совпадает с ИНН заявителя: сведения недостоверны (статья 4.2 закона № 54-ФЗ).",
			EN: "The user's INN in the application is not the applicant's: what it says is not reliable (law 54-FZ, article 4.2).",
		},
		taxpayer: fiscal.Text{
			KK: "ЕГРЮЛ және ЕГРИП тізілімдерінде пайдаланушы туралы мәлімет жоқ.",
			RU: "Сведения о пользователе отсутствуют в ЕГРЮЛ и ЕГРИП.",
			EN: "The user is in neither of the state registers of companies and traders.",
		},
		model: fiscal.Text{
			KK: "Бақылау-касса техникасының тізілімінде модель туралы мәлімет жоқ (54-ФЗ заңының 4.2-бабы).",
			RU: "Сведения о модели отсутствуют в реестре контрольно-кассовой техники (статья 4.2 закона № 54-ФЗ).",
			EN: "The model is not in the register of cash register equipment (law 54-FZ, article 4.2).",
		},
		drive: fiscal.Text{
			KK: "Осы нөмірлі фискалдық жинақтағыш басқа тіркелген кассаға орнатылған.",
			RU: "Фискальный накопитель с этим номером установлен в другой зарегистрированной кассе.",
			EN: "The fiscal drive with this number is in another registered register.",
		},
		twice: fiscal.Text{
			KK: "Осы модельді және зауыттық нөмірлі касса тіркелген.",
			RU: "Касса этой модели с этим заводским номером уже зарегистрирована.",
			EN: "A register of this model and serial number is registered already.",
		},
		number: fiscal.Text{
			KK: "Тіркеу нөмірі көрсетілмеген: мәліметтер толық емес.",
			RU: "Не указан регистрационный номер: сведения представлены не в полном объёме.",
			EN: "The registration number is missing: the application is not complete.",
		},
		other: fiscal.Text{
			KK: "Осы тіркеу нөмірі басқа пайдаланушының кассасына берілген.",
			RU: "Этот регистрационный номер присвоен кассе другого пользователя.",
			EN: "The registration number belongs to another user's register.",
		},
		gone: fiscal.Text{
			KK: "Касса тіркеу есебінен шығарылған.",
			RU: "Касса снята с регистрационного учёта.",
			EN: "The register was taken off the record.",
		},
	}
}
