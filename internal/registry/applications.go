package registry

import (
	"context"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

var notYet = fiscal.Error{Of: fiscal.Unavailable, Field: "application"}

// DraftApplication begins an application, filled in with what is known.
func (o *Office) DraftApplication(ctx context.Context, a *access.Actor, r fiscal.RegisterID, k ApplicationKind) (Application, error) {
	return Application{}, &notYet
}

// SetApplication keeps a draft whatever is wrong with it, and names every field
// that is.
func (o *Office) SetApplication(ctx context.Context, a *access.Actor, id ApplicationID, f ApplicationForm) (Application, []FieldError, error) {
	return Application{}, nil, &notYet
}

// ApplicationContent words the bytes that are to be signed. FieldErrors while
// the control finds what keeps it from being signed.
func (o *Office) ApplicationContent(ctx context.Context, a *access.Actor, id ApplicationID) ([]byte, error) {
	return nil, &notYet
}

// SignApplication takes the signature of what ApplicationContent gave.
func (o *Office) SignApplication(ctx context.Context, a *access.Actor, id ApplicationID, file []byte) (Application, error) {
	return Application{}, &notYet
}

// ResendApplication makes a new draft of one that was refused.
func (o *Office) ResendApplication(ctx context.Context, a *access.Actor, id ApplicationID) (Application, error) {
	return Application{}, &notYet
}

// WithdrawApplication gives up a draft.
func (o *Office) WithdrawApplication(ctx context.Context, a *access.Actor, id ApplicationID) error {
	return &notYet
}

// Applications lists those that the actor sees and the query wants, the newest first.
func (o *Office) Applications(ctx context.Context, a *access.Actor, q ApplicationQuery) (ApplicationPage, error) {
	return ApplicationPage{}, &notYet
}

// Application is one of them with its bytes, and what became of it, newest last.
func (o *Office) Application(ctx context.Context, a *access.Actor, id ApplicationID) (Application, []ApplicationEvent, error) {
	return Application{}, nil, &notYet
}

// Models are the register of models of a country.
func Models(c fiscal.Country) []Model { return nil }

// SuggestModels are models whose name has a word that begins so.
func (o *Office) SuggestModels(c fiscal.Country, prefix string, limit int) []Model { return nil }
