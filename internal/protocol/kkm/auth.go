package kkm

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// nobody is compared with when the login is unknown, so that the time of the
// answer does not tell which logins exist. No password has this hash.
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$b3Blbm9mZG9wZW5vZmQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// auth judges COMMAND_AUTH: login and password of a cashier kept at the
// operator. It makes no session. A wrong pair is an answer, not a refusal.
// Source: KKM reference §5.9.
func (j *judgement) auth(a *kkmpb.AuthRequest) (fiscal.Decision, error) {
	if !j.s.Found.Asked {
		return fiscal.Decision{Needs: &fiscal.Needs{Cashier: a.GetLogin()}}, nil
	}
	c := j.s.Found.Cashier
	stored := nobody
	if c != nil {
		stored = c.Hash
	}
	if right := j.rules.CheckPassword(stored, a.GetPassword()); !right || c == nil {
		return j.reply(&kkmpb.Response{Auth: &kkmpb.AuthResponse{Result: kkmpb.AuthResponse_RESULT_TYPE_INVALID_LOGIN_PASSWORD.Enum()}})
	}
	ok := &kkmpb.AuthResponse{Result: kkmpb.AuthResponse_RESULT_TYPE_OK.Enum(), OperatorCode: &c.Code, OperatorName: &c.Name}
	for _, r := range c.Roles {
		ok.Roles = append(ok.Roles, kkmpb.UserRoleEnum(r))
	}
	return j.reply(&kkmpb.Response{Auth: ok})
}
