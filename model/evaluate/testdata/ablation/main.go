// Command ablation measures what each feature is worth: it leaves out each of
// the seventeen in turn, and adds candidates that the schema does not have.
//
//	go run ./model/evaluate/testdata/ablation ../shared/datasets/zeek-labelled [PART]
//	go run ./model/evaluate/testdata/ablation -forests ../shared/datasets [PART]
//
// With -forests it is how the trees are grown that is varied: forests.go.
//
// Two tables come out. "choosing": trained on the ordinary rows of the first
// half of ctu-mixed-008, in time, against the second half's external attacks
// and the shapes of zeek-iforest drill. "reporting": trained on all ordinary
// rows of 008, against ctu-mixed-010's attacks and nmap-port-scan-002; nothing
// is chosen on these. Columns: share found at 1 % and at 0.1 % false alarms,
// means over the seeds. Sampling, trees and subsample are the product's.
package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"maps"
	"math"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
)

const seeds = 10

// numbers is how many features conn.log has.
const numbers = 21

// Columns after these.
const (
	hourSin = numbers + iota
	hourCos
	pairSeen                       // ln(1 + connections of this originator to this responder before)
	portSeen                       // ln(1 + connections of this originator to this responder and port before)
	regularity                     // |ln(gap / gap before)| of the same three; 6 where there are fewer than three
	bytesRatio                     // ln of orig_ip_bytes + 1 over resp_ip_bytes + 1
	serviceOfPort                  // −ln p(service | proto, responder port)
	stateOfService                 // −ln p(conn_state | service)
	combination                    // −ln p(proto, service, conn_state)
	historyRarity                  // −ln p(history)
	perPacket                      // ln of payload bytes a packet + 1
	whoSent                        // −ln p(proto, service, conn_state, which of the two sent payload)
	silentShare                    // share of the originator's last five minutes without payload
	portsOfOne                     // ln(1 + most ports of one responder that the originator asked in five minutes)
	nearUnset                      // orig_bytes and resp_bytes with unset just below zero, at −3
	zeroApart      = nearUnset + 2 // the same two, zero at −3 and unset at −6
	oneHot         = zeroApart + 2 // and 29 more: proto, conn_state, the commonest services
	columns        = oneHot + 30
)

func main() {
	log.SetFlags(0)
	if len(os.Args) > 2 && os.Args[1] == "-forests" {
		forests(os.Args[2], append(os.Args[3:], "")[0])
		return
	}
	if len(os.Args) < 2 || len(os.Args) > 3 {
		log.Fatal("usage: ablation [-forests] FOLDER [PART], the folder of the labelled logs and a part of a variant's name")
	}
	day8 := read(filepath.Join(os.Args[1], "ctu-mixed-008.conn.log.labeled.gz"), "label")
	day10 := read(filepath.Join(os.Args[1], "ctu-mixed-010.conn.log.labeled.gz"), "label")
	nmap := read(filepath.Join(os.Args[1], "nmap-port-scan-002.conn.log.gz"), "")
	for i := range day10 {
		if day10[i].Anomaly {
			day10[i].Family = "external"
		}
	}
	for i := range nmap {
		nmap[i].Family = "nmap"
	}

	half := len(day8) / 2
	second := append([]evaluate.Row(nil), day8[half:]...)
	for i := range second {
		if second[i].Anomaly {
			second[i].Family = "external"
		}
	}
	second = append(second, drills(second, 3)...)
	run("choosing: 008, first half → second half", normal(day8[:half]), second)
	run("reporting: 008 → 010", normal(day8), append(day10, nmap...))
}

// drills returns the shapes of zeek-iforest drill, each from some addresses of the
// rows', begun when they were at work.
func drills(rows []evaluate.Row, times uint64) (attacks []evaluate.Row) {
	site, err := evaluate.NewSite(rowsOf(normal(rows)))
	check(err)
	for i, a := range evaluate.Attacks {
		if a.Name == "slow port scan" { // taken from the very rows
			continue
		}
		for n := range times {
			laid, err := site.Lay(a, rand.New(rand.NewPCG(uint64(i), n)))
			check(err)
			for _, row := range laid.Rows { // from an address of its own, so that drills do not meet
				c := row.Conn
				c.Orig = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 99, byte(i), byte(n)}), c.Orig.Port())
				family := "drills"
				if len(laid.Rows) > 1 {
					family = a.Name
				}
				attacks = append(attacks, evaluate.Row{Conn: c, Anomaly: true, Family: family})
			}
		}
	}
	return attacks
}

// variant is a choice of columns.
type variant struct {
	name string
	use  []int
}

func variants() (all []variant) {
	base := make([]int, numbers)
	for i := range base {
		base[i] = i
	}
	all = append(all, variant{"all seventeen", base})
	for i := range base {
		all = append(all, variant{"without " + feature.Conn.Features[i].Name, without(base, i)})
	}
	with := func(more ...int) []int { return append(append([]int(nil), base...), more...) }
	hot := without(base, 8, 9, 10)
	for i := oneHot; i < columns; i++ {
		hot = append(hot, i)
	}
	return append(all,
		variant{"with time of day", with(hourSin, hourCos)},
		variant{"with novelty of responder", with(pairSeen)},
		variant{"with novelty of responder and port", with(portSeen)},
		variant{"with regularity", with(regularity)},
		variant{"with ratio of bytes", with(bytesRatio)},
		variant{"with service given the port", with(serviceOfPort)},
		variant{"with conn_state given the service", with(stateOfService)},
		variant{"with proto, service and conn_state together", with(combination)},
		variant{"with history", with(historyRarity)},
		variant{"with payload per packet", with(perPacket)},
		variant{"with share without payload", with(silentShare)},
		variant{"with ports of one responder", with(portsOfOne)},
		variant{"service given the port for service", append(without(base, 9), serviceOfPort)},
		variant{"conn_state given the service for conn_state", append(without(base, 10), stateOfService)},
		variant{"all three together for each of them", append(without(base, 8, 9, 10), combination)},
		variant{"without packets", without(base, 3, 4)},
		variant{"without IP bytes", without(base, 5, 6)},
		variant{"without resp_pkts and orig_ip_bytes", without(base, 4, 5)},
		variant{"without orig_pkts and resp_ip_bytes", without(base, 3, 6)},
		variant{"without packets and orig_ip_bytes", without(base, 3, 4, 5)},
		variant{"without packets and IP bytes", without(base, 3, 4, 5, 6)},
		variant{"without packets and missed_bytes", without(base, 3, 4, 7)},
		variant{"without packets, with share without payload", append(without(base, 3, 4), silentShare)},
		variant{"unset bytes near zero", append(without(base, 1, 2), nearUnset, nearUnset+1)},
		variant{"no bytes apart from some", append(without(base, 1, 2), zeroApart, zeroApart+1)},
		variant{"one-hot for proto, conn_state, service", hot},
	)
}

func without(columns []int, drop ...int) (rest []int) {
	for _, c := range columns {
		if !slices.Contains(drop, c) {
			rest = append(rest, c)
		}
	}
	return rest
}

func run(title string, train []conn.Conn, test []evaluate.Row) {
	encoder, err := feature.NewEncoder(feature.Conn, count(train))
	check(err)
	services := map[string]int{}
	for _, name := range names(train) {
		if len(services) < 30-int(conn.NumProto)-int(conn.NumState)-1 {
			services[name] = len(services)
		}
	}
	shares := countShares(train)
	trainX := encode(train, encoder, services, shares)
	testConns := make([]conn.Conn, len(test))
	counts, others := map[string]int{}, 0
	var families []string
	for i := range test {
		testConns[i] = test[i].Conn
		if !test[i].Anomaly {
			others++
			continue
		}
		if counts[test[i].Family]++; counts[test[i].Family] == 1 {
			families = append(families, test[i].Family)
		}
	}
	for _, family := range slices.Clone(families) {
		for i := range test {
			if test[i].Family == family && test[i].Conn.State.Established() {
				if counts[family+established]++; counts[family+established] == 1 {
					families = append(families, family+established)
				}
			}
		}
	}
	families = slices.DeleteFunc(families, func(f string) bool { // the same rows again
		of, ok := strings.CutSuffix(f, established)
		return ok && counts[f] == counts[of]
	})
	testX := encode(testConns, encoder, services, shares)
	fmt.Printf("\n%s: %d rows in training, %d ordinary rows in the test\n", title, len(train), others)
	t := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprint(t, "features")
	for _, f := range families {
		fmt.Fprintf(t, "\t%s (%d)\t", f, counts[f])
	}
	fmt.Fprintln(t)
	for _, v := range variants() {
		if len(os.Args) > 2 && !strings.Contains(v.name, os.Args[2]) {
			continue
		}
		sums := make([][2]float64, len(families))
		for seed := range uint64(seeds) {
			paths := score(grow(trainX, train, v.use, product, seed), testX, v.use)
			for f, family := range families {
				at1, at01 := found(test, paths, family)
				sums[f][0] += at1 / seeds
				sums[f][1] += at01 / seeds
			}
		}
		fmt.Fprint(t, v.name)
		for _, s := range sums {
			fmt.Fprintf(t, "\t%.3f\t%.3f", s[0], s[1])
		}
		fmt.Fprintln(t)
	}
	check(t.Flush())
}

// cell returns the kind of a connection: model/learn's, cells.go.
func cell(c *conn.Conn) [6]int {
	local := 2
	if c.Has(conn.LocalOrig) {
		local = 0
		if c.LocalOrig {
			local = 1
		}
	}
	service := 0
	for _, b := range []byte(c.Service) {
		service = service*131 + int(b)
	}
	sent, received := bits.Len64(c.OrigIPBytes), bits.Len64(c.RespIPBytes)
	if c.State.Failed() {
		sent, received = 0, 0
	}
	return [6]int{sent, received, int(c.State), service, int(c.Proto), local}
}

// drawing is how the trees come by their rows.
type drawing struct {
	kind             func(*conn.Conn) [6]int
	trees, subsample int
	distinct         bool // no kind twice in a tree, where there are enough
}

// product is what model/learn does.
var product = drawing{cell, model.BalancedTrees, model.BalancedSubsample, false}

// grow grows a forest over some columns: each tree from kinds drawn uniformly,
// one row of each.
func grow(x [][]float32, train []conn.Conn, use []int, d drawing, seed uint64) *forest.Forest {
	cells, keys := remember(train, d.kind, seed)
	g, err := forest.NewGrower(len(use), forest.Options{Trees: d.trees, Subsample: d.subsample, Seed: seed + 1})
	check(err)
	order := make([]int32, d.subsample)
	for i := range order {
		order[i] = int32(i)
	}
	random := rand.New(rand.NewPCG(seed, 1))
	for tree := range d.trees {
		var rows []float32
		var deck []int
		for range order {
			if len(deck) == 0 && d.distinct {
				deck = random.Perm(len(keys))
			}
			at := 0
			if d.distinct {
				at, deck = deck[0], deck[1:]
			} else {
				at = random.IntN(len(keys))
			}
			of := cells[keys[at]]
			rows = append(rows, take(x[of[random.IntN(len(of))]], use)...)
		}
		check(g.GrowTree(tree, rows, order))
	}
	f, err := g.Forest()
	check(err)
	return f
}

// remember keeps eight rows of each kind, and one row in eight apart, as
// model/learn does for its calibration.
func remember(train []conn.Conn, kind func(*conn.Conn) [6]int, seed uint64) (cells map[[6]int][]int, keys [][6]int) {
	random := rand.New(rand.NewPCG(seed, 2))
	cells, seen := map[[6]int][]int{}, map[[6]int]int{}
	for i := range train {
		if i >= 512 && random.IntN(8) == 0 {
			continue
		}
		key := kind(&train[i])
		if seen[key]++; seen[key] == 1 {
			keys = append(keys, key)
		}
		if len(cells[key]) < 8 {
			cells[key] = append(cells[key], i)
		} else if at := random.IntN(seen[key]); at < 8 {
			cells[key][at] = i
		}
	}
	return cells, keys
}

func take(row []float32, use []int) (some []float32) {
	for _, c := range use {
		some = append(some, row[c])
	}
	return some
}

func score(f *forest.Forest, x [][]float32, use []int) []float64 {
	var rows []float32
	for _, row := range x {
		rows = append(rows, take(row, use)...)
	}
	paths := make([]float64, len(x))
	f.MeanPaths(paths, rows, 1)
	for i := range paths {
		paths[i] = -paths[i]
	}
	return paths
}

// established marks the part of a family whose handshake was completed, which is
// compared with such ordinary rows.
const established = ", established"

func found(test []evaluate.Row, scores []float64, family string) (at1, at01 float64) {
	family, only := strings.CutSuffix(family, established)
	var some []float64
	var labels []bool
	for i := range test {
		if only && !test[i].Conn.State.Established() {
			continue
		}
		if !test[i].Anomaly || test[i].Family == family {
			some, labels = append(some, scores[i]), append(labels, test[i].Anomaly)
		}
	}
	r, err := evaluate.Rank(some, labels)
	check(err)
	return r.At(0.01).TPR(), r.At(0.001).TPR()
}

// shares counts values of columns, alone and together.
type shares map[[4]string]float64

// groups returns the values that the columns of rarities are made of: what is
// counted, and among what.
func groups(c *conn.Conn) map[int][2][4]string {
	port, state := fmt.Sprint(c.Proto, c.Resp.Port()), c.State.String()
	return map[int][2][4]string{
		serviceOfPort:  {{"service of port", port, c.Service}, {"port", port}},
		stateOfService: {{"state of service", c.Service, state}, {"service", c.Service}},
		combination:    {{"together", c.Proto.String(), c.Service, state}, {"all"}},
		whoSent:        {{"sent", c.Proto.String() + " " + c.Service, state, fmt.Sprint(c.OrigBytes > 0, c.RespBytes > 0)}, {"all"}},
		historyRarity:  {{"history", c.History}, {"all"}},
	}
}

func countShares(rows []conn.Conn) shares {
	n := shares{}
	for i := range rows {
		seen := map[[4]string]bool{}
		for _, g := range groups(&rows[i]) {
			for _, key := range g {
				if !seen[key] {
					n[key]++
					seen[key] = true
				}
			}
		}
	}
	return n
}

// past is an originator's last five minutes, by the ends of its connections.
type past struct {
	at     []conn.Micros
	silent []bool
	to     []netip.AddrPort
}

// add adds a connection and forgets older ones.
func (p *past) add(c *conn.Conn) (silentShare, ports float64) {
	p.at, p.silent, p.to = append(p.at, c.End()), append(p.silent, c.OrigBytes+c.RespBytes == 0), append(p.to, c.Resp)
	old := 0
	for old < len(p.at) && p.at[old] < c.End()-300e6 {
		old++
	}
	p.at, p.silent, p.to = p.at[old:], p.silent[old:], p.to[old:]
	asked, of := map[netip.AddrPort]bool{}, map[netip.Addr]float64{}
	for i, to := range p.to {
		if p.silent[i] {
			silentShare++
		}
		if !asked[to] {
			asked[to] = true
			of[to.Addr()]++
			ports = max(ports, of[to.Addr()])
		}
	}
	return silentShare / float64(max(1, len(p.at))), ports
}

// encode gives each connection its columns, in log order.
func encode(rows []conn.Conn, e *feature.Encoder, services map[string]int, n shares) (x [][]float32) {
	type pair struct{ orig, resp netip.Addr }
	type triple struct {
		pair
		port uint16
	}
	type visits struct {
		n         float64
		last, gap conn.Micros
	}
	hosts := feature.NewHosts(model.DefaultHosts)
	pairs, triples := map[pair]float64{}, map[triple]*visits{}
	pasts := map[netip.Addr]*past{}
	for i := range rows {
		c := &rows[i]
		var v feature.Vector
		var s feature.Sample
		s.SetConn(c, hosts.Observe(c), nil)
		e.Finish(&v, &s)
		row := make([]float32, columns)
		copy(row, v[:numbers])
		day := 2 * math.Pi * math.Mod(c.TS.Seconds(), 86400) / 86400
		row[hourSin], row[hourCos] = float32(math.Sin(day)), float32(math.Cos(day))
		p := pair{c.Orig.Addr(), c.Resp.Addr()}
		row[pairSeen] = float32(math.Log1p(pairs[p]))
		pairs[p]++
		to := triples[triple{p, c.Resp.Port()}]
		if to == nil {
			to = &visits{}
			triples[triple{p, c.Resp.Port()}] = to
		}
		row[portSeen] = float32(math.Log1p(to.n))
		gap := c.TS - to.last
		row[regularity] = 6
		if to.n >= 2 && gap > 0 && to.gap > 0 {
			row[regularity] = float32(min(6, math.Abs(math.Log(float64(gap)/float64(to.gap)))))
		}
		to.n, to.last, to.gap = to.n+1, c.TS, gap
		row[bytesRatio] = float32(math.Log(float64(c.OrigIPBytes+1) / float64(c.RespIPBytes+1)))
		for column, g := range groups(c) {
			row[column] = float32(-math.Log((n[g[0]] + 0.5) / (n[g[1]] + 1)))
		}
		for j, x := range row[1:3] {
			row[nearUnset+j], row[zeroApart+j] = max(x, -3), x
			switch {
			case x == 0:
				row[zeroApart+j] = -3
			case x < 0:
				row[zeroApart+j] = -6
			}
		}
		row[perPacket] = float32(math.Log1p(float64(c.OrigBytes+c.RespBytes) / float64(c.OrigPkts+c.RespPkts+1)))
		if pasts[c.Orig.Addr()] == nil {
			pasts[c.Orig.Addr()] = &past{}
		}
		silent, ports := pasts[c.Orig.Addr()].add(c)
		row[silentShare], row[portsOfOne] = float32(silent), float32(math.Log1p(ports))
		row[oneHot+int(c.Proto)] = 1
		row[oneHot+int(conn.NumProto)+int(c.State)] = 1
		at := len(services)
		if s, ok := services[c.Service]; ok {
			at = s
		}
		row[oneHot+int(conn.NumProto)+int(conn.NumState)+at] = 1
		x = append(x, row)
	}
	return x
}

// count counts what the rarities are made of.
func count(rows []conn.Conn) feature.Tables {
	k := feature.NewCounter(feature.Conn)
	var s feature.Sample
	for i := range rows {
		s.SetConn(&rows[i], feature.Window{}, nil)
		k.Count(&s)
	}
	return k.Tables()
}

// names returns the services in alphabetical order.
func names(rows []conn.Conn) []string {
	met := map[string]bool{}
	for i := range rows {
		met[rows[i].Service] = true
	}
	return slices.Sorted(maps.Keys(met))
}

func normal(rows []evaluate.Row) (some []conn.Conn) {
	for i := range rows {
		if !rows[i].Anomaly {
			some = append(some, rows[i].Conn)
		}
	}
	return some
}

// read reads a log: rows without a label that says something are left out; with
// no label column all are anomalies.
func read(path, label string) (rows []evaluate.Row) {
	f, err := os.Open(path)
	check(err)
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	check(err)
	r := zeeklog.NewReader(unzipped, path)
	for {
		var row zeeklog.Row
		if err := r.Read(&row); err == io.EOF {
			return rows
		} else {
			check(err)
		}
		meaning := evaluate.Anomalous
		if label != "" {
			value, _ := r.Value(&row, label)
			meaning = evaluate.CommonLabels.Of(value)
		}
		if meaning != evaluate.LeftOut {
			rows = append(rows, evaluate.Row{Conn: row.Conn, Anomaly: meaning == evaluate.Anomalous})
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal("ablation: ", err)
	}
}
