package web

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/signature"
)

// TestOfficeIsClosed walks every address of the office as each role, as another
// tenant and as nobody: each gets what their rights give, and nobody learns that
// another's register, outlet or contract is there.
//
// Req: P-058, P-083, E-090, O-041
func TestOfficeIsClosed(t *testing.T) {
	h := newOffice(t, ready{signature.Owner{Country: "kz", Name: "ӘСЕЛ", IIN: "960624350642", Role: signature.RolePerson, Key: signature.KeyRSA}})
	owner := h.person("owner@example.kz", "Әсел")
	t1 := registry.Taxpayer{Country: fiscal.Kazakhstan, XIN: "960624350642", Title: fiscal.Text{RU: "Казына"}}
	t2 := registry.Taxpayer{Country: fiscal.Kazakhstan, XIN: "220540013371", Title: fiscal.Text{RU: "Оспанов"}}
	stranger := h.person("stranger@example.kz", "Берік")
	err := errors.Join(h.db.AddTaxpayer(t.Context(), &t1), h.db.AddTaxpayer(t.Context(), &t2),
		h.access.Found(t.Context(), &owner, t1.ID, "Казына"), h.access.Found(t.Context(), &stranger, t2.ID, "Оспанов"),
		h.db.AddContract(t.Context(), &registry.Contract{Taxpayer: t1.ID, Kind: registry.ContractSigned, Content: []byte("secret text"), Signature: []byte{1}}))
	if err != nil {
		t.Fatal(err)
	}
	place := registry.Address{Region: "75", Locality: "Алматы", Street: "Абая", House: "10"}
	first := registry.Outlet{Title: fiscal.Text{RU: "Абая"}, Where: place}
	second := registry.Outlet{Title: fiscal.Text{RU: "Тайная точка"}, Where: place}
	owner = h.again(owner)
	if err := errors.Join(h.office.PutOutlet(t.Context(), &owner, &first), h.office.PutOutlet(t.Context(), &owner, &second)); err != nil {
		t.Fatal(err)
	}
	for i, at := range []fiscal.OutletID{first.ID, second.ID} {
		if _, err := h.office.AddRegister(t.Context(), &owner, registry.AddedRegister{Outlet: at, Name: "Касса", Model: "ПОРТ", SerialNumber: []string{"S1", "S2"}[i]}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.office.DraftApplication(t.Context(), &owner, 200002, registry.Enrol); err != nil {
		t.Fatal(err)
	}
	people := map[string]string{"stranger": h.token(stranger.User.Email), "": ""}
	for _, role := range access.Roles() {
		who := h.person("as-"+string(role)+"@example.kz", "Кто-то")
		if err := errors.Join(h.access.Invite(t.Context(), &owner, who.User.Email, role, nil, "Казына", "ru"), h.access.Join(t.Context(), &who, t1.ID)); err != nil {
			t.Fatal(err)
		}
		people[string(role)] = h.token(who.User.Email)
	}
	limited := h.person("limited@example.kz", "Кто-то")
	if err := errors.Join(h.access.Invite(t.Context(), &owner, limited.User.Email, access.Manager, []fiscal.OutletID{first.ID}, "Казына", "ru"), h.access.Join(t.Context(), &limited, t1.ID)); err != nil {
		t.Fatal(err)
	}
	people["limited"] = h.token(limited.User.Email)

	all := "owner administrator accountant manager technician viewer service_center"
	tests := []struct {
		method, path string
		may          string // who is let in
		hidden       int    // what a stranger gets
	}{
		{"GET", "/registers", all + " stranger limited", 200},
		{"GET", "/registers/200001", all + " limited", 404},
		{"GET", "/registers/200002", all, 404},
		{"POST", "/registers/200002", "owner administrator manager technician service_center", 404},
		{"GET", "/registers/new", "owner administrator manager technician service_center stranger limited", 200},
		{"POST", "/registers/200002/token", "owner administrator technician service_center", 404},
		{"GET", "/outlets", all + " stranger limited", 200},
		{"GET", "/outlets/new", "owner administrator manager stranger limited", 200},
		{"GET", "/outlets/2", "owner administrator manager", 404},
		{"POST", "/outlets/2", "owner administrator manager", 404},
		{"GET", "/groups", all + " stranger limited", 200},
		{"POST", "/groups", "owner administrator manager stranger", 422},
		{"GET", "/organization", all + " stranger limited", 200},
		{"GET", "/organization/edit", "owner administrator stranger", 200},
		{"POST", "/organization/edit", "owner administrator stranger", 422},
		{"GET", "/organization/contracts/1", "owner administrator accountant service_center", 404},
		{"GET", "/organization/contracts/1/text", "owner administrator accountant service_center", 404},
		{"GET", "/applications", "owner administrator accountant manager technician service_center stranger limited", 200},
		{"GET", "/applications/1", "owner administrator accountant manager technician service_center", 404},
		{"GET", "/applications/1/sign", "owner administrator accountant manager technician service_center", 404},
		{"GET", "/applications/1/content", "", 404},
		{"GET", "/applications/1/signature", "", 404},
		{"POST", "/applications/1", "owner administrator manager technician service_center", 404},
		{"POST", "/applications/1/sign", "owner administrator", 404},
		{"POST", "/applications/1/again", "", 404},
		{"POST", "/applications", "", 400},
		{"POST", "/registers/bulk", all + " stranger limited", 303},
		{"GET", "/registers/models", all + " stranger limited", 200},
		{"GET", "/registers/behind?outlet=2", "owner administrator manager technician service_center stranger", 200},
		{"POST", "/registers/behind", "owner administrator manager technician service_center stranger limited", 200},
		{"GET", "/registers/import", "owner administrator manager stranger limited", 200},
		{"POST", "/registers/import", "owner administrator manager stranger limited", 422},
		{"GET", "/organization/contracts/1/signature", "owner administrator accountant service_center", 404},
		{"GET", "/organization/contracts/1/pdf", "owner administrator accountant service_center", 404},
		{"GET", "/registers/csv", all + " stranger limited", 200},
		{"GET", "/registers/xlsx?status=new", all + " stranger limited", 200},
		{"GET", "/outlets/csv", all + " stranger limited", 200},
		{"GET", "/applications/csv", "owner administrator accountant manager technician service_center stranger limited", 200},
		{"GET", "/people/csv", "owner administrator stranger", 200},
		{"GET", "/audit/xlsx", "owner administrator accountant stranger", 200},
	}
	for _, tt := range tests {
		for who, token := range people {
			status, body := h.as(token, tt.method, tt.path)
			in := strings.Contains(" "+tt.may+" ", " "+who+" ") && who != ""
			switch {
			case who == "" && status != http.StatusSeeOther:
				t.Errorf("%s %s answers nobody with %d, want 303", tt.method, tt.path, status)
			case who == "stranger" && status != tt.hidden:
				t.Errorf("%s %s answers another tenant with %d, want %d", tt.method, tt.path, status, tt.hidden)
			case who != "" && who != "stranger" && in != (status < 400 || status == 422):
				t.Errorf("%s %s answers %s with %d; may they: %v", tt.method, tt.path, who, status, in)
			}
			if (who == "stranger" || who == "limited") && (strings.Contains(body, "Тайная") || strings.Contains(body, "secret text")) {
				t.Errorf("%s %s tells %s what is another's", tt.method, tt.path, who)
			}
		}
	}
}

// token signs in and is what a browser would keep.
func (h *house) token(email string) string {
	h.Helper()
	token, _, err := h.access.SignIn(h.Context(), email, strong, access.Visit{Address: "192.0.2.7"})
	if err != nil {
		h.Fatal(err)
	}
	return token
}

// as asks with a session; "" is nobody's.
func (h *house) as(token, method, path string) (int, string) {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), method, h.URL+path, strings.NewReader(url.Values{}.Encode()))
	if err != nil {
		h.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if token != "" {
		r.AddCookie(&http.Cookie{Name: "ofd_session", Value: token})
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		h.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		h.Fatal(err)
	}
	return res.StatusCode, string(body)
}
