package room

import (
	"regexp"
	"testing"

	"openofd/internal/access"
	"openofd/internal/registry"
	"openofd/internal/web/ui"
)

// TestRecordsAreWorded: what the journal keeps in words of its own is told in
// the reader's language, and what it keeps of people as it stands.
func TestRecordsAreWorded(t *testing.T) {
	all, err := ui.LoadLocales()
	if err != nil {
		t.Fatal(err)
	}
	ru := all["ru"]
	for _, tt := range []struct {
		act         access.Act
		who, detail string
		actor, want string
	}{
		{access.ActInvited, "a@b.kz", "manager, outlets [1 2]", "a@b.kz", "Управляющий точкой, только точки № 1, 2"},
		{access.ActRoleChanged, "command line", "manager → manager, outlets [1 2]", "оператор", "Управляющий точкой → Управляющий точкой, только точки № 1, 2"},
		{access.ActJoined, "a@b.kz", "service_center", "a@b.kz", "Сервисный центр"},
		{access.ActSignedIn, "a@b.kz", "password", "a@b.kz", "по паролю"},
		{access.ActSignInFailed, "a@b.kz", "3", "a@b.kz", "3 попытки подряд"},
		{access.ActSessionEnded, "a@b.kz", "2", "a@b.kz", "2 сеанса"},
		{access.ActSignedOut, "a@b.kz", "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0", "a@b.kz", "Chrome, Windows"},
		{access.ActKeyMade, "a@b.kz", "1C: склад: see_status", "a@b.kz", "1C: склад: Видеть состояние касс"},
		{access.ActKeyEnded, "a@b.kz (key 7)", "1C", "a@b.kz, ключ API № 7", "1C"},
		{registry.ActApplicationDrafted, "a@b.kz", "again 12", "a@b.kz", "вместо заявления № 12"},
		{registry.ActApplicationDrafted, "a@b.kz", "register 200773", "a@b.kz", ru.T("application.kind.register") + ", касса № 200773"},
		{access.ActLooked, "staff@ofd.kz", "обращение 17", "staff@ofd.kz", "обращение 17"},
		{access.ActInvited, "a@b.kz", "something, else", "a@b.kz", "something, else"},
	} {
		r := access.Record{Act: tt.act, Who: tt.who, Detail: tt.detail}
		if actor, got := who(ru, r.Who), told(ru, &r); actor != tt.actor || got != tt.want {
			t.Errorf("%s %q by %q = %q by %q, want %q by %q", tt.act, tt.detail, tt.who, got, actor, tt.want, tt.actor)
		}
	}
	english := regexp.MustCompile(`[a-z]{4,}`)
	for _, role := range access.Roles() {
		r := access.Record{Act: access.ActRoleChanged, Detail: string(role) + " → " + string(role) + ", outlets [3]"}
		for _, lang := range []string{"kk", "ru"} {
			if got := told(all[lang], &r); english.MatchString(got) {
				t.Errorf("%s tells %q as %q", lang, r.Detail, got)
			}
		}
	}
}
