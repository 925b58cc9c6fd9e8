package evaluate

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/dnslog"
)

// Types and codes of DNS (RFC 1035, §3.2.2 and §4.1.1).
const (
	typeA     = 1
	typeCNAME = 5
	typeNULL  = 10
	typeMX    = 15
	typeTXT   = 16

	nxdomain = 3
)

// asks are the queries of an attack, one after the other.
type asks struct {
	rows   []Row
	now    conn.Micros
	random *rand.Rand
}

// ask adds a query that has an answer of so many bytes; 0 for none.
func (a *asks) ask(qtype uint64, name string, rtt conn.Micros, answer uint32, ttl conn.Micros) *dnslog.Query {
	q := &dnslog.Query{Query: name, QType: qtype, Set: dnslog.QueryName | dnslog.QType}
	if answer > 0 {
		q.RTT, q.Answers, q.AnswerBytes, q.LeastTTL = rtt, 1, answer, ttl
		q.Set |= dnslog.RTT | dnslog.RCode | dnslog.Answers | dnslog.TTLs
	}
	c := conn.Conn{TS: a.now, Proto: conn.UDP, Resp: netip.AddrPortFrom(netip.Addr{}, 53)}
	a.rows = append(a.rows, Row{Conn: c, Value: q})
	return q
}

// text is so many characters of an alphabet, in labels of so many.
func (a *asks) text(n, label int, alphabet []string) string {
	var b strings.Builder
	for i := range n {
		if i%(label+1) == label && i < n-1 {
			b.WriteByte('.')
			continue
		}
		b.WriteString(alphabet[a.random.IntN(len(alphabet))])
	}
	return b.String()
}

// The alphabets of the tunnels, as Zeek logs them: capitals are small letters.
var (
	hexDigits = strings.Split("0123456789abcdef", "")
	letters   = strings.Split("abcdefghijklmnopqrstuvwxyz", "")
	base64    = append(strings.Split("0123456789+/", ""), append(letters, letters...)...)
	base128   = iodineAlphabet()
)

// iodineAlphabet returns that of iodine's Base128: letters, digits and the bytes from
// 0xbc to 0xfd. Small letters stand for capitals, too, so that 54 of 100
// characters are none of these bytes.
func iodineAlphabet() (all []string) {
	for b := 0xbc; b <= 0xfd; b++ {
		all = append(all, fmt.Sprintf(`\x%02x`, b))
	}
	all = append(append(all, letters...), letters...)
	return append(all, strings.Split("0123456789", "")...)
}

// domain returns a registered domain that no log has.
func (a *asks) domain() string { return a.text(6, 63, letters) + ".com" }

// DNSAttacks are the attacks of a drill over dns.log.
var DNSAttacks = []Attack{
	{
		Name: "iodine",
		Source: "iodine 0.7.0 of Debian 12 between two network namespaces, 300 kB sent: 1,722 queries of type NULL in 99 s, of them 1,404 of 253 characters and 278 of 175, " +
			"in groups of six each 23 ms, behind its own trials of what comes through, and before one each 4 s; names anew",
		Resolver: true,
		other:    iodine,
	}, {
		Name: "dns2tcp",
		Source: "dns2tcp 0.5.2 of Debian 12 between two network namespaces, 300 kB sent: 3,816 queries of type TXT, of them 2,398 of 191 characters and 1,412 of 23, " +
			"in groups of eleven each 19 ms for 6.5 s, then one each 0.5 s until 60 s; names anew",
		Resolver: true,
		other:    dns2tcp,
	}, {
		Name: "dnscat2",
		Source: "nDPI's bad-dns-traffic.pcap: 220 queries of types TXT, CNAME and MX in 110 s, of them 164 of 230 characters, one after the other's answer (77 ms), and 44 of 35, one each 1.01 s; " +
			"57 without an answer; names anew",
		Resolver: true,
		other:    dnscat,
	}, {
		Name:    "dnscat2 without a domain",
		Source:  "nDPI's dns_exfiltration.pcap: 150 queries below dnscat., to a server outside: 63 of 41 characters, one each 1.01 s, then 87 of 240, one each 1.7 ms; names anew",
		Outside: true,
		other:   dnscatWithoutDomain,
	}, {
		Name: "made-up domains",
		Source: "CryptoLocker's first generator, as published, names of the dates from 2014-01-07 on: the first 200, which do not exist. Of its traffic we have no capture: " +
			"one query each 2 s and 20 ms to the answer are ours",
		Resolver: true,
		other:    madeUpDomains,
	}, {
		Name: "slow exfiltration",
		Source: "nDPI's bad-dns-traffic.pcap, its query of 230 characters with an answer of 25 bytes: one each ten minutes, 144 times, which is a day and 29 kB; " +
			"names anew",
		Resolver: true,
		other: func(random *rand.Rand) []Row {
			a := asks{random: random}
			domain := "." + a.domain()
			for range 144 {
				a.ask(dnscatTypes[random.IntN(3)], a.text(230-len(domain), 60, hexDigits)+domain, 77_000, 25, 60*second)
				a.now += 600 * second
			}
			return a.rows
		},
	},
}

func iodine(random *rand.Rand) []Row {
	a := asks{random: random}
	domain := ".t." + a.domain()
	ask := func(length int) {
		a.ask(typeNULL, a.text(length-len(domain), 62, base128)+domain, 100, uint32(len("<unknown type=10>")), 0)
	}
	for _, length := range []int{24, 45, 19, 54, 63, 69, 49, 65, 19, 19, 253, 253} {
		ask(length)
		a.now += 10_000
	}
	for range 10 {
		a.now += 970_000
		ask(253)
	}
	for _, length := range []int{22, 68, 21} {
		ask(length)
	}
	for _, length := range []int{21, 97, 93} {
		a.now += 1_430_000
		ask(length)
	}
	for range 278 {
		a.now += 23_000
		for range 5 {
			ask(253)
		}
		ask(175)
	}
	for range 19 {
		a.now += 4 * second
		ask(21)
	}
	return a.rows
}

func dns2tcp(random *rand.Rand) []Row {
	a := asks{random: random}
	domain := ".d." + a.domain()
	ask := func(length int, answer uint32) {
		a.ask(typeTXT, a.text(length-len(domain), 63, base64)+domain, 14_000, answer, 3*second)
	}
	for _, length := range []int{29, 82, 37} {
		ask(length, 46)
		a.now += 36_000
	}
	for range 341 {
		for _, length := range []int{23, 191, 23, 191, 23, 191, 23, 191, 191, 191, 191} {
			ask(length, 25)
		}
		a.now += 19_000
	}
	for range 60 {
		a.now += 500_000
		ask(23, 25)
	}
	return a.rows
}

var dnscatTypes = []uint64{typeTXT, typeCNAME, typeMX}

func dnscat(random *rand.Rand) []Row {
	a := asks{random: random}
	domain := "." + a.domain()
	ask := func(length int, answered bool) {
		answer := uint32(25)
		if qtype := dnscatTypes[random.IntN(3)]; answered {
			if qtype != typeTXT {
				answer = 35
			}
			a.ask(qtype, a.text(length-len(domain), 60, hexDigits)+domain, 77_000, answer, 60*second)
		} else {
			a.ask(qtype, a.text(length-len(domain), 60, hexDigits)+domain, 0, 0, 0)
		}
	}
	for range 5 {
		ask(73, false)
		a.now += 1_010_000
	}
	for range 30 {
		ask(35, true)
		a.now += 1_010_000
	}
	for i := range 164 {
		// Of 164 long ones 38 have no answer: the next one comes a second later.
		answered := i%13 < 10
		if ask(230, answered); answered {
			a.now += 77_000
		} else {
			a.now += 1_010_000
		}
	}
	for range 14 {
		ask(35, false)
		a.now += 1_010_000
	}
	return a.rows
}

func dnscatWithoutDomain(random *rand.Rand) []Row {
	a := asks{random: random}
	ask := func(length int) {
		a.ask(dnscatTypes[random.IntN(3)], "dnscat."+a.text(length-len("dnscat."), 60, hexDigits), 1500, 41, 60*second)
	}
	for range 63 {
		ask(41)
		a.now += 1_010_000
	}
	for range 87 {
		ask(240)
		a.now += 1700
	}
	return a.rows
}

func madeUpDomains(random *rand.Rand) []Row {
	a := asks{random: random}
	seen := map[string]bool{}
	for date := time.Date(2014, 1, 7, 0, 0, 0, 0, time.UTC); len(seen) < 200; date = date.AddDate(0, 0, 1) {
		name := madeUp(uint64(date.Year()), uint64(date.Month()), uint64(date.Day()))
		if seen[name] {
			continue
		}
		seen[name] = true
		q := a.ask(typeA, name, 0, 0, 0)
		q.RTT, q.RCode = 20_000, nxdomain
		q.Set |= dnslog.RTT | dnslog.RCode
		a.now += 2 * second
	}
	return a.rows
}

// madeUp is CryptoLocker's first generator of domains, as it is published
// (https://en.wikipedia.org/wiki/Domain_generation_algorithm).
func madeUp(y, m, d uint64) string {
	var name [16]byte
	for i := range name {
		y = (y^8*y)>>11 ^ (y&0xfffffff0)<<17
		m = (m^4*m)>>25 ^ 16*(m&0xfffffff8)
		d = (d^d<<13)>>19 ^ (d&0xfffffffe)<<12
		name[i] = byte((y^m^d)%25) + 'a'
	}
	return string(name[:]) + ".com"
}
