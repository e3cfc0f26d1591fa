package access

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"openofd/internal/fiscal"
)

// Record is one line of the journal of what people did. Records of one
// organization form a chain; so do those that belong to none. They are appended
// in the same transaction as what they tell of and never change.
type Record struct {
	Taxpayer fiscal.TaxpayerID `json:"taxpayer,omitempty"` // 0: of no organization
	Seq      uint64            `json:"seq"`                // from 1, gapless in its chain
	At       time.Time         `json:"at"`                 // microseconds
	User     UserID            `json:"user,omitempty"`     // 0: nobody who is known
	Who      string            `json:"who"`                // address of the person then, or what acted
	Address  string            `json:"address,omitempty"`  // where they were
	Act      Act               `json:"act"`
	Object   string            `json:"object,omitempty"` // what it was done to: a number or a name
	Detail   string            `json:"detail,omitempty"` // what changed; never a secret
	Prev     [32]byte          `json:"-"`
	Hash     [32]byte          `json:"-"`
}

// Act names what was done, for the records and the words of locales.
type Act string

// The acts of people in this package; other packages have theirs.
const (
	ActSignedUp        Act = "signed_up"
	ActSignedIn        Act = "signed_in"
	ActSignInFailed    Act = "sign_in_failed"
	ActLocked          Act = "locked"
	ActSignedOut       Act = "signed_out"
	ActSessionEnded    Act = "session_ended"
	ActPasswordChanged Act = "password_changed"
	ActPasswordReset   Act = "password_reset"
	ActTOTPOn          Act = "totp_on"
	ActTOTPOff         Act = "totp_off"
	ActRecoveryUsed    Act = "recovery_used"
	ActInvited         Act = "invited"
	ActInvitationEnded Act = "invitation_ended"
	ActJoined          Act = "joined"
	ActRoleChanged     Act = "role_changed"
	ActRemoved         Act = "removed"
	ActFounded         Act = "founded"
	ActLooked          Act = "looked"
	ActSearched        Act = "searched"
	ActPasskeyAdded    Act = "passkey_added"
	ActPasskeyRemoved  Act = "passkey_removed"
	ActPasskeyCloned   Act = "passkey_cloned"
	ActUserAdded       Act = "user_added"
	ActUserDisabled    Act = "user_disabled"
	ActUserEnabled     Act = "user_enabled"
	ActPasswordSet     Act = "password_set" // by the operator
	ActStaffOn         Act = "staff_on"
	ActStaffOff        Act = "staff_off"
	ActBlocked         Act = "register_blocked"
	ActUnblocked       Act = "register_unblocked"
	ActKeyMade         Act = "key_made"
	ActKeyEnded        Act = "key_ended"
	ActCompared        Act = "day_compared" // with what an authority counts
	ActSentAgain       Act = "document_sent_again"
	ActSummaryAgain    Act = "summary_sent_again"
	ActRetired         Act = "retired" // months that need no longer be kept
	ActBooksCompared   Act = "books_compared"
)

// Acts lists them, for the tests of the locales.
func Acts() []Act {
	return []Act{ActSignedUp, ActSignedIn, ActSignInFailed, ActLocked, ActSignedOut, ActSessionEnded, ActPasswordChanged, ActPasswordReset,
		ActTOTPOn, ActTOTPOff, ActRecoveryUsed, ActInvited, ActInvitationEnded, ActJoined, ActRoleChanged, ActRemoved, ActFounded, ActLooked,
		ActSearched, ActPasskeyAdded, ActPasskeyRemoved, ActPasskeyCloned, ActUserAdded, ActUserDisabled, ActUserEnabled, ActPasswordSet, ActStaffOn, ActStaffOff, ActBlocked, ActUnblocked, ActKeyMade, ActKeyEnded, ActCompared, ActSentAgain, ActSummaryAgain, ActBooksCompared,
		ActInspectorAdded, ActInspectionOpened, ActInspectionClosed, ActInspected, ActInspectedFile, ActInspectedSearch}
}

const auditLayout = 1

// Seal puts a record behind the last of its chain, whose number and hash are
// told; zero for the first.
func (r *Record) Seal(last uint64, hash [32]byte) {
	r.Seq, r.Prev = last+1, hash
	r.At = r.At.UTC().Truncate(time.Microsecond)
	r.Hash = r.digest()
}

// digest covers everything but itself.
//
//	layout 1 byte, previous hash 32, taxpayer 8, seq 8, instant in microseconds
//	since 1970 8, user 8; then who, address, act, object, detail, each behind its
//	length of 4 bytes; big-endian. SHA-256.
func (r *Record) digest() [32]byte {
	b := append([]byte{auditLayout}, r.Prev[:]...)
	for _, v := range [...]uint64{uint64(r.Taxpayer), r.Seq, uint64(r.At.UnixMicro()), uint64(r.User)} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	for _, s := range [...]string{r.Who, r.Address, string(r.Act), r.Object, r.Detail} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return sha256.Sum256(b)
}

// VerifyChain holds records of one chain, in ascending order and without gaps,
// against their hashes. Corrupt names the first that does not fit.
func VerifyChain(all []Record) error {
	for i := range all {
		r := &all[i]
		if r.digest() != r.Hash || i > 0 && (r.Seq != all[i-1].Seq+1 || r.Prev != all[i-1].Hash) || r.Seq == 1 && r.Prev != [32]byte{} {
			return &fiscal.Error{Of: fiscal.Corrupt, Field: "audit", Msg: fmt.Sprintf("record %d of taxpayer %d was changed, or one before it is gone", r.Seq, r.Taxpayer)}
		}
	}
	return nil
}

// Known reports whether an act is of this package.
func (a Act) Known() bool { return slices.Contains(Acts(), a) }
