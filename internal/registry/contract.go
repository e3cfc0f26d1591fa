package registry

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"strings"
	"text/template"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/signature"
)

// ContractID numbers contracts, from 1.
type ContractID int64

// ContractKind says what a paper is.
type ContractKind string

// The kinds. An ended contract is one more paper: what was signed stays.
const (
	ContractSigned ContractKind = "signed" // by an electronic signature
	ContractPaper  ContractKind = "paper"  // on paper, and recorded by the operator
	ContractEnded  ContractKind = "ended"
)

// Contract is a paper between the operator and a taxpayer, with all that proves
// it. It is appended and never changes.
//
// Source: order 135 items 5.5, 12.
type Contract struct {
	ID        ContractID        `json:"-"`
	Taxpayer  fiscal.TaxpayerID `json:"-"`
	At        time.Time         `json:"-"` // when we accepted it, microseconds
	Kind      ContractKind      `json:"kind"`
	Edition   int               `json:"edition,omitempty"`
	Language  string            `json:"language,omitempty"`
	By        string            `json:"by"` // address of the person
	Number    string            `json:"number,omitempty"`
	Method    string            `json:"method,omitempty"` // of the signature
	Owner     *signature.Owner  `json:"owner,omitempty"`
	Verdict   *Verdict          `json:"verdict,omitempty"`
	Content   []byte            `json:"-"` // the bytes that were signed
	Signature []byte            `json:"-"` // the file, as it came
}

// Verdict is what was found of a signature when it was accepted, with the
// certificates, so that it can be judged again for that instant.
type Verdict struct {
	signature.Verdict
	Certificates [][]byte `json:"certificates"` // DER, from the signer's to the root
}

// edition is that of the texts of the contract. A change of a text is a new one.
const edition = 1

// contractLife is for how many days after its date a contract may be signed.
const contractLife = 10

//go:embed contract/*.txt
var contractTexts embed.FS

// Offer is a contract that waits to be signed: a function of its date, its
// language, the operator and the account, so that nothing is kept of it.
type Offer struct {
	Language string
	Date     string // 2026-03-14
	Content  []byte
}

// Offer words the contract for an account. date is "" for today; one that has
// not come or is long past is Invalid.
//
// Source: requirements P-048, O-066 to O-069.
func (o *Office) Offer(a *access.Actor, language, date string) (Offer, error) {
	today := o.now().UTC()
	if date == "" {
		date = today.Format(time.DateOnly)
	}
	day, err := time.Parse(time.DateOnly, date)
	if err != nil || day.After(today) || today.Sub(day) > (contractLife+1)*24*time.Hour {
		return Offer{}, &fiscal.Error{Reason: fiscal.BadValue, Field: "date", Msg: "over"}
	}
	words, err := contractTexts.ReadFile("contract/" + language + ".txt")
	if err != nil {
		return Offer{}, &fiscal.Error{Reason: fiscal.BadValue, Field: "language", Err: err}
	}
	text, err := template.New(language).Parse(string(words))
	if err != nil {
		return Offer{}, &fiscal.Error{Reason: fiscal.BadValue, Field: "language", Err: err}
	}
	var b bytes.Buffer
	number := string(o.operator.BIN)
	if o.operator.INN != "" {
		number = strings.Trim(number+" / "+string(o.operator.INN), " /")
	}
	err = text.Execute(&b, struct {
		Operator, Number, Address, Site, Date, Account string
		Edition                                        int
	}{o.operator.Title.In(language), number, o.operator.Address.In(language), o.operator.Site, day.Format("02.01.2006"), a.User.Email, edition})
	if err != nil {
		return Offer{}, fmt.Errorf("word the contract: %w", err)
	}
	return Offer{Language: language, Date: date, Content: b.Bytes()}, nil
}

// CanLink reports whether signatures can be verified here.
func (o *Office) CanLink() bool { return o.judge != nil }

// Linked is whom a signature speaks for, before anything is stored.
type Linked struct {
	Verdict *signature.Verdict
	Country fiscal.Country
	XIN     fiscal.XIN
	Title   string
	Known   bool // the taxpayer is there already
	// Taxpayer is set by Link.
	Taxpayer fiscal.TaxpayerID
}

// Examine verifies the signature of an offer and tells whom it names. Nothing is
// stored.
//
// Persons of Kazakhstan sign with RSA or GOST keys, organizations with GOST
// keys, as those of Russia do. Errors: those of signature, which hold a Refusal;
// Unavailable when nothing can be verified here.
//
// Source: requirements P-047, E-035, E-036, E-039.
func (o *Office) Examine(ctx context.Context, offer Offer, file []byte) (Linked, error) {
	if o.judge == nil {
		return Linked{}, &fiscal.Error{Of: fiscal.Unavailable, Field: "signature", Msg: "no_roots"}
	}
	if len(file) == 0 {
		return Linked{}, &fiscal.Error{Reason: fiscal.MissingParameter, Field: "signature"}
	}
	v, err := o.judge.Verify(file, offer.Content)
	if err != nil {
		return Linked{}, err
	}
	demand := signature.Demand{Entity: v.Owner.Entity()}
	if demand.Entity {
		demand.Keys = []signature.KeyKind{signature.KeyGOST}
	}
	if err := demand.Check(&v.Owner); err != nil {
		return Linked{}, err
	}
	l := Linked{Verdict: v, Country: fiscal.Country(v.Owner.Country), XIN: v.Owner.Taxpayer(), Title: v.Owner.Organization}
	if l.Title == "" {
		l.Title = v.Owner.Name
	}
	c, served := countries[l.Country]
	if !served || c.owner(l.XIN, "xin") != nil {
		return Linked{}, &fiscal.Error{Of: fiscal.Invalid, Field: "signature", Err: &signature.Refusal{Reason: signature.NoIdentity, Owner: &v.Owner}}
	}
	switch t, err := o.store.TaxpayerByXIN(ctx, l.Country, l.XIN); {
	case err == nil:
		l.Known, l.Title = true, t.Title.In("ru")
	case !absent(err):
		return Linked{}, err
	}
	return l, nil
}

// Link gives the actor a place in the organization whose signature of the offer
// this is, and keeps the contract. A taxpayer that is known is found, a new one
// is made. Where there is no owner the actor becomes it; where there is one its
// head, or the person who trades alone, becomes an administrator, and others
// take the place that they are invited to. Who is in already keeps one more
// contract.
//
// Errors: those of Examine; AlreadyThere if the organization has an owner who
// has not invited the actor.
//
// Source: requirements E-040 to E-044, E-047, O-017, O-066, O-068.
func (o *Office) Link(ctx context.Context, a *access.Actor, offer Offer, file []byte) (Linked, error) {
	l, err := o.Examine(ctx, offer, file)
	if err != nil {
		return Linked{}, err
	}
	t, err := o.registry.taxpayer(ctx, &NewRegister{Country: l.Country, XIN: l.XIN, Title: fiscal.Text{RU: l.Title}})
	if err != nil {
		return Linked{}, err
	}
	if err := o.access.Enter(ctx, a, t.ID, l.Title, byLaw(&l.Verdict.Owner)); err != nil {
		return Linked{}, err
	}
	// The place comes before the paper: who has no right to the organization
	// leaves nothing in its files. A paper that is not there is signed again.
	c := Contract{Taxpayer: t.ID, At: o.registry.instant(), Kind: ContractSigned, Edition: edition, Language: offer.Language, By: a.User.Email,
		Method: l.Verdict.Method, Owner: &l.Verdict.Owner, Verdict: &Verdict{Verdict: *l.Verdict}, Content: offer.Content, Signature: file}
	for _, link := range l.Verdict.Chain {
		c.Verdict.Certificates = append(c.Verdict.Certificates, link.Encoded)
	}
	if err := o.store.AddContract(ctx, &c); err != nil {
		return Linked{}, fmt.Errorf("keep the contract: %w", err)
	}
	in := *a
	in.Taxpayer, l.Taxpayer = t.ID, t.ID
	return l, o.access.Note(ctx, &in, ActContractSigned, fmt.Sprintf("%d", c.ID), l.Verdict.Method)
}

// byLaw is what a signature makes of who signed, in an organization that somebody
// else owns: who speaks for it without a power of attorney looks after it.
func byLaw(o *signature.Owner) access.Role {
	if o.Role == signature.RoleHead || !o.Entity() {
		return access.Administrator
	}
	return ""
}

// Invited takes up the invitation of an address to the organization with a
// number, by a code that proves the address, for who shows no signature. name is
// of the person, if there is no account yet.
//
// Errors: BadValue with the Field "code"; NotFound with the Field "invitation",
// whether there is the organization or not; those of access.Prove.
//
// Source: requirement E-047.
func (o *Office) Invited(ctx context.Context, in access.NewUser, v access.Visit, country fiscal.Country, x fiscal.XIN) (a access.Actor, t Taxpayer, err error) {
	if t, err = o.store.TaxpayerByXIN(ctx, country, x); err != nil && !absent(err) {
		return a, t, err
	}
	if err := o.access.Awaited(ctx, in.Email, in.Code, t.ID); err != nil {
		return a, t, err
	}
	if a, err = o.access.Prove(ctx, in, v); err != nil {
		return a, t, err
	}
	if err := o.access.Join(ctx, &a, t.ID); err != nil {
		return a, t, err
	}
	a, err = o.access.At(ctx, a, t.ID)
	return a, t, err
}

// Contracts lists the organization's papers, newest first.
func (o *Office) Contracts(ctx context.Context, a *access.Actor) ([]Contract, error) {
	if err := a.Must(access.SeeDocuments); err != nil {
		return nil, err
	}
	return o.store.Contracts(ctx, a.Taxpayer)
}

// Contract reads one paper with its bytes.
func (o *Office) Contract(ctx context.Context, a *access.Actor, id ContractID) (Contract, error) {
	if err := a.Must(access.SeeDocuments); err != nil {
		return Contract{}, err
	}
	return o.store.Contract(ctx, a.Taxpayer, id)
}

// InForce reports whether the newest of an organization's papers is a contract
// that holds.
func InForce(all []Contract) bool { return len(all) > 0 && all[0].Kind != ContractEnded }

// EndContract ends the contract. Everything that was taken stays and can be
// read. Conflict if none holds.
//
// Source: order 135 item 12.3.
func (o *Office) EndContract(ctx context.Context, a *access.Actor) error {
	if err := first(a.Must(access.Apply), everywhere(a)); err != nil {
		return err
	}
	all, err := o.store.Contracts(ctx, a.Taxpayer)
	if err != nil {
		return err
	}
	if !InForce(all) {
		return &fiscal.Error{Of: fiscal.Conflict, Field: "contract", Msg: "none"}
	}
	c := Contract{Taxpayer: a.Taxpayer, At: o.registry.instant(), Kind: ContractEnded, By: a.User.Email, Number: fmt.Sprint(all[0].ID)}
	if err := o.store.AddContract(ctx, &c); err != nil {
		return fmt.Errorf("end the contract: %w", err)
	}
	return o.access.Note(ctx, a, ActContractEnded, fmt.Sprint(all[0].ID), "")
}

// RecordPaper records a contract on paper, which the operator's staff holds.
//
// Source: order 135 items 3.3, 5.5; requirements O-008, O-017.
func (o *Office) RecordPaper(ctx context.Context, t fiscal.TaxpayerID, by, number string) (ContractID, error) {
	return o.record(ctx, Contract{Taxpayer: t, Kind: ContractPaper, By: by, Number: number}, ActContractRecorded)
}

// RecordEnd records that the contract was ended on paper. Conflict if none holds.
//
// Source: order 135 item 12.3.
func (o *Office) RecordEnd(ctx context.Context, t fiscal.TaxpayerID, by, number string) (ContractID, error) {
	all, err := o.store.Contracts(ctx, t)
	if err != nil {
		return 0, err
	}
	if !InForce(all) {
		return 0, &fiscal.Error{Of: fiscal.Conflict, Field: "contract", Msg: "none"}
	}
	return o.record(ctx, Contract{Taxpayer: t, Kind: ContractEnded, By: by, Number: number}, ActContractEnded)
}

func (o *Office) record(ctx context.Context, c Contract, act access.Act) (ContractID, error) {
	c.Number = strings.Join(strings.Fields(c.Number), " ")
	if err := checkLine("number", c.Number, maxShort, true); err != nil {
		return 0, err
	}
	if _, err := o.store.TaxpayerOf(ctx, c.Taxpayer); err != nil {
		return 0, err
	}
	c.At = o.registry.instant()
	if err := o.store.AddContract(ctx, &c); err != nil {
		return 0, fmt.Errorf("record the contract: %w", err)
	}
	return c.ID, access.Operator{Service: o.access, By: c.By}.Note(ctx, c.Taxpayer, act, c.Number, fmt.Sprint(c.ID))
}
