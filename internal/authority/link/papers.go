package link

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
)

// Papers hands over applications and asks what became of them. Its user words
// them.
type Papers struct {
	*Link
	Applications string // path: POST
	Decisions    string // path: GET ?after=&limit=
	Page         int    // decisions at a time, at most
}

// submitted answers an application.
type submitted struct {
	ID     string `json:"id"` // of the application; "" it does not say
	Number string `json:"number"`
}

// Submit hands over an application that is worded, and returns the number by
// which the authority knows it.
//
// Errors: *delivery.Rejected for what will never be taken; Unavailable.
func (p Papers) Submit(ctx context.Context, id string, application any) (number string, err error) {
	body, err := json.Marshal(application)
	if err != nil {
		return "", err
	}
	var a submitted
	err = p.Post(ctx, p.Applications, "application/json", id, body, &a)
	switch {
	case errors.Is(err, fiscal.Invalid):
		why := Detail(err)
		return "", &delivery.Rejected{Why: fiscal.Text{KK: why, RU: why, EN: why}}
	case err == nil && a.ID != "" && a.ID != id:
		err = p.Foreign("to application " + brief(a.ID))
	case err == nil && a.Number == "":
		err = p.Rubbish("no number of the application")
	}
	if err != nil {
		return "", fmt.Errorf("submit application %s: %w", id, err)
	}
	return a.Number, nil
}

// decisions is a page of them.
type decisions struct {
	Decisions []struct {
		ID                 string      `json:"id"`
		Number             string      `json:"number"`
		Granted            bool        `json:"granted"`
		RegistrationNumber string      `json:"registration_number"`
		Why                fiscal.Text `json:"why"`
		At                 time.Time   `json:"at"`
	} `json:"decisions"`
	Next string `json:"next"`
}

// DecisionsAfter asks for those behind a place, as delivery.Registrar says.
func (p Papers) DecisionsAfter(ctx context.Context, after string, limit int) (ds []delivery.Decision, next string, err error) {
	var all decisions
	err = p.Get(ctx, p.Decisions, PageOf(after, min(limit, p.Page)), &all)
	if err == nil && (len(all.Decisions) > p.Page || len(all.Decisions) > 0 && (all.Next == "" || all.Next == after)) {
		err = p.Rubbish("decisions that lead nowhere")
	}
	if err != nil {
		return nil, after, fmt.Errorf("ask for decisions: %w", err)
	}
	for i := range all.Decisions {
		d := &all.Decisions[i]
		if d.ID == "" || d.At.IsZero() {
			return nil, after, fmt.Errorf("ask for decisions: %w", p.Rubbish("a decision on nothing"))
		}
		ds = append(ds, delivery.Decision{
			ID: d.ID, Number: d.Number, Granted: d.Granted, RegistrationNumber: d.RegistrationNumber, Why: d.Why, At: d.At.UTC().Truncate(time.Microsecond),
		})
	}
	if all.Next == "" { // nothing yet: the place stays
		all.Next = after
	}
	return ds, all.Next, nil
}

// PageOf is what a page of something behind a place is asked with.
func PageOf(after string, limit int) url.Values {
	q := url.Values{"limit": {strconv.Itoa(max(limit, 1))}}
	if after != "" {
		q.Set("after", after)
	}
	return q
}
