package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

type applicationCmd struct {
	List  applicationListCmd  `cmd:"" help:"Applications to the authority, the newest first."`
	Show  applicationShowCmd  `cmd:"" help:"One application with everything that became of it; --content and --signature write its files."`
	Again applicationAgainCmd `cmd:"" help:"Have a signed application tried again at once, whatever it waits for."`
}

type applicationListCmd struct {
	place
	Status   string     `enum:",draft,sent,waiting,registered,refused,withdrawn" default:"" help:"Only those: ${enum}."`
	Kind     string     `enum:",register,change,deregister" default:"" help:"Only those: ${enum}."`
	BIN      fiscal.XIN `name:"bin" aliases:"iin,inn" placeholder:"BIN" help:"Only of this taxpayer."`
	Register int64      `help:"Only of this register."`
	Overdue  bool       `help:"Only those that should have been decided by now."`
	Limit    int        `default:"100" help:"How many at most."`
}

// listedApplication is an application as it is printed.
type listedApplication struct {
	registry.Application
	Overdue bool `json:"overdue"`
}

func (c *applicationListCmd) Run(con *console) error {
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	scan := registry.ApplicationScan{Status: registry.ApplicationStatus(c.Status), Kind: registry.ApplicationKind(c.Kind), Register: fiscal.RegisterID(c.Register), Limit: listPage}
	if c.BIN != "" {
		t, err := findTaxpayer(con, core, c.BIN)
		if err != nil {
			return err
		}
		scan.Taxpayer = t.ID
	}
	all := []listedApplication{}
	for len(all) < c.Limit {
		page, err := core.store.ApplicationsOf(con.ctx, scan)
		if err != nil {
			return fmt.Errorf("list the applications: %w", err)
		}
		for _, a := range page {
			if l := (listedApplication{a, a.Overdue(core.now())}); (l.Overdue || !c.Overdue) && len(all) < c.Limit {
				all = append(all, l)
			}
		}
		if len(page) < listPage {
			break
		}
		scan.Before = page[len(page)-1].ID
	}
	return con.result(all, func(w io.Writer) {
		if len(all) == 0 {
			con.hint("No applications. They are begun and signed in the cabinet.")
			return
		}
		var rows [][]string
		for _, a := range all {
			status := string(a.Status)
			if a.Overdue {
				status += ", overdue"
			}
			rows = append(rows, []string{strconv.FormatInt(int64(a.ID), 10), string(a.Kind), status, string(a.Form.XIN), strconv.FormatInt(int64(a.Register), 10),
				a.Number, a.Changed.In(home(a.Country)).Format("2006-01-02 15:04"), a.LastError})
		}
		table(w, []string{"APPLICATION", "KIND", "STATUS", "BIN", "REGISTER", "NUMBER", "CHANGED", "LAST ERROR"}, rows)
	})
}

type applicationShowCmd struct {
	place
	ID        int64  `arg:"" help:"Number of the application."`
	Content   string `type:"path" placeholder:"FILE" help:"Write the bytes that were signed."`
	Signature string `type:"path" placeholder:"FILE" help:"Write the signature as it came."`
}

// shownApplication is an application as it is printed with its history.
type shownApplication struct {
	listedApplication
	Events []registry.ApplicationEvent `json:"events"`
}

// findApplication reads one of whoever.
func findApplication(con *console, core *core, id int64) (registry.Application, []registry.ApplicationEvent, error) {
	a, es, err := core.store.ApplicationOf(con.ctx, 0, registry.ApplicationID(id))
	if errors.Is(err, fiscal.NotFound) {
		err = withHint(fmt.Errorf("there is no application %d", id), "`ofd application list` shows what there is")
	}
	return a, es, err
}

func (c *applicationShowCmd) Run(con *console) error {
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	a, es, err := findApplication(con, core, c.ID)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		path string
		b    []byte
	}{{c.Content, a.Content}, {c.Signature, a.Signature}} {
		if f.path == "" {
			continue
		}
		if f.b == nil {
			return fmt.Errorf("application %d was not signed", a.ID)
		}
		if err := os.WriteFile(f.path, f.b, 0o600); err != nil {
			return err
		}
	}
	return con.result(shownApplication{listedApplication{a, a.Overdue(core.now())}, es}, func(w io.Writer) {
		zone := home(a.Country)
		when := func(t time.Time) string {
			if t.IsZero() {
				return ""
			}
			return t.In(zone).Format("2006-01-02 15:04:05")
		}
		late := ""
		if a.Overdue(core.now()) {
			late = "yes: the authority should have decided by now"
		}
		facts(w, "application", strconv.FormatInt(int64(a.ID), 10), "kind", string(a.Kind), "status", string(a.Status), "overdue", late,
			numberName(a.Country), string(a.Form.XIN), "register", strconv.FormatInt(int64(a.Register), 10), "model", a.Form.Model, "serial number", a.Form.SerialNumber,
			"signed", strings.TrimSpace(when(a.SignedAt)+" "+a.SignedBy), "method", a.Method, "number there", a.Number, "decided", when(a.DecidedAt),
			"registration number", a.RegistrationNumber, "why", a.Why.In("en"), "on the register", when(a.AppliedAt), "last error", a.LastError, "next try", when(a.NextTry))
		var rows [][]string
		for _, e := range es {
			rows = append(rows, []string{when(e.At), string(e.What), e.By, e.Detail})
		}
		table(w, []string{"WHEN", "WHAT", "BY", "DETAIL"}, rows)
	})
}

type applicationAgainCmd struct {
	place
	ID int64 `arg:"" help:"Number of the application."`
}

func (c *applicationAgainCmd) Run(con *console) error {
	core, people, err := openPeople(con, c.place)
	if err != nil {
		return err
	}
	office := registry.NewOffice(core.registry, core.store, people.Service, nil, con.file.Operator.At(con.file.Site), core.now)
	a, err := office.HurryApplication(con.ctx, registry.ApplicationID(c.ID), byCommandLine)
	switch {
	case errors.Is(err, fiscal.NotFound):
		return withHint(fmt.Errorf("there is no application %d", c.ID), "`ofd application list` shows what there is")
	case errors.Is(err, fiscal.Conflict):
		return withHint(fmt.Errorf("nothing is to be carried of application %d: it is %s", c.ID, a.Status), "A refused one is begun anew in the cabinet by its owner")
	case err != nil:
		return told(err)
	}
	return con.result(listedApplication{a, a.Overdue(core.now())}, func(w io.Writer) {
		fmt.Fprintf(w, "Application %d is tried again at once; `ofd application show %d` says what became of it.\n", a.ID, a.ID)
	})
}
