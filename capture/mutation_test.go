package capture

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
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
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// TestMutatedTracesAgainstZeek compares with the real Zeek on the shared
// traces, changed in many ways: packets lost, late, cut, altered, tunnelled ...
// Many such captures are read in one run, days apart.
//
//	RANDOM_SEED=7 RANDOM_COUNT=4000 go test ./capture -run TestMutatedTraces -v
//	TRACES=dir ...     the captures of that folder instead
//	TRACE=smb ...      only traces whose names contain that
//	MUTATION=flags ... only that mutation
//	ALONE=1 ...        one capture in each run, so that the end of files is tried too
//	KEEP=dir ...       writes a pcap of each that differs
func TestMutatedTracesAgainstZeek(t *testing.T) {
	testenv.Zeek(t)
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return n
		}
		return otherwise
	}
	seed, count, each := number("RANDOM_SEED", 1), number("RANDOM_COUNT", 240), 60
	if os.Getenv("ALONE") != "" {
		each = 1
	}
	byLink := map[linkType][]trace{}
	var all []trace
	for _, x := range sharedTraces(t) {
		byLink[x.link] = append(byLink[x.link], x)
		if strings.Contains(x.name, os.Getenv("TRACE")) {
			all = append(all, x)
		}
	}
	require.NotEmpty(t, all)
	differ := map[string][]string{}
	rows, wrong, moved := 0, 0, 0
	for batch := 0; batch*each < count; batch++ {
		r := rand.New(rand.NewPCG(uint64(seed), uint64(batch)))
		link := all[r.IntN(len(all))].link
		var candidates []trace
		for _, x := range all {
			if x.link == link {
				candidates = append(candidates, x)
			}
		}
		var cases []*mutant
		for range each {
			m := &mutant{Rand: r, trace: candidates[r.IntN(len(candidates))], others: byLink[link]}
			m.packets = m.window(m.packets)
			if only := os.Getenv("MUTATION"); only != "" {
				i := slices.IndexFunc(mutations, func(x struct {
					name  string
					apply func(*mutant)
				}) bool {
					return x.name == only
				})
				mutations[i].apply(m)
			} else {
				m.mutate()
			}
			cases = append(cases, m)
		}
		o, args := Options{}, []string{}
		if batch%2 == 1 {
			o, args = Options{IgnoreChecksums: true}, []string{"-C"}
		}
		w := writeCases(link, cases...)
		want, got := byCase(zeekRows(t, w, args...)), byCase(wireRows(t, w, o))
		for i, m := range cases {
			rows += len(want[i])
			if slices.Equal(want[i], got[i]) {
				continue
			}
			about := fmt.Sprintf("seed %d, batch %d, case %d: %s, %s, %v", seed, batch, i, m.name, strings.Join(m.done, " + "), args)
			d := compareRows(want[i], got[i])
			if len(d.fields) == 0 {
				moved++
				continue
			}
			wrong++
			what := strings.Join(slices.Sorted(maps.Keys(d.fields)), " ")
			differ[what] = append(differ[what], about+"\n\t\t"+strings.Join(d.examples[:min(len(d.examples), 3)], "\n\t\t"))
			if dir := os.Getenv("KEEP"); dir != "" {
				name := fmt.Sprintf("%d-%d-%d-%s%s.pcap", seed, batch, i, filepath.Base(m.name), strings.Join(args, ""))
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), writeCases(link, m).buf.Bytes(), 0o600))
			}
		}
	}
	for _, what := range slices.Sorted(maps.Keys(differ)) {
		list := differ[what]
		t.Logf("%4d  %s\n\t%s", len(list), what, strings.Join(list[:min(len(list), number("PARITY_SHOW", 5))], "\n\t"))
	}
	t.Logf("%d rows; captures that differ: %d of %d, and %d only in order", rows, wrong, count, moved)
	require.Zero(t, wrong)
}

// window is a part of a long trace.
func (m *mutant) window(all []tracePacket) []tracePacket {
	const most = 250
	at := 0
	if len(all) > most && m.IntN(2) == 0 {
		at = m.IntN(len(all) - most)
	}
	return slices.Clone(all[at:min(len(all), at+most)])
}

// caseEvery is how far apart captures begin: nothing that Zeek remembers of one
// is left then.
const caseEvery = 2 * 24 * hour

// writeCases puts captures behind each other, each followed by frames of junk
// that run whatever timers it left.
func writeCases(link linkType, cases ...*mutant) *wire {
	w := new(wire)
	b := pcapFileHeader(link)
	for i, m := range cases {
		begin := conn.Micros(epoch*second) + conn.Micros(i)*caseEvery
		for _, p := range m.packets {
			if len(p.data) > 0 && p.at > -10*hour && p.at < 20*hour {
				b = appendRecord(b, begin+p.at, p.wire, p.data)
			}
		}
		if len(cases) > 1 {
			for j := range 40 {
				b = appendRecord(b, begin+caseEvery-12*hour+conn.Micros(j)*second, 1, []byte{0})
			}
		}
	}
	w.buf.Write(b)
	return w
}

func byCase(rows []textRow) map[int][]textRow {
	cases := map[int][]textRow{}
	for _, r := range rows {
		ts, _ := strconv.ParseInt(r[0], 10, 64)
		i := int((conn.Micros(ts) - epoch*second + 11*hour) / caseEvery)
		cases[i] = append(cases[i], r)
	}
	return cases
}

func wireRows(t *testing.T, w *wire, o Options) []textRow {
	rows := w.rows(t, o)
	var text []textRow
	var uids []string
	for i := range rows {
		text, uids = append(text, textOf(&rows[i])), append(uids, rows[i].UID)
	}
	resolveParents(text, uids)
	return text
}

// sharedTraces are the shared captures of one link and not too long.
func sharedTraces(t *testing.T) (all []trace) {
	folders := []string{os.Getenv("TRACES")}
	if folders[0] == "" {
		folders = nil
		for _, folder := range []string{"zeek-traces", "ndpi-traces", "handmade-traces"} {
			folders = append(folders, testenv.Shared(t, folder, "pcaps"))
		}
	}
	for _, pcaps := range folders {
		require.NoError(t, filepath.WalkDir(pcaps, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			file, err := openPcap(bufio.NewReader(f), new(Stats))
			if err != nil {
				return nil
			}
			x := trace{name: strings.TrimPrefix(path, filepath.Dir(filepath.Dir(pcaps))+"/")}
			var fr frame
			var first conn.Micros
			for file.next(&fr) == nil && len(x.packets) < 3000 {
				if len(x.packets) == 0 {
					x.link, first = fr.link, fr.time
				}
				if fr.link != x.link || fr.bigEndian && fr.link != linkEthernet {
					continue
				}
				x.packets = append(x.packets, tracePacket{fr.time - first, fr.wireLen, slices.Clone(fr.data)})
			}
			if len(x.packets) > 0 {
				all = append(all, x)
			}
			return nil
		}))
	}
	return all
}

// TestMutatedTracesAreRead needs no Zeek: no packet may make a decoder panic,
// and reading again gives the same rows.
func TestMutatedTracesAreRead(t *testing.T) {
	all := sharedTraces(t)
	r := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		m := &mutant{Rand: r, trace: all[r.IntN(len(all))]}
		for _, x := range all {
			if x.link == m.link {
				m.others = append(m.others, x)
			}
		}
		m.packets = m.window(m.packets)
		m.mutate()
		w := writeCases(m.link, m)
		reader, err := NewReader(bytes.NewReader(w.buf.Bytes()), Options{})
		require.NoError(t, err)
		var row conn.Conn
		var rows []textRow
		for reader.Read(&row) == nil {
			rows = append(rows, textOf(&row))
		}
		require.Zero(t, reader.Stats().Panics, "%s, %v", m.name, m.done)
		require.Len(t, w.rows(t, Options{}), len(rows), "%s, %v", m.name, m.done)
	}
}
