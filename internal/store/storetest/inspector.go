package storetest

import (
	"reflect"
	"time"

	"openofd/internal/access"
)

// inspectors shows that the people of authorities are found among all, that a
// ground stays what it was, and that what was seen on it stays.
//
// Req: O-021, O-048
func inspectors(w *world) {
	one := w.person("seller@example.kz")
	var two access.User
	w.must(w.WriteAccess(w.Context(), func(tx access.Tx) error {
		two = access.User{Email: "inspector@kgd.example", Name: "Ержан", Hash: "-", Created: morning, Changed: morning,
			Inspector: &access.Inspector{Authority: "МГД по Алматы", IIN: "900101300004", Serial: "1f"}}
		return tx.AddUser(&two)
	}))
	var first, second access.Inspection
	w.must(w.WriteAccess(w.Context(), func(tx access.Tx) error {
		first = access.Inspection{User: two.ID, Who: two.Email, Name: two.Name, Authority: "МГД", Number: "12-б", Date: "2026-03-14", Reason: "камеральный контроль", Taxpayer: w.owner.ID, Opened: morning}
		second = access.Inspection{User: two.ID, Who: two.Email, Number: "13", Opened: morning.Add(time.Hour)}
		if err := tx.AddInspection(&first); err != nil {
			return err
		}
		return tx.AddInspection(&second)
	}))
	looks := []access.Look{
		{Inspection: first.ID, N: 1, At: morning.Add(time.Second), Act: access.ActInspectedSearch, Object: "Ә", Address: "192.0.2.1"},
		{Inspection: first.ID, N: 2, At: morning.Add(2 * time.Second), Taxpayer: w.owner.ID, Act: access.ActInspected, Object: "receipts"},
	}
	first.Looks, first.Closed = 2, morning.Add(time.Minute)
	w.must(w.WriteAccess(w.Context(), func(tx access.Tx) error {
		for _, l := range looks {
			if err := tx.AddLook(l); err != nil {
				return err
			}
		}
		return tx.SetInspection(&first)
	}))
	w.must(w.ReadAccess(w.Context(), func(tx access.Tx) error {
		if all, err := tx.Inspectors(0, 10); err != nil || len(all) != 1 || !reflect.DeepEqual(all[0], two) {
			w.Errorf("Inspectors = %+v, %v, want %+v and not %s", all, err, two, one.Email)
		}
		if all, err := tx.Inspectors(two.ID, 10); err != nil || len(all) != 0 {
			w.Errorf("Inspectors behind the last = %+v, %v", all, err)
		}
		if got, err := tx.Inspection(first.ID); err != nil || !reflect.DeepEqual(got, first) {
			w.Errorf("Inspection = %+v, %v, want %+v", got, err, first)
		}
		for _, tt := range []struct {
			u      access.UserID
			before access.InspectionID
			want   []access.Inspection
		}{{0, 0, []access.Inspection{second, first}}, {two.ID, 0, []access.Inspection{second, first}}, {two.ID, second.ID, []access.Inspection{first}}, {one.ID, 0, nil}} {
			if got, err := tx.Inspections(tt.u, tt.before, 5); err != nil || len(got) != len(tt.want) || len(got) > 0 && !reflect.DeepEqual(got, tt.want) {
				w.Errorf("Inspections(%d, %d) = %+v, %v, want %+v", tt.u, tt.before, got, err, tt.want)
			}
		}
		if got, err := tx.Looks(first.ID, 0, 5); err != nil || !reflect.DeepEqual(got, []access.Look{looks[1], looks[0]}) {
			w.Errorf("Looks = %+v, %v, want %+v", got, err, looks)
		}
		if got, err := tx.Looks(first.ID, 2, 5); err != nil || !reflect.DeepEqual(got, looks[:1]) {
			w.Errorf("Looks before the second = %+v, %v", got, err)
		}
		return nil
	}))
	for _, sql := range []string{
		`DELETE FROM inspections`, `UPDATE inspections SET body = '{}'`, `UPDATE inspections SET closed = 0 WHERE closed <> 0`, `DELETE FROM inspection_looks`, `UPDATE inspection_looks SET object = 'x'`,
	} {
		if w.Exec(w.Context(), sql) == nil {
			w.Errorf("%s was done", sql)
		}
	}
}
