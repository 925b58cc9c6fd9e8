package evaluate

import (
	"math/rand/v2"
	"net/netip"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Attack is something to lay over a log: rows whose shape was measured from a
// capture.
type Attack struct {
	Name     string `json:"name"`
	Source   string `json:"source"` // the capture, and what was changed
	Outside  bool   `json:"-"`      // the responder is outside; else a host of the site's own, where the log shows a second one
	Resolver bool   `json:"-"`      // the responder is whom the host asked then

	rows  func() []conn.Conn          // with times from 0 and without addresses
	other func(rand *rand.Rand) []Row // the same of a log other than conn.log
}

// shape returns the attack's rows, with times from 0 and without addresses.
func (a *Attack) shape(random *rand.Rand) (rows []Row) {
	if a.other != nil {
		return a.other(random)
	}
	for _, c := range a.rows() {
		rows = append(rows, Row{Conn: c})
	}
	return rows
}

const (
	second = conn.Micros(1e6)
	always = conn.Duration | conn.OrigBytes | conn.RespBytes | conn.History
)

// shape is a row without place and time. Field order follows conn.log.
func shape(proto conn.Proto, port uint16, service string, duration conn.Micros, orig, resp uint64,
	state conn.State, history string, origPkts, origIP, respPkts, respIP uint64) conn.Conn {
	c := conn.Conn{
		Proto: proto, Service: service, Duration: duration, OrigBytes: orig, RespBytes: resp,
		State: state, History: history, OrigPkts: origPkts, OrigIPBytes: origIP, RespPkts: respPkts, RespIPBytes: respIP,
		Orig: netip.AddrPortFrom(netip.Addr{}, 49152), Resp: netip.AddrPortFrom(netip.Addr{}, port), Set: always,
	}
	if service != "" {
		c.Set |= conn.Service
	}
	return c
}

// Attacks are the attacks of a drill over conn.log.
var Attacks = []Attack{
	{
		Name: "upload of 4 GB",
		Source: "testdata/pcaps/office-day.pcap, nc to port 4444 outside: 500 kB in 368 packets, 289 acknowledgements; " +
			"8,000 times the packets and bytes, over 320 s (100 Mbit/s)",
		Outside: true,
		rows: func() []conn.Conn {
			return []conn.Conn{shape(conn.TCP, 4444, "", 320*second, 8000*500_000, 0, conn.SF, "ShADaFf", 8000*368, 8000*519_144, 8000*289, 8000*15_036)}
		},
	}, {
		Name:   "fast port scan",
		Source: "testdata/pcaps/scan.pcap, nmap -sS: 100 ports of one host within a millisecond, five of them open",
		rows: func() (rows []conn.Conn) {
			for i := range 100 {
				c := shape(conn.TCP, uint16(1+i), "", 2, 0, 0, conn.REJ, "Sr", 1, 44, 1, 40)
				if i%20 == 19 {
					c = shape(conn.TCP, uint16(1+i), "", 4, 0, 0, conn.RSTO, "ShR", 2, 84, 1, 44)
				}
				c.TS = conn.Micros(7 * i)
				rows = append(rows, c)
			}
			return rows
		},
	}, {
		Name:   "slow port scan",
		Source: "ctu-mixed-008, originator 79.124.62.34: 107 ports in a day, one each 585 s (median), no answer",
		rows: func() (rows []conn.Conn) {
			for i := range 107 {
				c := shape(conn.TCP, uint16(1000+97*i), "", 4, 0, 0, conn.S0, "S", 2, 80, 0, 0)
				c.TS = conn.Micros(i) * 585 * second
				rows = append(rows, c)
			}
			return rows
		},
	}, {
		Name:   "password guessing",
		Source: "zeek-three-days, originator 170.64.237.193: 464 ssh logins in 53 minutes, one each 6.8 s, medians of all fields",
		rows: func() (rows []conn.Conn) {
			for i := range 464 {
				c := shape(conn.TCP, 22, "ssh", 4_499_066, 1288, 1850, conn.SF, "ShADadFf", 14, 2024, 15, 2638)
				c.TS = conn.Micros(i) * 6_846_920
				rows = append(rows, c)
			}
			return rows
		},
	}, {
		Name:    "DNS tunnel",
		Source:  "nDPI's dns-tunnel-iodine.pcap: one connection of 24 s, as it is",
		Outside: true,
		rows: func() []conn.Conn {
			return []conn.Conn{shape(conn.UDP, 53, "dns", 24_487_287, 16_812, 35_212, conn.SF, "Dd", 222, 23_028, 212, 41_148)}
		},
	}, {
		Name:    "ICMP tunnel",
		Source:  "nDPI's icmp-tunnel.pcap, its longest connection (checksums not validated): 932 s, as it is",
		Outside: true,
		rows: func() []conn.Conn {
			c := shape(conn.ICMP, 0, "", 932_020_471, 68_313, 72_621, conn.OTH, "", 367, 78_589, 373, 83_065)
			c.Set &^= conn.History
			c.Orig = netip.AddrPortFrom(netip.Addr{}, 8)
			return []conn.Conn{c}
		},
	}, {
		Name:    "idle session of half an hour",
		Source:  "nDPI's nest_log_sink.pcap, its longest connection: a device that keeps 2 kB open for 1,799 s, as a tunnel that waits does; as it is",
		Outside: true,
		rows: func() []conn.Conn {
			return []conn.Conn{shape(conn.TCP, 11095, "", 1_799_470_667, 2003, 1905, conn.SF, "ShADadtfF", 60, 4407, 56, 4310)}
		},
	},
	{
		Name: "beacon over TLS",
		Source: "campaigns' trickbot-week, 172.16.9.5 to port 449: 285 connections, four gaps of 202 s, then one of 267 s " +
			"(median and upper decile); medians of all fields",
		Outside: true,
		rows: func() (rows []conn.Conn) {
			at := conn.Micros(0)
			for i := range 285 {
				c := shape(conn.TCP, 449, "ssl", 68_413_647, 623, 1596, conn.SF, "ShADadFf", 9, 995, 11, 2040)
				c.TS = at
				if at += 202 * second; i%5 == 4 {
					at += 65 * second
				}
				rows = append(rows, c)
			}
			return rows
		},
	}, {
		Name:    "beacon that nobody answers",
		Source:  "campaigns' android-1, 10.8.0.57 to port 1337: 157 connections, one each 20.0 s (lower and upper decile the same); 149 of them one SYN without an answer, as all are here",
		Outside: true,
		rows: func() (rows []conn.Conn) {
			for i := range 157 {
				c := shape(conn.TCP, 1337, "", 0, 0, 0, conn.S0, "S", 1, 62, 0, 0)
				c.Set &^= conn.Duration | conn.OrigBytes | conn.RespBytes
				c.TS = conn.Micros(i) * 20 * second
				rows = append(rows, c)
			}
			return rows
		},
	}, {
		Name: "exfiltration in pieces",
		Source: "testdata/pcaps/office-day.pcap, nc to port 4444 outside: 500 kB in 368 packets, 289 acknowledgements; " +
			"ten times the packets and bytes on port 443, one each ten minutes, 120 times: 600 MB in 20 hours",
		Outside: true,
		rows: func() (rows []conn.Conn) {
			for i := range 120 {
				c := shape(conn.TCP, 443, "ssl", 4*second, 10*500_000, 0, conn.SF, "ShADaFf", 10*368, 10*519_144, 10*289, 10*15_036)
				c.TS = conn.Micros(i) * 600 * second
				rows = append(rows, c)
			}
			return rows
		},
	}, {
		Name: "tunnel of three days",
		Source: "nDPI's mining.pcapng, its connection to port 9050 (Tor): 5.7 kB and 4.7 kB in 83 and 62 packets within 1,155 s; " +
			"the same pace for three days, looked at while it goes on",
		Outside: true,
		rows: func() (rows []conn.Conn) {
			const whole = 72 * 3600 * second
			add := func(age conn.Micros, state conn.State, look conn.Micros) {
				share := float64(age) / 1_154_543_246
				of := func(n float64) uint64 { return uint64(n * share) }
				c := shape(conn.TCP, 9050, "", age, of(5750), of(4723), state, "ShADadT", of(83), of(10_623), of(62), of(7991))
				c.Look = look
				rows = append(rows, c)
			}
			for age := 600 * second; age < whole; age += 600 * second {
				if conn.Passed(conn.DefaultLooks, age) == age {
					add(age, conn.S1, age)
				}
			}
			add(whole, conn.SF, 0)
			return rows
		},
	},
}
