package service

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// TestDetectionsAgainstZeek runs the real Zeek over the tables.
func TestDetectionsAgainstZeek(t *testing.T) {
	testenv.Zeek(t)
	all := allDetections()
	got := zeekServices(t, all)
	for i, d := range all {
		assert.Equal(t, got[i], d.want, "%s, on port %d", d.name, d.port)
	}
}

// TestDamagedDetectionsAgainstZeek does so for what is left of the tables'
// conversations when some bytes have changed or gone.
//
//	RANDOM_SEED=7 RANDOM_COUNT=5000 SERVICE=ldap go test ./capture/service -run TestDamaged
func TestDamagedDetectionsAgainstZeek(t *testing.T) {
	testenv.Zeek(t)
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return n
		}
		return otherwise
	}
	r := rand.New(rand.NewPCG(uint64(number("RANDOM_SEED", 1)), 2))
	tables := allDetections()
	if only := os.Getenv("SERVICE"); only != "" {
		tables = slices.DeleteFunc(tables, func(d detection) bool { return !strings.Contains(d.want, only) })
	}
	var all []detection
	for range number("RANDOM_COUNT", 1000) {
		d := tables[r.IntN(len(tables))]
		d.turns = slices.Clone(d.turns)
		if d.damage != nil && r.IntN(2) == 0 {
			d.turns = d.damage(r)
		} else {
			for range 1 + r.IntN(3) {
				d.hurt(r)
			}
		}
		if !d.udp && r.IntN(3) == 0 {
			d.turns = recut(d.turns, func() int { return 1 + r.IntN(60) })
		}
		closed := map[bool]bool{}
		d.turns = slices.DeleteFunc(d.turns, func(t turn) bool {
			over := closed[t.fromOrig]
			closed[t.fromOrig] = over || t.fin
			return over || t.data == "" && t.gap == 0 && !t.fin && !d.udp
		})
		all = append(all, d)
	}
	differ := map[string]int{}
	for i, want := range zeekServices(t, all) {
		d := &all[i]
		if got := detect(d, d.turns); got != want {
			differ[fmt.Sprintf("%q: Zeek %q, here %q", d.name, want, got)]++
			if os.Getenv("SHOW") != "" {
				t.Logf("%s\nZeek %q, here %q\n%+v", d.name, want, got, d.turns)
			}
		}
	}
	for _, line := range slices.Sorted(maps.Keys(differ)) {
		t.Logf("%4d %s", differ[line], line)
	}
	require.Empty(t, differ, "of %d", len(all))
}

// hurt changes something, mostly near the beginning.
func (d *detection) hurt(r *rand.Rand) {
	if len(d.turns) == 0 {
		return
	}
	early := func(n int) int { return r.IntN(r.IntN(n) + 1) }
	i := r.IntN(len(d.turns))
	s := &d.turns[i]
	b := []byte(s.data)
	at := 0
	if len(b) > 0 {
		at = early(len(b))
	}
	switch n := r.IntN(12); {
	case n < 5 && len(b) > 0:
		b[at] = []byte{b[at] ^ 1<<r.IntN(8), b[at] + 1, b[at] - 1, 0, 0xff, byte(r.Uint32())}[r.IntN(6)]
	case n == 5:
		b = b[:at]
	case n == 6 && len(b) > 0:
		b = slices.Delete(b, at, min(len(b), at+1+r.IntN(4)))
	case n == 7:
		b = slices.Insert(b, at, make([]byte, 1+r.IntN(4))...)
	case n == 8 && len(b) > 0 && !d.udp: // some of it is lost
		size := 1 + r.IntN(len(b)-at)
		d.turns = slices.Replace(d.turns, i, i+1, turn{fromOrig: s.fromOrig, data: string(b[:at])},
			gap(s.fromOrig, size), turn{fromOrig: s.fromOrig, data: string(b[at+size:])})
		return
	case n == 9:
		d.turns = slices.Insert(d.turns, i, *s)
		return
	case n == 10:
		d.turns = slices.Delete(d.turns, i, i+1)
		return
	case n == 11:
		j := r.IntN(len(d.turns))
		d.turns[i], d.turns[j] = d.turns[j], d.turns[i]
		return
	}
	s.data = string(b)
}

// zeekServices runs the real Zeek over conversations.
func zeekServices(t *testing.T, all []detection) []string {
	dir := t.TempDir()
	var capture bytes.Buffer
	capture.Write([]byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0})
	for i := range all {
		all[i].write(&capture, i)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x.pcap"), capture.Bytes(), 0o600))
	cmd := exec.Command(testenv.Zeek(t), "-C", "-r", "x.pcap", "LogAscii::use_json=F")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	log, err := os.ReadFile(filepath.Join(dir, "conn.log"))
	require.NoError(t, err)
	found := map[string]string{}
	for line := range strings.Lines(string(log)) {
		if cells := strings.Split(line, "\t"); cells[0][0] != '#' {
			client := cells[2]
			if strings.HasPrefix(client, "192.") { // roles changed
				client = cells[4]
			}
			found[client] = strings.TrimPrefix(cells[7], "-")
		}
	}
	services := make([]string, len(all))
	for i := range all {
		services[i] = found[caseAddr(i)]
	}
	return services
}

func caseAddr(i int) string { return fmt.Sprintf("10.%d.%d.%d", 1+i>>16, i>>8&255, i&255) }
