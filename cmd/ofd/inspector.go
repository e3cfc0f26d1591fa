package main

import (
	"fmt"
	"io"
	"strconv"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

type inspectorCmd struct {
	Add    inspectorAddCmd    `cmd:"" help:"Enroll an inspector of an authority; no contract is needed. The password is asked for, or read from standard input."`
	List   inspectorListCmd   `cmd:"" help:"Who inspects here."`
	End    inspectorEndCmd    `cmd:"" help:"End an inspector's access at once."`
	Resume inspectorResumeCmd `cmd:"" help:"Let an inspector in again whose access was ended."`
}

type inspectorAddCmd struct {
	place
	secret
	Email     string     `required:"" help:"Address of mail, by which they sign in."`
	Name      string     `required:"" help:"Name, as it stands in the records of what they see."`
	Authority string     `required:"" help:"Which body they work for, in words."`
	IIN       fiscal.XIN `name:"iin" aliases:"inn" required:"" placeholder:"IIN" help:"Number of the person that their certificate bears: IIN, or INN in Russia."`
	Serial    string     `help:"Serial number, hexadecimal, of the only certificate that is taken; without it any that bears the number."`
	Issuer    string     `help:"Words that must stand in the name of the certificate's issuer."`
	Language  string     `enum:"kk,ru,en" default:"ru" help:"Of their pages and letters: kk, ru or en."`
}

// shownInspector is an inspector as commands show one.
type shownInspector struct {
	ID        access.UserID `json:"id"`
	Email     string        `json:"email"`
	Name      string        `json:"name"`
	Authority string        `json:"authority"`
	IIN       fiscal.XIN    `json:"iin"`
	Serial    string        `json:"serial,omitempty"`
	Issuer    string        `json:"issuer,omitempty"`
	Ended     bool          `json:"ended"`
}

func showInspector(u *access.User) shownInspector {
	i := u.Inspector
	return shownInspector{u.ID, u.Email, u.Name, i.Authority, i.IIN, i.Serial, i.Issuer, u.Disabled}
}

func (c *inspectorAddCmd) Run(con *console) error {
	of := access.Inspector{Authority: c.Authority, IIN: c.IIN, Serial: c.Serial, Issuer: c.Issuer}
	if err := of.Check(); err != nil { // before anybody is asked for a password
		return told(err)
	}
	_, people, err := openPeople(con, c.place)
	if err != nil {
		return err
	}
	password, err := c.read(con)
	if err != nil {
		return err
	}
	u, err := people.AddInspector(con.ctx, access.NewUser{Email: c.Email, Name: c.Name, Password: password, Language: c.Language}, of)
	if err != nil {
		return userError(c.Email, err)
	}
	return con.result(showInspector(&u), func(w io.Writer) {
		fmt.Fprintf(w, "%s inspects for %s.\n", u.Email, u.Inspector.Authority)
		con.hint("They sign in by password and by a signature of the certificate of %s; [signature] in ofd.toml says whose certificates are believed.", u.Inspector.IIN)
	})
}

type inspectorListCmd struct{ place }

func (c *inspectorListCmd) Run(con *console) error {
	_, people, err := openPeople(con, c.place)
	if err != nil {
		return err
	}
	all := []shownInspector{}
	const page = 500
	for after := access.UserID(0); ; {
		some, err := people.Inspectors(con.ctx, after, page)
		if err != nil {
			return fmt.Errorf("list the inspectors: %w", err)
		}
		for i := range some {
			all = append(all, showInspector(&some[i]))
			after = some[i].ID
		}
		if len(some) < page {
			break
		}
	}
	return con.result(all, func(w io.Writer) {
		if len(all) == 0 {
			con.hint("Nobody inspects here. `ofd inspector add --help` tells how to enroll somebody.")
			return
		}
		var rows [][]string
		for _, i := range all {
			state := ""
			if i.Ended {
				state = "ended"
			}
			rows = append(rows, []string{strconv.FormatInt(int64(i.ID), 10), i.Email, i.Name, i.Authority, string(i.IIN), join(i.Serial, i.Issuer), state})
		}
		table(w, []string{"ID", "ADDRESS", "NAME", "AUTHORITY", "IIN", "CERTIFICATE", "STATE"}, rows)
	})
}

type inspectorEndCmd struct {
	place
	Email string `arg:"" help:"Who."`
}

func (c *inspectorEndCmd) Run(con *console) error {
	return con.user(c.place, c.Email, "ended", c.Email+" inspects no more; their sessions have ended.", func(_ *core, people access.Operator) error {
		return people.EndInspector(con.ctx, c.Email, false)
	})
}

type inspectorResumeCmd struct {
	place
	Email string `arg:"" help:"Who."`
}

func (c *inspectorResumeCmd) Run(con *console) error {
	return con.user(c.place, c.Email, "resumed", c.Email+" can inspect again.", func(_ *core, people access.Operator) error {
		return people.EndInspector(con.ctx, c.Email, true)
	})
}
