package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// person adds a person.
func (w *world) person(email string) access.User {
	w.Helper()
	u := access.User{Email: email, Name: "Әсел", Language: "kk", Hash: "$argon2id$", Created: morning, Changed: morning,
		TOTP: &access.TOTP{Key: 3, Sealed: []byte{0, 1}, Last: 7, Since: morning}, Recovery: [][]byte{{1}, {2}}}
	w.must(w.WriteAccess(w.Context(), func(tx access.Tx) error { return tx.AddUser(&u) }))
	return u
}

// people shows that people are kept as they were told, each address once, and
// that nobody overwrites a change that they have not seen.
func people(w *world) {
	u := w.person("asel@example.kz")
	if u.ID == 0 || u.Version != 1 {
		w.Fatalf("AddUser gave ID %d, version %d", u.ID, u.Version)
	}
	second := u
	w.wants("AddUser with a taken address", w.WriteAccess(w.Context(), func(tx access.Tx) error { return tx.AddUser(&second) }), fiscal.AlreadyThere)
	var got, same access.User
	w.must(w.ReadAccess(w.Context(), func(tx access.Tx) (err error) {
		if got, err = tx.User(u.ID); err == nil {
			same, err = tx.UserByEmail(u.Email)
		}
		return err
	}))
	if !reflect.DeepEqual(got, u) || !reflect.DeepEqual(same, u) {
		w.Errorf("read %+v and %+v, want %+v", got, same, u)
	}
	old := got
	got.Guesses = access.Guesses{Failures: 5, Locked: morning.Add(time.Minute)}
	w.must(w.WriteAccess(w.Context(), func(tx access.Tx) error { return tx.SetUser(&got) }))
	w.wants("SetUser of an old version", w.WriteAccess(w.Context(), func(tx access.Tx) error { return tx.SetUser(&old) }), fiscal.StateMoved)
	w.wants("a person who is not there", w.ReadAccess(w.Context(), func(tx access.Tx) error { _, err := tx.User(99); return err }), fiscal.NotFound)
	w.wants("an address that cannot be", w.ReadAccess(w.Context(), func(tx access.Tx) error { _, err := tx.UserByEmail("a\x00b"); return err }), fiscal.NotFound)
	if w.Exec(w.Context(), `DELETE FROM users`) == nil {
		w.Error("a person could be removed")
	}
}

// firsts shows that of many who at once want to be the first of something one
// is: who asks within a transaction waits also where there is nothing yet.
func firsts(w *world) {
	const many = 8
	var us []access.User
	for i := range many {
		us = append(us, w.person(fmt.Sprintf("p%d@example.kz", i)))
	}
	founded, sent := 0, 0
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, u := range us {
		wg.Go(func() {
			err := w.WriteAccess(w.Context(), func(tx access.Tx) error {
				all, err := tx.Members(w.owner.ID)
				if err != nil || len(all) > 0 {
					return err
				}
				mu.Lock()
				founded++
				mu.Unlock()
				return tx.PutMember(access.Member{User: u.ID, Taxpayer: w.owner.ID, Role: access.Owner})
			})
			if err != nil {
				w.Error(err)
			}
		})
		wg.Go(func() {
			err := w.WriteAccess(w.Context(), func(tx access.Tx) error {
				_, err := tx.Code(access.ForSignUp, "new@example.kz")
				if !errors.Is(err, fiscal.NotFound) {
					return err
				}
				mu.Lock()
				sent++
				mu.Unlock()
				return tx.PutCode(access.Code{Purpose: access.ForSignUp, Email: "new@example.kz", Ends: morning})
			})
			if err != nil {
				w.Error(err)
			}
		})
	}
	wg.Wait()
	if founded != 1 || sent != 1 {
		w.Errorf("%d founded the organization, %d sent the first code; want 1 and 1", founded, sent)
	}
	var got []access.User
	w.must(w.ReadAccess(w.Context(), func(tx access.Tx) (err error) {
		got, err = tx.Users(us[1].ID, 2)
		return err
	}))
	if !reflect.DeepEqual(got, us[2:4]) {
		w.Errorf("Users = %+v, want %+v", got, us[2:4])
	}
	remove := func(t time.Time) (n int) {
		w.must(w.WriteAccess(w.Context(), func(tx access.Tx) (err error) {
			n, err = tx.RemoveCodes(t, 10)
			return err
		}))
		return n
	}
	if before, after := remove(morning.Add(-time.Minute)), remove(morning.Add(time.Minute)); before != 0 || after != 1 {
		w.Errorf("RemoveCodes = %d before the end, %d after it; want 0 and 1", before, after)
	}
}

// proofs shows codes and sessions.
func proofs(w *world) {
	u := w.person("asel@example.kz")
	code := access.Code{Purpose: access.ForReset, Email: u.Email, Salt: []byte{1}, Hash: []byte{2}, Language: "ru", Sent: morning, Ends: morning.Add(time.Minute), Tries: 2, Letters: 3}
	var sessions []access.Session
	for i := range 3 {
		sessions = append(sessions, access.Session{ID: access.SessionID{byte(i), 0, 1}, User: u.ID, Started: morning, Seen: morning.Add(time.Duration(-i) * time.Hour),
			Ends: morning.Add(time.Duration(i) * time.Hour), Address: "192.0.2.1", Agent: "Браузер", Half: i == 1, Taxpayer: w.owner.ID})
	}
	w.must(w.WriteAccess(w.Context(), func(tx access.Tx) error {
		err := errors.Join(tx.PutCode(access.Code{Purpose: access.ForReset, Email: u.Email}), tx.PutCode(code))
		for _, x := range sessions {
			err = errors.Join(err, tx.PutSession(x), tx.PutSession(x))
		}
		return err
	}))
	w.must(w.ReadAccess(w.Context(), func(tx access.Tx) error {
		if got, err := tx.Code(access.ForReset, u.Email); err != nil || !reflect.DeepEqual(got, code) {
			w.Errorf("Code = %+v, %v, want %+v", got, err, code)
		}
		_, err := tx.Code(access.ForSignUp, u.Email)
		w.wants("a code for another purpose", err, fiscal.NotFound)
		if got, err := tx.Session(sessions[2].ID); err != nil || !reflect.DeepEqual(got, sessions[2]) {
			w.Errorf("Session = %+v, %v, want %+v", got, err, sessions[2])
		}
		if got, err := tx.Sessions(u.ID); err != nil || !reflect.DeepEqual(got, sessions) {
			w.Errorf("Sessions = %+v, %v, want %+v", got, err, sessions)
		}
		return nil
	}))
	w.must(w.WriteAccess(w.Context(), func(tx access.Tx) error {
		n, err := tx.RemoveSessions(morning.Add(time.Hour), 1)
		if n != 1 {
			w.Errorf("RemoveSessions = %d, want the limit of 1", n)
		}
		return errors.Join(err, tx.RemoveSession(sessions[2].ID), tx.RemoveCode(access.ForReset, u.Email))
	}))
	w.must(w.ReadAccess(w.Context(), func(tx access.Tx) error {
		if got, err := tx.Sessions(u.ID); err != nil || len(got) != 1 || got[0].ID != sessions[1].ID {
			w.Errorf("Sessions afterwards = %+v, %v", got, err)
		}
		_, err := tx.Code(access.ForReset, u.Email)
		w.wants("a code that was used", err, fiscal.NotFound)
		return nil
	}))
}

// places shows members and invitations, and that a failed change leaves nothing.
func places(w *world) {
	u, other := w.person("asel@example.kz"), w.taxpayer("600400000011")
	m := access.Member{User: u.ID, Taxpayer: w.owner.ID, Role: access.Manager, Outlets: []fiscal.OutletID{w.outlet.ID}, Since: "2026-03-14", By: u.ID}
	i := access.Invitation{Taxpayer: other.ID, Email: u.Email, Role: access.Viewer, By: "x@example.kz", Sent: morning, Ends: morning.Add(time.Hour)}
	w.must(w.WriteAccess(w.Context(), func(tx access.Tx) error {
		return errors.Join(tx.PutMember(access.Member{User: u.ID, Taxpayer: w.owner.ID, Role: access.Owner}), tx.PutMember(m), tx.PutInvitation(i))
	}))
	stop := errors.New("stop")
	w.wants("WriteAccess", w.WriteAccess(w.Context(), func(tx access.Tx) error {
		return errors.Join(tx.RemoveMember(u.ID, w.owner.ID), tx.RemoveInvitation(other.ID, u.Email), stop)
	}), stop)
	w.must(w.ReadAccess(w.Context(), func(tx access.Tx) error {
		for what, get := range map[string]func() ([]access.Member, error){
			"Memberships": func() ([]access.Member, error) { return tx.Memberships(u.ID) },
			"Members":     func() ([]access.Member, error) { return tx.Members(w.owner.ID) },
			"Member": func() ([]access.Member, error) {
				one, err := tx.Member(u.ID, w.owner.ID)
				return []access.Member{one}, err
			},
		} {
			if got, err := get(); err != nil || !reflect.DeepEqual(got, []access.Member{m}) {
				w.Errorf("%s = %+v, %v, want %+v", what, got, err, m)
			}
		}
		for what, get := range map[string]func() ([]access.Invitation, error){
			"Invitations":    func() ([]access.Invitation, error) { return tx.Invitations(other.ID) },
			"InvitationsFor": func() ([]access.Invitation, error) { return tx.InvitationsFor(u.Email) },
		} {
			if got, err := get(); err != nil || !reflect.DeepEqual(got, []access.Invitation{i}) {
				w.Errorf("%s = %+v, %v, want %+v", what, got, err, i)
			}
		}
		_, err := tx.Member(u.ID, other.ID)
		w.wants("a place in another organization", err, fiscal.NotFound)
		return nil
	}))
	w.must(w.WriteAccess(w.Context(), func(tx access.Tx) error {
		return errors.Join(tx.RemoveMember(u.ID, w.owner.ID), tx.RemoveInvitation(other.ID, u.Email))
	}))
	w.must(w.ReadAccess(w.Context(), func(tx access.Tx) error {
		ms, err := tx.Memberships(u.ID)
		is, err2 := tx.Invitations(other.ID)
		if len(ms)+len(is) > 0 {
			w.Errorf("left: %+v, %+v", ms, is)
		}
		return errors.Join(err, err2)
	}))
}

// auditChains shows that what people did forms a chain of each organization,
// also when many act at once, and that none of it changes.
//
// Req: P-058
func auditChains(w *world) {
	const each = 20
	var wg sync.WaitGroup
	for _, t := range []fiscal.TaxpayerID{0, w.owner.ID} {
		for k := range 4 {
			wg.Go(func() {
				for i := range each {
					r := access.Record{Taxpayer: t, At: morning.Add(time.Duration(i) * time.Second), User: access.UserID(k + 1), Who: "asel@example.kz", Address: "192.0.2.1",
						Act: access.ActRoleChanged, Object: "Ә", Detail: "viewer → owner"}
					if err := w.WriteAccess(w.Context(), func(tx access.Tx) error { return tx.Record(&r) }); err != nil {
						w.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	for _, t := range []fiscal.TaxpayerID{0, w.owner.ID} {
		var all []access.Record
		for before := uint64(0); ; {
			page, err := w.Audit(w.Context(), t, before, 7)
			w.must(err)
			if len(page) == 0 {
				break
			}
			all = append(all, page...)
			before = page[len(page)-1].Seq
		}
		if len(all) != 4*each || all[0].Seq != 4*each {
			w.Fatalf("Audit of %d gave %d records, the first %+v; want %d", t, len(all), all[0], 4*each)
		}
		up := make([]access.Record, 0, len(all))
		for i := len(all) - 1; i >= 0; i-- {
			up = append(up, all[i])
		}
		w.must(access.VerifyChain(up))
		up[3].Detail = "viewer → viewer"
		w.wants("VerifyChain of a changed record", access.VerifyChain(up), fiscal.Corrupt)
	}
	for _, tt := range []struct {
		after fiscal.TaxpayerID
		want  []fiscal.TaxpayerID
	}{{-1, []fiscal.TaxpayerID{0, w.owner.ID}}, {0, []fiscal.TaxpayerID{w.owner.ID}}, {w.owner.ID, nil}} {
		if got, err := w.AuditChains(w.Context(), tt.after, 10); err != nil || !slices.Equal(got, tt.want) {
			w.Errorf("AuditChains(%d) = %v, %v, want %v", tt.after, got, err, tt.want)
		}
	}
	own, err := w.AuditOf(w.Context(), 2, 0, 100)
	if err != nil || len(own) != each {
		w.Errorf("AuditOf = %d records, %v, want %d", len(own), err, each)
	}
	for _, sql := range []string{`UPDATE audit SET detail = ''`, `DELETE FROM audit`} {
		if w.Exec(w.Context(), sql) == nil {
			w.Errorf("%s was done", sql)
		}
	}
}
