package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

type cashierCmd struct {
	Add    cashierAddCmd    `cmd:"" help:"Keep a cashier's login, or replace it; the password is asked for, or read from standard input."`
	List   cashierListCmd   `cmd:"" help:"The cashiers of a taxpayer."`
	Remove cashierRemoveCmd `cmd:"" help:"Forget a cashier's login."`
}

// roles are a cashier's rights by the names of the command line.
var roles = map[string]fiscal.CashierRole{
	"cashier": fiscal.RoleCashier,
	"chief":   fiscal.RoleChiefCashier,
	"admin":   fiscal.RoleAdmin,
}

func roleName(r fiscal.CashierRole) string {
	for name, role := range roles {
		if role == r {
			return name
		}
	}
	return strconv.Itoa(int(r))
}

type cashierAddCmd struct {
	place
	secret
	BIN   fiscal.XIN `name:"bin" aliases:"iin" required:"" placeholder:"BIN" help:"The taxpayer for whom the cashier works."`
	Login string     `arg:"" help:"Login, unique with its taxpayer."`
	Name  string     `required:"" help:"Name as it is printed on receipts."`
	Code  uint32     `help:"Number of the cashier on the device."`
	Role  []string   `enum:"cashier,chief,admin" default:"cashier" help:"Rights: cashier, chief, admin."`
}

// shownCashier is a cashier without the password's hash.
type shownCashier struct {
	Login string   `json:"login"`
	Code  uint32   `json:"code"`
	Name  string   `json:"name"`
	Roles []string `json:"roles"`
}

func showCashier(c *fiscal.CashierLogin) shownCashier {
	s := shownCashier{Login: c.Login, Code: c.Code, Name: c.Name, Roles: []string{}}
	for _, r := range c.Roles {
		s.Roles = append(s.Roles, roleName(r))
	}
	return s
}

// openAt starts a core and finds the taxpayer that a command is about.
func openAt(con *console, at place, bin fiscal.XIN) (*core, registry.Taxpayer, error) {
	core, err := openCore(con, at)
	if err != nil {
		return nil, registry.Taxpayer{}, err
	}
	t, err := findTaxpayer(con, core, bin)
	return core, t, err
}

func (c *cashierAddCmd) Run(con *console) error {
	core, t, err := openAt(con, c.place, c.BIN)
	if err != nil {
		return err
	}
	password, err := c.read(con)
	if err != nil {
		return err
	}
	made := fiscal.CashierLogin{Login: c.Login, Code: c.Code, Name: c.Name}
	for _, name := range c.Role {
		made.Roles = append(made.Roles, roles[name])
	}
	err = core.registry.PutCashier(con.ctx, access.NewPasswords(1, rand.Reader), registry.NewCashier{
		Taxpayer: t.ID, Login: made.Login, Password: password, Code: made.Code, Name: made.Name, Roles: made.Roles,
	})
	if err != nil {
		return told(err)
	}
	return con.result(showCashier(&made), func(w io.Writer) {
		fmt.Fprintf(w, "The login %q of %s is kept.\n", c.Login, c.BIN)
	})
}

type cashierListCmd struct {
	place
	BIN fiscal.XIN `name:"bin" aliases:"iin" required:"" placeholder:"BIN" help:"The taxpayer."`
}

func (c *cashierListCmd) Run(con *console) error {
	core, t, err := openAt(con, c.place, c.BIN)
	if err != nil {
		return err
	}
	kept, err := core.registry.Cashiers(con.ctx, t.ID)
	if err != nil {
		return fmt.Errorf("list the cashiers: %w", err)
	}
	all := []shownCashier{}
	for i := range kept {
		all = append(all, showCashier(&kept[i]))
	}
	return con.result(all, func(w io.Writer) {
		if len(all) == 0 {
			con.hint("No logins are kept. Registers then ask nobody; `ofd cashier add --help` tells how to keep one.")
			return
		}
		var rows [][]string
		for _, s := range all {
			rows = append(rows, []string{s.Login, strconv.FormatUint(uint64(s.Code), 10), s.Name, strings.Join(s.Roles, ", ")})
		}
		table(w, []string{"LOGIN", "CODE", "NAME", "ROLES"}, rows)
	})
}

type cashierRemoveCmd struct {
	place
	BIN   fiscal.XIN `name:"bin" aliases:"iin" required:"" placeholder:"BIN" help:"The taxpayer."`
	Login string     `arg:"" help:"Login."`
}

func (c *cashierRemoveCmd) Run(con *console) error {
	core, t, err := openAt(con, c.place, c.BIN)
	if err != nil {
		return err
	}
	if err := core.registry.RemoveCashier(con.ctx, t.ID, c.Login); errors.Is(err, fiscal.NotFound) {
		return withHint(fmt.Errorf("%s has no login %q", c.BIN, c.Login), "See `ofd cashier list --bin "+string(c.BIN)+"`")
	} else if err != nil {
		return err
	}
	return con.result(struct {
		Removed string `json:"removed"`
	}{c.Login}, func(w io.Writer) { fmt.Fprintf(w, "The login %q of %s is forgotten.\n", c.Login, c.BIN) })
}
