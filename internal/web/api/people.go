package api

import (
	"context"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// MemberRecord is a person in the organization.
type MemberRecord struct {
	User     int64   `json:"user"`
	Name     string  `json:"name"`
	Email    string  `json:"email"`
	Role     string  `json:"role" enum:"owner,administrator,accountant,manager,technician,viewer,service_center"`
	Outlets  []int64 `json:"outlets,omitempty" nullable:"false" doc:"What they are limited to; left out: nothing."`
	Strong   bool    `json:"strong" doc:"Signs in with a second factor."`
	Disabled bool    `json:"disabled,omitempty"`
	Since    string  `json:"since" doc:"Date."`
}

// MemberChange is what a person becomes.
type MemberChange struct {
	Role    string  `json:"role" enum:"owner,administrator,accountant,manager,technician,viewer,service_center"`
	Outlets []int64 `json:"outlets,omitempty" nullable:"false" maxItems:"1000" doc:"Left out: all."`
}

// InvitationRecord waits for a person.
type InvitationRecord struct {
	Email   string    `json:"email"`
	Role    string    `json:"role"`
	Outlets []int64   `json:"outlets,omitempty" nullable:"false"`
	By      string    `json:"by"`
	Sent    time.Time `json:"sent"`
	Ends    time.Time `json:"ends"`
}

// InvitationAdd invites.
type InvitationAdd struct {
	Email    string  `json:"email" maxLength:"254"`
	Role     string  `json:"role" enum:"owner,administrator,accountant,manager,technician,viewer,service_center" doc:"It may no more than the key: a key invites nobody greater than itself."`
	Outlets  []int64 `json:"outlets,omitempty" nullable:"false" maxItems:"1000" doc:"Left out: all."`
	Language string  `json:"language,omitempty" enum:"kk,ru,en" doc:"Of the letter to who has no account yet."`
}

// AuditRecord is something that was done in the organization.
type AuditRecord struct {
	Seq     uint64    `json:"seq" doc:"Gapless within the organization."`
	At      time.Time `json:"at"`
	Who     string    `json:"who" doc:"Address of the person; behind it the key by which they acted."`
	Address string    `json:"address,omitempty" doc:"Where they were."`
	Act     string    `json:"act" doc:"A stable name."`
	Title   string    `json:"title" doc:"The same in words, in the language asked for."`
	Object  string    `json:"object,omitempty"`
	Detail  string    `json:"detail,omitempty"`
	Hash    string    `json:"hash" doc:"Of the record and the one before it."`
}

func ids[T ~int64](all []T) (out []int64) {
	for _, id := range all {
		out = append(out, int64(id))
	}
	return out
}

func outletIDs(all []int64) (out []fiscal.OutletID) {
	for _, id := range all {
		out = append(out, fiscal.OutletID(id))
	}
	return out
}

func (h *Handler) registerPeople() {
	people := h.cfg.Access
	route(h, operation{id: "members", method: http.MethodGet, path: "/members", tag: "people", rights: access.ManageUsers},
		func(ctx context.Context, c *caller, _ *struct{}) (*listOf[MemberRecord], error) {
			all, _, err := people.Members(ctx, c.Actor)
			if err != nil {
				return nil, err
			}
			var items []MemberRecord
			for _, m := range all {
				items = append(items, newMember(&m))
			}
			return newList(items, ""), nil
		})
	type byUser struct {
		User int64 `path:"user" minimum:"1"`
	}
	type change struct {
		User int64 `path:"user" minimum:"1"`
		Body MemberChange
	}
	route(h, operation{id: "member-change", method: http.MethodPut, path: "/members/{user}", tag: "people", rights: access.ManageUsers, doc: "The last owner stays one."},
		func(ctx context.Context, c *caller, in *change) (*answer[MemberRecord], error) {
			if err := people.SetRole(ctx, c.Actor, access.UserID(in.User), access.Role(in.Body.Role), outletIDs(in.Body.Outlets)); err != nil {
				return nil, err
			}
			all, _, err := people.Members(ctx, c.Actor)
			if err != nil {
				return nil, err
			}
			for _, m := range all {
				if m.User == access.UserID(in.User) {
					return tagged(newMember(&m))
				}
			}
			return nil, &fiscal.Error{Reason: fiscal.NothingThere, Field: "user"} // removed at once by another
		})
	route(h, operation{id: "member-remove", method: http.MethodDelete, path: "/members/{user}", tag: "people", rights: access.ManageUsers, doc: "The last owner stays."},
		func(ctx context.Context, c *caller, in *byUser) (*none, error) {
			return nil, people.Remove(ctx, c.Actor, access.UserID(in.User))
		})
	route(h, operation{id: "invitations", method: http.MethodGet, path: "/invitations", tag: "people", rights: access.ManageUsers},
		func(ctx context.Context, c *caller, _ *struct{}) (*listOf[InvitationRecord], error) {
			_, all, err := people.Members(ctx, c.Actor)
			if err != nil {
				return nil, err
			}
			var items []InvitationRecord
			for _, i := range all {
				items = append(items, newInvitation(&i))
			}
			return newList(items, ""), nil
		})
	type invite struct {
		Once
		Body InvitationAdd
	}
	route(h, operation{id: "invitation-add", method: http.MethodPost, path: "/invitations", tag: "people", rights: access.ManageUsers, status: http.StatusCreated,
		doc: "Once more if there is one: a letter goes out each time."},
		func(ctx context.Context, c *caller, in *invite) (*answer[InvitationRecord], error) {
			email, err := access.CanonicalEmail(in.Body.Email)
			if err != nil {
				return nil, err
			}
			lang := in.Body.Language
			if lang == "" {
				lang = c.locale.Lang
			}
			title := ""
			if h.cfg.Office != nil {
				t, err := h.cfg.Office.Organization(ctx, c.Actor)
				if err != nil {
					return nil, err
				}
				title = t.Title.In(lang)
			}
			if err := people.Invite(ctx, c.Actor, email, access.Role(in.Body.Role), outletIDs(in.Body.Outlets), title, lang); err != nil {
				return nil, err
			}
			_, all, err := people.Members(ctx, c.Actor)
			if err != nil {
				return nil, err
			}
			i := slices.IndexFunc(all, func(i access.Invitation) bool { return i.Email == email })
			if i < 0 {
				return nil, &fiscal.Error{Reason: fiscal.NothingThere, Field: "email"} // withdrawn at once by another
			}
			return tagged(newInvitation(&all[i]))
		})
	type byEmail struct {
		Email string `path:"email" maxLength:"254"`
	}
	route(h, operation{id: "invitation-remove", method: http.MethodDelete, path: "/invitations/{email}", tag: "people", rights: access.ManageUsers},
		func(ctx context.Context, c *caller, in *byEmail) (*none, error) {
			return nil, people.Withdraw(ctx, c.Actor, in.Email)
		})
	route(h, operation{id: "audit", method: http.MethodGet, path: "/audit", tag: "people", rights: access.SeeAudit, doc: "The newest first."},
		func(ctx context.Context, c *caller, in *Paging) (*listOf[AuditRecord], error) {
			before, err := numberOf(in.After)
			if err != nil {
				return nil, err
			}
			all, err := people.Audit(ctx, c.Actor, before, in.Limit+1)
			if err != nil {
				return nil, err
			}
			next := ""
			if len(all) > in.Limit {
				all = all[:in.Limit]
				next = strconv.FormatUint(all[in.Limit-1].Seq, 10)
			}
			var items []AuditRecord
			for i := range all {
				r := &all[i]
				items = append(items, AuditRecord{r.Seq, r.At, r.Who, r.Address, string(r.Act), c.locale.T("act." + string(r.Act)), r.Object, r.Detail, hex.EncodeToString(r.Hash[:])})
			}
			return newList(items, next), nil
		})
}

// numberOf reads where a list goes on; "" is its beginning.
func numberOf(after string) (uint64, error) {
	if after == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(after, 10, 63)
	if err != nil || n == 0 {
		return 0, &fiscal.Error{Reason: fiscal.BadValue, Field: "after"}
	}
	return n, nil
}

func newMember(m *access.Colleague) MemberRecord {
	return MemberRecord{User: int64(m.User), Name: m.Name, Email: m.Email, Role: string(m.Role), Outlets: ids(m.Outlets), Strong: m.TOTP, Disabled: m.Disabled, Since: m.Since}
}

func newInvitation(i *access.Invitation) InvitationRecord {
	return InvitationRecord{i.Email, string(i.Role), ids(i.Outlets), i.By, i.Sent, i.Ends}
}
