package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/signature"
)

type signatureCmd struct {
	Verify signatureVerifyCmd `cmd:"" help:"Say who signed a document, or why the signature is not accepted."`
	Roots  signatureRootsCmd  `cmd:"" help:"Show the authorities that are trusted, and how fresh their lists are."`
}

// trusted is whom to believe.
type trusted struct {
	Roots string `required:"" type:"existingdir" placeholder:"DIR" help:"Certificates of authorities: .pem, .cer, .crt, .der. Those that sign themselves are trusted."`
	CRL   string `name:"crl" type:"existingdir" placeholder:"DIR" help:"Their revocation lists: .crl, .pem, .der. Without it nothing is said of revocation."`
}

func (t *trusted) open() (*signature.Verifier, error) {
	cfg := signature.Config{Roots: os.DirFS(t.Roots), Now: time.Now}
	if t.CRL != "" {
		cfg.CRLs = os.DirFS(t.CRL)
	}
	v, err := signature.Open(cfg)
	return v, withHint(err, "docs/signatures.md says where the authorities publish their certificates and lists")
}

type signatureVerifyCmd struct {
	trusted
	File    string     `arg:"" help:"The signature: CMS as DER, PEM or base64. - is standard input."`
	Content string     `type:"existingfile" placeholder:"FILE" help:"What was signed, if the signature does not hold it."`
	At      time.Time  `format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME" help:"Judge for this instant, as 2026-03-01T10:00:00Z, instead of now."`
	For     fiscal.XIN `placeholder:"NUMBER" help:"Ask that the signer may sign for this taxpayer: BIN, IIN or INN."`
	Entity  bool       `help:"Ask for the key of an organization, and the right to sign for it."`
	Out     string     `type:"path" placeholder:"FILE" help:"Write what was signed there, if the signature is good."`
}

// Help is shown by --help below the flags.
func (signatureVerifyCmd) Help() string {
	return `Judges a CMS signature as the operator does: the document is unchanged, the
certificate is of an authority in --roots, holds, is for signing documents and
was not revoked. RSA, ECDSA and GOST keys.

  ofd signature verify application.xml.p7s --content application.xml --roots ca --crl crl
  ofd signature verify contract.p7m --roots ca --for 150340000179 --entity

The exit code is 1 when the signature is not accepted.`
}

// maxSigned bounds the content that is read beside a signature.
const maxSigned = 256 << 20

// judged is the result of the command.
type judged struct {
	OK      bool               `json:"ok"`
	Verdict *signature.Verdict `json:"verdict,omitempty"`

	Reason *signature.Reason `json:"reason,omitempty"` // why not
	What   string            `json:"what,omitempty"`
	Advice string            `json:"advice,omitempty"`
	Detail string            `json:"detail,omitempty"`
	Owner  *signature.Owner  `json:"owner,omitempty"` // what the certificate claims
}

func (c *signatureVerifyCmd) Run(con *console) error {
	file, err := readUpTo(con, c.File, 2*signature.MaxFile)
	if err != nil {
		return err
	}
	var content []byte
	if c.Content != "" {
		if content, err = readUpTo(con, c.Content, maxSigned); err != nil {
			return err
		}
	}
	v, err := c.open()
	if err != nil {
		return err
	}
	at := c.At
	if at.IsZero() {
		at = time.Now()
	}
	verdict, err := v.VerifyAt(file, content, at)
	if err == nil {
		err = signature.Demand{Taxpayer: c.For, Entity: c.Entity}.Check(&verdict.Owner)
	}
	if refusal := signature.RefusalOf(err); refusal != nil {
		return c.refused(con, refusal)
	}
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := os.WriteFile(c.Out, verdict.Content, 0o600); err != nil {
			return fmt.Errorf("write what was signed: %w", err)
		}
	}
	if !verdict.Revocation {
		con.hint("Revocation was not looked at: give --crl.")
	}
	return con.result(judged{OK: true, Verdict: verdict}, func(w io.Writer) { c.words(w, verdict) })
}

func (c *signatureVerifyCmd) refused(con *console, r *signature.Refusal) error {
	result := judged{Reason: &r.Reason, What: r.Reason.What(), Advice: r.Reason.Advice(), Detail: r.Detail, Owner: r.Owner}
	err := con.result(result, func(w io.Writer) {
		fmt.Fprintf(w, "NOT ACCEPTED (%s)\n%s %s\n", r.Reason.String(), result.What, result.Advice)
		if r.Detail != "" {
			fmt.Fprintf(w, "Found: %s.\n", r.Detail)
		}
		if r.Owner != nil {
			fmt.Fprintln(w, "\nThe certificate claims:")
			facts(w, ownerFacts(r.Owner)...)
		}
	})
	if err != nil {
		return err
	}
	return &found{result.What}
}

func (c *signatureVerifyCmd) words(w io.Writer, v *signature.Verdict) {
	fmt.Fprintf(w, "The signature is good: %s.\n\n", v.Method)
	pairs := ownerFacts(&v.Owner)
	signed := "not said"
	if !v.SignedAt.IsZero() {
		signed = instant(v.SignedAt) + ", by the signer's clock"
	}
	var chain []string
	for _, link := range v.Chain[1:] {
		chain = append(chain, link.Subject)
	}
	revocation := "not looked at"
	if v.Revocation {
		revocation = "none in the chain is revoked"
	}
	where := "beside the signature"
	if v.Attached {
		where = "in the signature"
	}
	pairs = append(pairs, "document", fmt.Sprintf("%d bytes, %s", len(v.Content), where), "signed", signed,
		"judged for", instant(v.JudgedAt), "authorities", strings.Join(chain, " < "), "revocation", revocation)
	facts(w, pairs...)
}

// ownerFacts are names and values for people.
func ownerFacts(o *signature.Owner) []string {
	return []string{
		"name", o.Name, "organization", o.Organization, "title", o.Title, "role", strings.ReplaceAll(o.Role.String(), "_", " "),
		"IIN", string(o.IIN), "BIN", string(o.BIN), "INN", string(o.INN), "organization's INN", string(o.OrgINN),
		"OGRN", o.OGRN, "OGRNIP", o.OGRNIP, "SNILS", o.SNILS, "e-mail", o.Email,
		"certificate", o.Serial + " of " + o.Issuer, "holds", instant(o.NotBefore) + " to " + instant(o.NotAfter),
	}
}

// instant writes a time for people.
func instant(t time.Time) string { return t.UTC().Format(time.DateTime) + " UTC" }

type signatureRootsCmd struct{ trusted }

// Help is shown by --help below the flags.
func (signatureRootsCmd) Help() string {
	return `Reads the folders as the server does and says what is in them. The exit code is
1 when a certificate or a list does not hold today, or an authority has no list:
a check for those who fetch the lists.`
}

func (c *signatureRootsCmd) Run(con *console) error {
	v, err := c.open()
	if err != nil {
		return err
	}
	all, now := v.Authorities(), time.Now()
	stale := 0
	var rows [][]string
	for _, a := range all {
		state := "ok"
		switch {
		case now.After(a.NotAfter):
			state = "EXPIRED"
		case c.CRL == "":
		case a.ListTo.IsZero():
			state = "NO LIST"
		case now.After(a.ListTo):
			state = "OLD LIST"
		}
		if state != "ok" {
			stale++
		}
		kind, list := "below", "-"
		if a.Root {
			kind = "root"
		}
		if !a.ListTo.IsZero() {
			list = fmt.Sprintf("to %s, %d revoked", instant(a.ListTo), a.Revoked)
		}
		rows = append(rows, []string{kind, a.Subject, a.Method, instant(a.NotAfter), list, state})
	}
	err = con.result(all, func(w io.Writer) {
		table(w, []string{"KIND", "AUTHORITY", "SIGNED WITH", "HOLDS TO", "LIST", "STATE"}, rows)
	})
	if err != nil || stale == 0 {
		return err
	}
	return &found{"an authority is not usable today"}
}
