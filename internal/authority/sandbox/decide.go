package sandbox

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"openofd/internal/authority/kgd"
	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// Verdict is what a person decides on an application.
type Verdict struct {
	Grant  bool
	Number string      // registration number to give; "" the next one, or the one that is there
	Why    fiscal.Text // of a refusal, at least in Kazakh or Russian
}

// by names who decided.
const (
	byRules  = "rules"
	byPerson = "person"
)

const lookOften = time.Second

// nudge has the decider look at once.
func (s *Server) nudge() {
	select {
	case s.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// decideInTime decides what is due until ctx ends.
func (s *Server) decideInTime(ctx context.Context) {
	if s.cfg.ByPerson {
		return
	}
	if err := s.adopt(ctx); err != nil {
		s.cfg.Log.Error("applications of before wait for a person", "err", err)
	}
	often := min(lookOften, max(s.cfg.DecideAfter/4, 10*time.Millisecond))
	for {
		if err := s.decideDue(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("applications not decided", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-time.After(often):
		}
	}
}

// adopt makes due what came while people decided.
func (s *Server) adopt(ctx context.Context) error {
	return s.file.Write(ctx, func(tx *sqlitefile.Tx) error {
		_, err := tx.Exec("UPDATE applications SET due = ? WHERE decided = 0 AND due = 0", s.cfg.Now().UnixMicro())
		return err
	})
}

const decidedAtOnce = 100

// decideDue decides what has waited long enough, some at a time. A look that
// finds nothing writes nothing.
func (s *Server) decideDue(ctx context.Context) error {
	now := s.cfg.Now().UnixMicro()
	for {
		var due []int64
		err := s.file.Read(ctx, func(tx *sqlitefile.Tx) error {
			st, err := tx.Query("SELECT seq FROM applications WHERE decided = 0 AND due > 0 AND due <= ? ORDER BY due, seq LIMIT ?", now, decidedAtOnce)
			if err != nil {
				return err
			}
			for st.Next() {
				due = append(due, st.Int(0))
			}
			return st.Close()
		})
		if err != nil || len(due) == 0 {
			return err
		}
		refuse := len(s.faults.strike(atApplications, s.cfg.Dice, Refusing)) > 0
		err = s.file.Write(ctx, func(tx *sqlitefile.Tx) error {
			for _, seq := range due {
				a, err := oneApplication(tx, seq)
				if err != nil {
					return err
				}
				v, err := judge(tx, &a)
				if err != nil {
					return err
				}
				if refuse {
					v = Verdict{Why: whyFault}
				}
				if err := s.decide(tx, &a, v, byRules); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(due) < decidedAtOnce {
			return err
		}
	}
}

func oneApplication(tx *sqlitefile.Tx, seq int64) (a application, err error) {
	st, err := tx.Query("SELECT "+applicationColumns+" FROM applications WHERE seq = ?", seq)
	if err != nil {
		return a, err
	}
	if !st.Next() {
		return a, errors.Join(notThere("application"), st.Close())
	}
	a, err = scanApplication(st)
	return a, errors.Join(err, st.Close())
}

// Decide takes a person's decision on an application, by its number.
//
// Errors: NotFound; Conflict if it is decided; Invalid for a number that cannot
// be given, or a refusal without words.
func (s *Server) Decide(ctx context.Context, number string, v Verdict) error {
	if !v.Grant && v.Why.KK == "" && v.Why.RU == "" {
		return &fiscal.Error{Reason: fiscal.MissingParameter, Field: "why"}
	}
	return s.file.Write(ctx, func(tx *sqlitefile.Tx) error {
		seq, ok, err := tx.QueryInt("SELECT seq FROM applications WHERE number = ?", number)
		if err != nil {
			return err
		}
		if !ok {
			return notThere("application")
		}
		a, err := oneApplication(tx, seq)
		if err != nil {
			return err
		}
		return s.decide(tx, &a, v, byPerson)
	})
}

// whyFault is what both authorities say of an exercise.
var whyFault = fiscal.Text{KK: "Оқу-жаттығу үшін бас тартылды.", RU: "Отказано для тренировки.", EN: "Refused as an exercise."}

// reasons are an authority's words for why it refuses.
type reasons struct {
	owner, taxpayer, model, drive, twice, number, other, gone fiscal.Text
}

// reasonsOf are those of a country's.
func reasonsOf(c fiscal.Country) *reasons {
	if c == fiscal.Russia {
		return russianReasons()
	}
	return kazakhReasons()
}

// kazakhReasons are the words of Kazakhstan's authority. Its registers have no
// drives.
func kazakhReasons() *reasons {
	return &reasons{
		owner:    fiscal.Text{KK: "Өтініштегі салық төлеуші оны жіберген тұлғамен сәйкес келмейді.", RU: "Налогоплательщик в заявлении не тот, от чьего имени оно подано.", EN: "The taxpayer in the application is not the one in whose name it was sent."},
		taxpayer: fiscal.Text{KK: "Салық төлеуші тіркеу есебінде жоқ.", RU: "Налогоплательщик не состоит на регистрационном учёте.", EN: "The taxpayer is not on record."},
		model:    fiscal.Text{KK: "Модель мемлекеттік тізілімде жоқ.", RU: "Модели нет в государственном реестре.", EN: "The model is not in the state register."},
		twice:    fiscal.Text{KK: "Осы зауыттық нөмірі бар касса есепте тұр.", RU: "Касса с этим заводским номером уже стоит на учёте.", EN: "A register with this serial number is on record already."},
		number:   fiscal.Text{KK: "Тіркеу нөмірі көрсетілмеген.", RU: "Не указан регистрационный номер.", EN: "The registration number is missing."},
		other:    fiscal.Text{KK: "Осы тіркеу нөмірі басқа салық төлеушіге берілген.", RU: "Этот регистрационный номер присвоен кассе другого налогоплательщика.", EN: "The registration number belongs to a register of another taxpayer."},
		gone:     fiscal.Text{KK: "Касса есептен шығарылған.", RU: "Касса снята с учёта.", EN: "The register was taken off the record."},
	}
}

// judge decides by the rules: who and what is on record.
//
// Sources: order 135 items 10 to 13; law 54-FZ article 4.2.
func judge(tx *sqlitefile.Tx, a *application) (Verdict, error) {
	why := reasonsOf(a.Country)
	in := readContent(a.Message.Content)
	v, err := judgeRecord(tx, a, &in, why)
	if err == nil && v.Grant && a.Kind != kgd.ApplicationDeregister {
		var elsewhere bool
		if elsewhere, err = driveElsewhere(tx, a, driveOf(a, &in)); elsewhere {
			v = Verdict{Why: why.drive}
		}
	}
	return v, err
}

func judgeRecord(tx *sqlitefile.Tx, a *application, in *wanted, why *reasons) (Verdict, error) {
	if in.xin != "" && in.xin != a.XIN {
		return Verdict{Why: why.owner}, nil
	}
	if ok, err := onRecord(tx, a.Country, "taxpayer", a.XIN); !ok {
		return Verdict{Why: why.taxpayer}, err
	}
	if a.Kind != kgd.ApplicationDeregister {
		if ok, err := onRecord(tx, a.Country, "model", in.model); !ok {
			return Verdict{Why: why.model}, err
		}
	}
	if a.Kind == kgd.ApplicationRegister {
		_, twice, err := tx.QueryInt("SELECT 1 FROM registers WHERE country = ? AND serial = ? AND model = ? AND serial <> '' AND until = 0", string(a.Country), in.serial, in.model)
		if twice {
			return Verdict{Why: why.twice}, err
		}
		return Verdict{Grant: true}, err
	}
	number := a.Message.RegistrationNumber
	if number == "" {
		return Verdict{Why: why.number}, nil
	}
	st, err := tx.Query("SELECT xin, until FROM registers WHERE country = ? AND number = ?", string(a.Country), number)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Grant: true} // of a register from before us nothing is on record
	if st.Next() {
		switch {
		case st.Text(0) != a.XIN:
			v = Verdict{Why: why.other}
		case st.Int(1) != 0:
			v = Verdict{Why: why.gone}
		}
	}
	return v, st.Close()
}

// driveOf is the fiscal drive that an application tells of, "" none.
func driveOf(a *application, in *wanted) string { return cmp.Or(a.Message.Drive, in.drive) }

// driveElsewhere reports whether a fiscal drive is in another register that is on
// record.
func driveElsewhere(tx *sqlitefile.Tx, a *application, drive string) (bool, error) {
	if a.Country != fiscal.Russia || drive == "" {
		return false, nil
	}
	_, there, err := tx.QueryInt("SELECT 1 FROM registers WHERE country = ? AND drive = ? AND until = 0 AND number <> ? LIMIT 1", string(a.Country), drive, a.Message.RegistrationNumber)
	return there, err
}

// decide writes a decision down, and what follows from it.
func (s *Server) decide(tx *sqlitefile.Tx, a *application, v Verdict, by string) error {
	if a.Decided != 0 {
		return &fiscal.Error{Of: fiscal.Conflict, Field: "application", Msg: "it is decided"}
	}
	now := s.now().UnixMicro()
	given := ""
	if v.Grant {
		var err error
		if given, err = s.grant(tx, a, v.Number, now); err != nil {
			return err
		}
		v.Why = fiscal.Text{}
	}
	_, err := tx.Exec(`UPDATE applications SET decided = ?, decision = (SELECT ifnull(max(decision), 0) + 1 FROM applications),
		by = ?, granted = ?, given = ?, why_kk = ?, why_ru = ?, why_en = ? WHERE seq = ?`,
		now, by, v.Grant, given, v.Why.KK, v.Why.RU, v.Why.EN, a.Seq)
	return err
}

// grant changes the record of registers.
func (s *Server) grant(tx *sqlitefile.Tx, a *application, number string, now int64) (given string, err error) {
	in := readContent(a.Message.Content)
	if number == "" {
		number = a.Message.RegistrationNumber
	}
	switch {
	case a.Kind == kgd.ApplicationDeregister:
		_, err = tx.Exec("UPDATE registers SET until = ? WHERE country = ? AND number = ?", now, string(a.Country), number)
		return number, err
	case a.Kind == kgd.ApplicationRegister && number == a.Message.RegistrationNumber:
		if number, err = nextNumber(tx, a.Country, a.XIN, in.serial); err != nil {
			return "", err
		}
	case number == a.Message.RegistrationNumber: // as it was
	case a.Country == fiscal.Russia && !validGiven(number, a.XIN, in.serial), a.Country == fiscal.Kazakhstan && !digits(number, 12, 12):
		return "", &fiscal.Error{Reason: fiscal.BadValue, Field: "number"}
	}
	if a.Kind == kgd.ApplicationRegister {
		if _, taken, err := tx.QueryInt("SELECT 1 FROM registers WHERE country = ? AND number = ?", string(a.Country), number); taken || err != nil {
			return "", errors.Join(&fiscal.Error{Of: fiscal.Conflict, Field: "number", Msg: "it was given before"}, err)
		}
	}
	_, err = tx.Exec(`INSERT INTO registers (country, number, operator, register, xin, model, serial, since, until, drive) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)
		ON CONFLICT DO UPDATE SET operator = excluded.operator, register = excluded.register, xin = excluded.xin, model = excluded.model, serial = excluded.serial, drive = excluded.drive`,
		string(a.Country), number, a.Operator, a.Register, a.XIN, in.model, in.serial, now, driveOf(a, &in))
	return number, err
}

// validGiven reports whether a number of Russia checks owner and serial number.
func validGiven(number, inn, serial string) bool {
	if !digits(number, 16, 16) {
		return false
	}
	n, err := strconv.ParseInt(number[:10], 10, 64)
	return err == nil && russianNumber(n, inn, serial) == number
}

// nextNumber gives a registration number that was never given: 12 digits in
// Kazakhstan, 16 that check themselves in Russia.
//
// Source: requirement O-065.
func nextNumber(tx *sqlitefile.Tx, c fiscal.Country, xin, serial string) (string, error) {
	for {
		text, err := setting(tx, "number")
		if err != nil {
			return "", err
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return "", fmt.Errorf("the number that was given last: %w", err)
		}
		n++
		if err := set(tx, "number", strconv.FormatInt(n, 10)); err != nil {
			return "", err
		}
		number := fmt.Sprintf("%012d", 10_100_000_000+n%100_000_000) // 0101: an office
		if c == fiscal.Russia {
			number = russianNumber(n, xin, serial)
		}
		_, taken, err := tx.QueryInt("SELECT 1 FROM registers WHERE country = ? AND number = ?", string(c), number)
		if err != nil || !taken {
			return number, err
		}
	}
}

// firstNumber begins the numbers at chance, so that those of one rehearsal are
// not those of another.
func (s *Server) firstNumber(ctx context.Context) error {
	return s.file.Write(ctx, func(tx *sqlitefile.Tx) error {
		there, err := setting(tx, "number")
		if err != nil || there != "" {
			return err
		}
		n, err := rand.Int(s.cfg.Rand, big.NewInt(90_000_000))
		if err != nil {
			return err
		}
		return set(tx, "number", n.String())
	})
}
