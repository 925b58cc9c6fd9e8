package capture

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// TestServicesAgainstZeek compares the service field with the real Zeek on the
// conversations of the shared traces, damaged and cut in many ways.
//
//	RANDOM_SEED=7 go test ./capture -run TestServicesAgainstZeek
//	SERVICE=smb,ldap RANDOM_COUNT=5000 ...   only conversations with such names
//	KEEP=dir ...                             writes a pcap of each that differs
func TestServicesAgainstZeek(t *testing.T) {
	testenv.Zeek(t)
	seed, err := strconv.ParseUint(os.Getenv("RANDOM_SEED"), 10, 64)
	if err != nil {
		seed = 1
	}
	count, err := strconv.Atoi(os.Getenv("RANDOM_COUNT"))
	if err != nil {
		count = 2000
	}
	groups := sharedConversations(t)
	if only := os.Getenv("SERVICE"); only != "" {
		maps.DeleteFunc(groups, func(name string, _ []conversation) bool {
			return !slices.ContainsFunc(strings.Split(only, ","), func(s string) bool { return strings.Contains(name, s) })
		})
	}
	names := slices.Sorted(maps.Keys(groups))
	require.NotEmpty(t, names)
	for _, g := range groups {
		slices.SortFunc(g, func(a, b conversation) int {
			return slices.CompareFunc(a.turns, b.turns, func(a, b turn) int { return bytes.Compare(a.data, b.data) })
		})
	}
	random := rand.New(rand.NewPCG(seed, 1))
	w := newWire()
	alone := map[string]*wire{}
	from := map[string]string{}
	for i := range count {
		list := groups[names[i%len(names)]]
		c := list[random.IntN(len(list))].damaged(random)
		one := newWire()
		key := c.write(random, i, w, one)
		alone[key], from[key] = one, c.group
	}
	got := servicesByClient(captureRows(t, w))
	differ := map[string]int{}
	n := 0
	for key, want := range servicesByClient(zeekRows(t, w)) {
		if got[key] == want {
			continue
		}
		n++
		differ[fmt.Sprintf("%s: expected %s, got %s", from[key], want, got[key])]++
		if dir := os.Getenv("KEEP"); dir != "" {
			name := strings.NewReplacer(",", "+", " ", "_", ":", "_").Replace(fmt.Sprintf("%s=%s=%s=%d.pcap", from[key], want, got[key], n))
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), alone[key].buf.Bytes(), 0o600))
		}
	}
	for _, d := range slices.SortedFunc(maps.Keys(differ), func(a, b string) int { return differ[b] - differ[a] }) {
		t.Logf("%4d  %s", differ[d], d)
	}
	require.Zero(t, n, "of %d conversations", count)
}

// servicesByClient are the services of all rows of a client, by its address.
func servicesByClient(rows []textRow) map[string]string {
	found := map[string]string{}
	for _, r := range rows {
		key := r[1]
		if strings.HasPrefix(key, "192.") {
			key = r[3]
		}
		if found[key] != "" {
			found[key] += " "
		}
		found[key] += r[serviceColumn]
	}
	return found
}

// damaged returns a variant of a conversation.
func (c conversation) damaged(r *rand.Rand) conversation {
	var turns []turn
	for _, s := range c.turns {
		turns = append(turns, turn{s.fromOrig, bytes.Clone(s.data)})
	}
	c.turns = turns
	for n := pick(r, 0, 0, 1, 1, 1, 2, 4); n > 0; n-- {
		c.damage(r)
	}
	if r.IntN(3) == 0 {
		c.recut(r)
	}
	if r.IntN(6) == 0 {
		c.port = uint16(pick(r, 9999, 40001, 80, 443, 53, 25, 445, 389))
	}
	return c
}

// early is an index that is often small.
func early(r *rand.Rand, n int) int { return r.IntN(r.IntN(r.IntN(n)+1) + 1) }

func (c *conversation) damage(r *rand.Rand) {
	if len(c.turns) == 0 {
		return
	}
	i := early(r, len(c.turns))
	s := &c.turns[i]
	at := 0
	if len(s.data) > 0 {
		at = early(r, len(s.data))
	}
	switch r.IntN(12) {
	case 0, 1, 2:
		if len(s.data) > 0 {
			s.data[at] ^= 1 << r.IntN(8)
		}
	case 3, 4:
		if len(s.data) > 0 {
			s.data[at] = pick(r, byte(0), 0xff, byte(r.IntN(256)), s.data[at]+1, s.data[at]-1, '\n')
		}
	case 5:
		s.data = s.data[:at]
	case 6:
		s.data = slices.Delete(s.data, at, min(at+1+r.IntN(4), len(s.data)))
	case 7:
		s.data = slices.Insert(s.data, at, []byte("\x00\x01\r\nA\xff")[:1+r.IntN(6)]...)
	case 8:
		c.turns = slices.Insert(c.turns, i, turn{s.fromOrig, bytes.Clone(s.data)})
	case 9:
		c.turns = slices.Delete(c.turns, i, i+1)
	case 10:
		j := min(i+1, len(c.turns)-1)
		c.turns[i], c.turns[j] = c.turns[j], c.turns[i]
	case 11:
		if r.IntN(2) == 0 {
			c.turns = c.turns[:i+1]
		} else {
			s.fromOrig = !s.fromOrig
		}
	}
}

// recut puts the same bytes in other segments.
func (c *conversation) recut(r *rand.Rand) {
	var turns []turn
	most := pick(r, 1, 3, 20, 500)
	for _, s := range c.turns {
		last := len(turns) - 1
		if c.tcp && r.IntN(3) == 0 && last >= 0 && turns[last].fromOrig == s.fromOrig && len(turns[last].data)+len(s.data) < 60000 {
			turns[last].data = append(turns[last].data, s.data...)
			continue
		}
		for r.IntN(4) != 0 && len(s.data) > 1 && len(turns) < 150 {
			n := 1 + r.IntN(min(most, len(s.data)-1))
			turns = append(turns, turn{s.fromOrig, s.data[:n:n]})
			s.data = s.data[n:]
		}
		turns = append(turns, s)
	}
	c.turns = turns
}

// write puts the conversation on the wires, as the n-th, and returns the
// client's address.
func (c *conversation) write(r *rand.Rand, n int, wires ...*wire) string {
	addr := fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255)
	from, to := addr+":40000", fmt.Sprintf("192.0.2.9:%d", c.port)
	at := float64(n) * 0.02
	if !c.tcp {
		for _, s := range c.turns {
			at += 0.0005
			d := dgram{at: at, from: from, to: to, data: string(s.data)}
			if !s.fromOrig {
				d.from, d.to = to, from
			}
			for _, w := range wires {
				w.udp(d)
			}
		}
		return addr
	}
	next := [2]uint32{1000, 5000}
	send := func(side int, flags, data string) {
		at += 0.0005
		s := seg{at: at, flags: flags, seq: next[side], ack: next[1-side], data: data, from: from, to: to}
		if side == 1 {
			s.flags = "<" + flags
		}
		for _, w := range wires {
			w.tcp(s)
		}
		next[side] += uint32(len(data))
		if strings.ContainsAny(flags, "SF") {
			next[side]++
		}
	}
	if r.IntN(12) > 0 { // else it began before the capture
		send(0, "S", "")
		send(1, "SA", "")
		send(0, "A", "")
	}
	lose := -1
	if r.IntN(8) == 0 && len(c.turns) > 1 {
		lose = early(r, len(c.turns))
	}
	for i, s := range c.turns {
		side := 0
		if !s.fromOrig {
			side = 1
		}
		if i == lose {
			next[side] += uint32(len(s.data))
			continue
		}
		if len(s.data) > 0 {
			send(side, "PA", string(s.data))
		}
	}
	switch r.IntN(4) {
	case 0:
		send(0, "FA", "")
		send(1, "FA", "")
		send(0, "A", "")
	case 1:
		send(1, "FA", "")
		send(0, "A", "")
	case 2:
		send(r.IntN(2), "RA", "")
	}
	return addr
}
