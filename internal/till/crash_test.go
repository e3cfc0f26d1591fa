package till_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/till"
)

// What a killed process was told by its environment.
const (
	crashPath   = "TILL_CRASH_PATH"
	crashAddr   = "TILL_CRASH_OPERATOR"
	crashSecret = "TILL_CRASH_SECRET"
	crashID     = "TILL_CRASH_REGISTER"
	crashFirst  = "TILL_CRASH_FIRST"
)

// TestCrashChild is the process that is killed: it sells until then, and prints
// what a printer would have printed. Alone it is no test.
func TestCrashChild(t *testing.T) {
	path := os.Getenv(crashPath)
	if path == "" {
		t.Skip("TestCrash starts it")
	}
	id, _ := strconv.ParseInt(os.Getenv(crashID), 10, 64)
	first, _ := strconv.Atoi(os.Getenv(crashFirst))
	s := &shop{t: t, operator: &operator{addr: os.Getenv(crashAddr)}, letters: letters{}, cut: new(atomic.Bool), ahead: new(atomic.Int64), path: path, secret: os.Getenv(crashSecret), id: fiscal.RegisterID(id)}
	s.open()
	for n := first; ; n++ {
		if n%7 == 6 { // some are made without the operator
			s.cut.Store(true)
		}
		d, err := s.Form(t.Context(), s.seat(), s.id, cash(fmt.Sprint(n), 1_00), false)
		s.cut.Store(false)
		if err != nil {
			fmt.Printf("error %d %v\n", n, err)
			os.Exit(1)
		}
		fmt.Printf("printed %d %d %d\n", n, d.ID, d.Number)
	}
}

// TestCrash kills a till that sells with SIGKILL at random moments and starts it
// again. Its devices ask once more for the draft that was under way. In the end
// every document that was printed is in the history once, with the number that
// was printed, and at the operator once.
//
// Req: E-014, E-015, E-115, P-006, P-010
func TestCrash(t *testing.T) {
	s := openShop(t)
	if err := s.Close(); err != nil { // the child has the file now
		t.Fatal(err)
	}
	kills := 6
	if n, err := strconv.Atoi(os.Getenv("OFD_FAULTS")); err == nil {
		kills = n
	}
	printed := map[int][2]uint64{} // draft to document and number
	next := 0
	for range kills {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$", "-test.count=1") //nolint:gosec // ourselves
		child.Env = append(os.Environ(), crashPath+"="+s.path, crashAddr+"="+s.operator.addr, crashSecret+"="+s.secret,
			crashID+"="+strconv.FormatInt(int64(s.id), 10), crashFirst+"="+strconv.Itoa(next))
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		kill := time.AfterFunc(time.Hour, func() {})
		for lines.Scan() {
			var n int
			var id, number uint64
			if strings.HasPrefix(lines.Text(), "error ") {
				t.Fatal(lines.Text())
			}
			if _, err := fmt.Sscanf(lines.Text(), "printed %d %d %d", &n, &id, &number); err != nil {
				continue
			}
			if old, ok := printed[n]; ok && old != [2]uint64{id, number} {
				t.Errorf("draft %d was printed as %v and as %v", n, old, [2]uint64{id, number})
			}
			if len(printed) == next && kill.Stop() { // it sells: its time runs from here
				kill = time.AfterFunc(time.Duration(5+rand.IntN(400))*time.Millisecond, func() { _ = child.Process.Kill() })
			}
			printed[n] = [2]uint64{id, number}
		}
		kill.Stop()
		_ = child.Wait()    // killed
		next = len(printed) // the first that nobody printed, which may have been made
	}
	s.open()
	all := map[string]till.Document{}
	eventually(t, "what waits is delivered", func() bool {
		st, err := s.Standing(t.Context(), s.seat(), s.id)
		return err == nil && st.Waiting == 0
	})
	for q := (till.HistoryQuery{Limit: 100}); ; {
		page, more, err := s.History(t.Context(), s.seat(), s.id, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page {
			if _, twice := all[d.Draft]; twice {
				t.Errorf("draft %s is in the history twice", d.Draft)
			}
			all[d.Draft] = d
			q.Before = d.ID
		}
		if !more {
			break
		}
	}
	for n, was := range printed {
		if d, ok := all[strconv.Itoa(n)]; !ok || uint64(d.ID) != was[0] || d.Number != was[1] || d.Fate != till.Accepted && d.Fate != till.Delivered {
			t.Errorf("draft %d was printed as document %d, number %d; the history has %d, number %d, %s", n, was[0], was[1], d.ID, d.Number, d.Fate)
		}
	}
	l, err := s.operator.registry.Show(t.Context(), s.id)
	if err != nil {
		t.Fatal(err)
	}
	if got := uint64(l.State.LastNumber) - 2; got != uint64(len(all)) || l.State.Counters.Cash != fiscal.Money(len(all))*1_00 {
		t.Errorf("the operator has %d documents and %v in the drawer, the history %d", got, l.State.Counters.Cash, len(all))
	}
	if len(printed) < kills {
		t.Errorf("only %d receipts were printed: that was no load", len(printed))
	}
	t.Logf("%d kills, %d printed, %d made", kills, len(printed), len(all))
}
