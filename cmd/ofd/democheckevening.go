package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/authority/kgd"
	"openofd/internal/cabinet"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// evening is what becomes of the day at the authority. The check cannot wait for
// midnight, so the day is over when it says so.
func (w *newcomerWalk) evening() []walkStep {
	return []walkStep{
		{"Kazakhstan: other applications granted, refused, drafted", w.decided},
		{"Kazakhstan: every document delivered to the authority", w.delivered},
		{"Kazakhstan: day summed up, the authority counts the same", w.settled},
		{"Kazakhstan: an inspector states a ground and reads the receipt", w.inspected},
	}
}

// decided waits until the authority has decided on the sample applications.
func (w *newcomerWalk) decided() (string, error) {
	for {
		all, err := w.o.store.ApplicationsOf(w.ctx, registry.ApplicationScan{Limit: 100})
		if err != nil {
			return "", err
		}
		n := map[registry.ApplicationStatus]int{}
		for i := range all {
			n[all[i].Status]++
		}
		if n[registry.Sent]+n[registry.Waiting] == 0 {
			if w.past && (n[registry.Refused] != 1 || n[registry.Draft] != 1 || n[registry.Withdrawn] != 1) {
				return "", fmt.Errorf("applications are %v, want one refused, one draft, one withdrawn", n)
			}
			return fmt.Sprintf("%d applications, %d granted", len(all), n[registry.Granted]), nil
		}
		select {
		case <-w.ctx.Done():
			return "", fmt.Errorf("applications are %v still: %w", n, w.ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (w *newcomerWalk) delivered() (string, error) {
	if err := w.forwarded(delivery.IDOf(kgd.Name)); err != nil {
		return "", err
	}
	n, err := w.far.Documents(w.ctx, fiscal.Kazakhstan)
	return fmt.Sprintf("%d documents", n), err
}

// settled sends the summaries, compares today and the day before with what the
// authority counts, and has the authority compare them with its own.
func (w *newcomerWalk) settled() (string, error) {
	if err := w.forwarded(cabinet.FollowerID()); err != nil {
		return "", err
	}
	today := fiscal.WallIn(w.o.now(), almaty).Day()
	tomorrow := func() time.Time { return (today + 24*60*60).Instant(almaty).Add(4 * time.Hour) }
	ways, err := openForwarding(w.o.core, &w.settings.Serve, nil)
	if err != nil {
		return "", err
	}
	day, err := dayOf(kgd.Name)
	if err != nil {
		return "", err
	}
	sent, err := delivery.NewSummaries(day, w.o.store, ways.kgd, w.o.log, tomorrow).Round(w.ctx)
	if err != nil {
		return "", fmt.Errorf("send the summaries: %w", err)
	}
	r := delivery.NewReconciler(day, w.o.store, ways.kgd, ways.of(kgd.Name), w.o.log, tomorrow)
	var documents int64
	for _, d := range []fiscal.WallTime{today - 24*60*60, today} {
		one, err := r.Reconcile(w.ctx, d, "demo")
		if err != nil {
			return "", err
		}
		if one.Differences != 0 {
			return "", fmt.Errorf("%d registers differ from what the authority counts, first %+v", one.Differences, one.Found[0])
		}
		documents = one.Documents
		differ, err := w.far.Differences(w.ctx, d)
		if err != nil {
			return "", err
		}
		if len(differ) != 0 {
			return "", fmt.Errorf("the authority finds %d differences in the summaries, first %+v", len(differ), differ[0])
		}
	}
	if documents < int64(len(w.walk.sales)+len(w.sold)) {
		return "", errors.New("fewer documents were compared than were made")
	}
	return fmt.Sprintf("%d summaries, %d documents of today, no difference", sent, documents), nil
}

// inspected has an inspector of an invented authority sign in by password and
// certificate, state a ground and look at a receipt of the trader.
func (w *newcomerWalk) inspected() (string, error) {
	people, err := w.o.people()
	if err != nil {
		return "", err
	}
	email := fmt.Sprintf("inspector-%d@authority.example", w.o.now().UnixNano())
	who := access.NewUser{Email: email, Name: "Оспанов Ержан", Password: demoPassword, Language: "kk"}
	if _, err := people.AddInspector(w.ctx, who, access.Inspector{Authority: "Demo", IIN: "900101300007"}); err != nil {
		return "", err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	v := newcomerWalk{walk: w.walk, browser: &http.Client{Jar: jar}}
	page, err := v.post("/signin", url.Values{"email": {email}, "password": {demoPassword}})
	if err != nil {
		return "", err
	}
	challenge := regexp.MustCompile(`name="challenge" value="([^"]+)"`).FindStringSubmatch(page)
	if challenge == nil {
		return "", errors.New("the password leads to no question for a certificate")
	}
	if _, err := v.post("/signin/certificate/demo", url.Values{"challenge": {challenge[1]}}); err != nil {
		return "", err
	}
	day := fiscal.WallIn(w.o.now(), almaty).UTC().Format(time.DateOnly)
	ground := url.Values{"number": {"1-DEMO"}, "date": {day}, "reason": {"desk audit"}, "about": {"one"}, "subject": {string(w.xin)}}
	if _, err := v.post("/inspect/open", ground); err != nil {
		return "", err
	}
	slip := w.sold[0].slip
	found, err := v.read(fmt.Sprintf("/inspect?q=%d+%s", w.card.Register, slip.FiscalSign))
	if err != nil {
		return "", err
	}
	link := regexp.MustCompile(`/inspect/clients/\d+/documents/\d+/\d+`).FindString(found)
	if link == "" {
		return "", errors.New("the inspector does not find the receipt")
	}
	if page, err = v.read(link); err != nil {
		return "", err
	}
	if !strings.Contains(page, slip.FiscalSign) {
		return "", errors.New("the inspector's page does not show the fiscal sign")
	}
	return "receipt " + slip.FiscalSign, nil
}

// read gives a page.
func (w *newcomerWalk) read(path string) (string, error) {
	req, err := http.NewRequestWithContext(w.ctx, http.MethodGet, w.o.Site+path, nil)
	if err != nil {
		return "", err
	}
	return w.page(req)
}
