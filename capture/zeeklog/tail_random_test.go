package zeeklog

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTailAnyOrder lets writer, archiver and follower do one of their things
// after the other, in any order: nothing is lost, nothing comes twice.
func TestTailAnyOrder(t *testing.T) {
	seeds := 600
	if testing.Short() {
		seeds = 60
	}
	for seed := range seeds {
		w := writings[seed%len(writings)]
		t.Run(fmt.Sprintf("%d %s", seed, w.name), func(t *testing.T) { anyOrder(t, w, uint64(seed)) })
	}
}

func anyOrder(t *testing.T, w writing, seed uint64) {
	s, r := newScene(t, w), rand.New(rand.NewPCG(seed, 1))
	s.write(1 + r.IntN(50))
	s.start(nil)
	s.look(1)
	var plain, twins []string // rotated files, and those that are there compressed, too
	latest := ""              // to which the writer may still write
	var did []string
	next := func(dir string) string { return fmt.Sprintf("%s/conn-%03d.log", dir, len(did)) }
	exists := func() bool { _, err := os.Stat(s.path(theLog)); return err == nil }
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(strings.Join(did, "\n"))
		}
	})
	for range 40 {
		did = append(did, "")
		what := ""
		switch n := r.IntN(16); {
		case n < 4:
			what = "write"
			if info, err := os.Stat(s.path(theLog)); err == nil && info.Size() == 0 && r.IntN(2) == 0 {
				what = "write without header"
				s.add(theLog, s.more(1+r.IntN(9)))
			} else {
				s.write(1 + r.IntN(9))
			}
		case n < 6 && exists():
			latest = next("current")
			what = "rename to " + latest
			s.rename(theLog, latest)
			plain = append(plain, latest)
		case n < 8 && exists():
			to := next("current")
			what = "copy to " + to
			s.put(to, s.read(theLog))
			s.empty(theLog)
			plain = append(plain, to)
		case n == 8 && len(plain) > 0:
			i := r.IntN(len(plain))
			what = "compress " + plain[i]
			if plain[i] == latest {
				latest = ""
			}
			s.compress(plain[i], []string{".gz", ".zst"}[r.IntN(2)], 100)
			twins = append(twins, plain[i])
			plain = append(plain[:i], plain[i+1:]...)
		case n == 9 && len(twins) > 0:
			what = "remove " + twins[0]
			s.remove(twins[0])
			twins = twins[1:]
		case n == 10 && len(plain) > 0:
			i := r.IntN(len(plain))
			to := next("2026-11-20")
			what = "move " + plain[i] + " to " + to
			s.rename(plain[i], to)
			if plain[i] == latest {
				latest = to
			}
			plain[i] = to
		case n == 11 && latest != "":
			what = "write late"
			s.add(latest, s.more(1))
		case n < 13:
			what = "look"
			s.look(1)
		case n == 13:
			what = "look more"
			s.look(3)
		case n == 14:
			what = "restart"
			s.start(s.stop())
		}
		did[len(did)-1] = what
	}
	s.look(archiveLooks + 1)
	s.start(s.stop())
	s.look(archiveLooks + 1)
	defer s.tail.Close()
	s.judge(0, false)
	require.Zero(t, s.bad)
	require.Empty(t, s.warned)
}
