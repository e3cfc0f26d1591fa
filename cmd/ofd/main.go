// Command ofd is the whole operator in one program: the server, and the
// commands that its people, makers of registers and auditors use.
//
// It is the only place where the parts of the system meet. A command parses
// its flags, asks a part, prints the result; rules and SQL are elsewhere.
// Results go to standard output, talk to standard error; --json prints one
// JSON document. The exit code is 0 when all is well, 1 when something failed
// or was found wrong, 2 when the command line could not be understood.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	_ "time/tzdata" // zones of outlets, also on a bare system

	"github.com/alecthomas/kong"

	"openofd/internal/config"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// commands is the command line.
type commands struct {
	Config string `env:"OFD_CONFIG" placeholder:"FILE" help:"Settings; ofd.toml in the current folder if it is there."`
	JSON   bool   `name:"json" help:"Print the result as one JSON document."`

	Demo         demoCmd         `cmd:"" help:"Run an operator with shops that sell and months of sample data, to try everything out."`
	Serve        serveCmd        `cmd:"" help:"Run the operator."`
	Register     registerCmd     `cmd:"" help:"Cash registers: add, give tokens, block, look at."`
	Taxpayer     taxpayerCmd     `cmd:"" help:"Taxpayers, the owners of registers."`
	Cashier      cashierCmd      `cmd:"" help:"Cashiers whose logins the operator keeps."`
	Inspector    inspectorCmd    `cmd:"" help:"Inspectors of authorities, who see what is here on a recorded ground."`
	User         userCmd         `cmd:"" help:"People who enter the cabinet, and the journal of what they did."`
	Key          keyCmd          `cmd:"" help:"Keys of fiscal signs and tokens."`
	Nomenclature nomenclatureCmd `cmd:"" help:"The catalog of goods that registers fetch."`
	Decode       decodeCmd       `cmd:"" help:"Make a frame readable; say which byte breaks which rule."`
	Send         sendCmd         `cmd:"" help:"Send one request as a register would."`
	Signature    signatureCmd    `cmd:"" help:"Electronic signatures: who signed, and may it be accepted."`
	Bench        benchCmd        `cmd:"" help:"Measure an operator under load, beside what the machine can do at all."`
	Delivery     deliveryCmd     `cmd:"" help:"What was forwarded to authorities, and what waits."`
	Application  applicationCmd  `cmd:"" help:"Applications to put registers on the record, to change it, to take them off."`
	Authority    authorityCmd    `cmd:"" help:"Run an authority to rehearse with: what operators send to theirs, it takes."`
	Reconcile    reconcileCmd    `cmd:"" help:"Compare a day with what the authority counts; send again what is missing there."`
	Till         tillCmd         `cmd:"" help:"Run a software cash register that sellers open on their phones."`
	Rebuild      rebuildCmd      `cmd:"" help:"Make tables anew that are made from the journal."`
	Verify       verifyCmd       `cmd:"" help:"Check every stored entry, sign and state."`
	Backup       backupCmd       `cmd:"" help:"Copy the embedded database, beside a running server."`
	Restore      restoreCmd      `cmd:"" help:"Put a backup into a folder and verify it."`
	Retire       retireCmd       `cmd:"" help:"Let go of months that the law no longer asks for."`
	Migrate      migrateCmd      `cmd:"" help:"Bring the database to this version of the program."`
	Version      versionCmd      `cmd:"" help:"Which build this is."`
}

func main() {
	// Nearly all memory is that of exchanges and gone with their answers, so
	// collecting it less often costs little room and saves a tenth of the time.
	// What GOGC says wins.
	if _, said := os.LookupEnv("GOGC"); !said {
		debug.SetGCPercent(400)
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is one call of the program; it returns the exit code.
func run(args []string, in io.Reader, out, talk io.Writer) int {
	file, err := config.Find(args, os.LookupEnv)
	if err != nil {
		return complain(talk, exitUsage, err)
	}
	var c commands
	parser, err := kong.New(&c,
		kong.Name("ofd"),
		kong.Description("An open-source fiscal data operator."),
		kong.Resolvers(file.Resolver(os.LookupEnv)),
		kong.Writers(out, talk),
		kong.Vars{"options": "What the operator grants or asks of this register: " + strings.Join(optionNames(), ", ") + "."},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
	)
	if err != nil {
		panic(err) // the struct above is wrong
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return complain(talk, exitUsage, withHint(err, seeHelp(err)))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	con := &console{ctx: ctx, in: in, out: out, talk: talk, json: c.JSON, file: file}
	code := exitOK
	if err := parsed.Run(con); err != nil {
		code = complain(talk, exitCode(err), err)
	}
	if err := con.end(); err != nil {
		code = max(code, complain(talk, exitFailed, err))
	}
	return code
}

// complain prints what happened and what to do next, in one line.
func complain(talk io.Writer, code int, err error) int {
	var said *found
	if errors.As(err, &said) {
		return exitFailed // the command has printed its finding
	}
	text := strings.TrimSpace(strings.ReplaceAll(err.Error(), "\n", "; "))
	var h *hinted
	if errors.As(err, &h) {
		text += ". " + h.next
	}
	fmt.Fprintln(talk, "ofd: "+text)
	return code
}

// seeHelp points to the help of the command that was meant.
func seeHelp(err error) string {
	command := "ofd"
	var p *kong.ParseError
	if errors.As(err, &p) && p.Context != nil {
		if full := p.Context.Command(); full != "" {
			// Without the arguments: "register block <id>".
			command += " " + strings.TrimSpace(strings.Split(full, "<")[0])
		}
	}
	return "See `" + command + " --help`"
}
