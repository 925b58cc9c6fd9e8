package evaluate

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/httplog"
)

// User agents of the programs, and of the browser that some pretend to be.
const (
	chrome   = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
	gobuster = "gobuster/3.5"
	nmapNSE  = "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)"
	sqlmap   = "sqlmap/1.7.2#stable (https://sqlmap.org)"
	trickbot = "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; Win64; x64; Trident/7.0; .NET CLR 2.0.50727; SLCC2; .NET CLR 3.5.30729; .NET CLR 3.0.30729; Media Center PC 6.0; .NET4.0C; .NET4.0E)"
)

// asked returns a request with its answer, on a port.
func asked(at conn.Micros, port uint16, method, uri, agent string, status, sent, received uint64, sentType, receivedType string) Row {
	q := &httplog.Request{
		Method: method, Host: outside.String(), URI: uri, UserAgent: agent,
		StatusCode: status, RequestLength: sent, ResponseLength: received, RequestType: sentType, ResponseType: receivedType,
		Set: httplog.Method | httplog.Host | httplog.URI | httplog.UserAgent | httplog.StatusCode | httplog.RequestLength | httplog.ResponseLength,
	}
	if sentType != "" {
		q.Set |= httplog.RequestType
	}
	if receivedType != "" {
		q.Set |= httplog.ResponseType
	}
	return Row{Conn: conn.Conn{TS: at, Proto: conn.TCP, Resp: netip.AddrPortFrom(netip.Addr{}, port)}, Value: q}
}

// posts are uploads by curl.
func posts(n int, gap conn.Micros, length uint64) (rows []Row) {
	for i := range n {
		rows = append(rows, asked(conn.Micros(i)*gap, 80, "POST", "/upload.php", chrome, 200, length, 2, "", ""))
	}
	return rows
}

// tried are names as scanners try them.
var tried = strings.Fields("admin login backup images config test old dev api upload user data private db phpmyadmin wp-admin server-status cgi-bin " +
	"console manager status info setup install shell debug logs temp secret files include js css static panel report")

// page returns a name that a scanner tries.
func page(random *rand.Rand, ends string) string {
	return fmt.Sprintf("/%s_%s%s", tried[random.IntN(len(tried))], tried[random.IntN(len(tried))], ends)
}

// injections are uris of sqlmap, as it was logged.
var injections = []string{
	`/search?q=1 AND %d=CAST((CHR(113)||CHR(122)||CHR(113)||CHR(112)||CHR(113))||(SELECT (CASE WHEN (%[1]d=%[1]d) THEN 1 ELSE 0 END))::text||(CHR(113)||CHR(122)||CHR(112)||CHR(122)||CHR(113)) AS NUMERIC)-- joNA`,
	`/search?q=%d');WAITFOR DELAY '0:0:5'--`,
	`/search?q=%d' WAITFOR DELAY '0:0:5' AND 'CrYm'='CrYm`,
	`/search?q=%d ORDER BY 1-- QVPj`,
}

// HTTPAttacks are the attacks of a drill over http.log.
var HTTPAttacks = []Attack{
	{
		Name:    "exfiltration by POST",
		Source:  "curl of Debian 12 to a web server, with a browser's user agent: 40 posts of 200 kB in 11 s, as they are, to an address",
		Outside: true,
		other:   func(*rand.Rand) []Row { return posts(40, 280_000, 200_000) },
	}, {
		Name:    "exfiltration in pieces",
		Source:  "the same posts: of 20 kB, one each half hour, 40 times",
		Outside: true,
		other:   func(*rand.Rand) []Row { return posts(40, 1800*second, 20_000) },
	}, {
		Name:   "gobuster",
		Source: "gobuster 3.5 with a list of 773 names, against a web server: 775 requests in 4.4 s, 771 of them 404 with 76 bytes; names anew",
		other: func(random *rand.Rand) (rows []Row) {
			for i := range 775 {
				at := conn.Micros(i) * 5700
				if i == 0 {
					rows = append(rows, asked(at, 80, "GET", "/", gobuster, 200, 0, 1346, "", "text/html"))
					continue
				}
				status, length := uint64(404), uint64(76)
				if i%200 == 0 {
					status, length = 403, 22
				}
				rows = append(rows, asked(at, 80, "GET", page(random, ""), gobuster, status, 0, length, "", "text/html"))
			}
			return rows
		},
	}, {
		Name:   "nmap http-enum",
		Source: "nmap --script http-enum against a web server: 2,215 requests in 12.8 s, half HEAD, half GET, 2,197 of them 404; names anew",
		other: func(random *rand.Rand) (rows []Row) {
			for i := range 2215 {
				at := conn.Micros(i) * 5780
				switch {
				case i%150 == 0:
					rows = append(rows, asked(at, 80, "GET", "/", nmapNSE, 200, 0, 1346, "", "text/html"))
				case i < 1100:
					rows = append(rows, asked(at, 80, "HEAD", page(random, ".php"), nmapNSE, 404, 0, 0, "", ""))
				default:
					rows = append(rows, asked(at, 80, "GET", page(random, "/"), nmapNSE, 404, 0, 76, "", "text/html"))
				}
			}
			return rows
		},
	}, {
		Name:   "sqlmap",
		Source: "sqlmap 1.7.2 against a page that always answers 200 with 373 bytes: 75 requests in 8.6 s, four of its uris",
		other: func(random *rand.Rand) (rows []Row) {
			for i := range 75 {
				uri := fmt.Sprintf(injections[i%len(injections)], 1+random.IntN(9999))
				rows = append(rows, asked(conn.Micros(i)*115_000, 80, "GET", uri, sqlmap, 200, 0, 373, "", "text/html"))
			}
			return rows
		},
	}, {
		Name: "TrickBot's posts",
		Source: "campaigns' trickbot-week, 172.16.9.233 to port 8082: each day a post of 328 bytes, 1.5 s later one of 257, and 2.5 hours later one of 4,577 by another program; " +
			"on five days, as here; the host's name anew",
		Outside: true,
		other: func(random *rand.Rand) (rows []Row) {
			of := fmt.Sprintf("/ser1101/PC%05d_W617601.%016X%016X", random.IntN(100_000), random.Uint64(), random.Uint64())
			for day := range conn.Micros(5) {
				at := day * 24 * 3600 * second
				rows = append(rows,
					asked(at, 8082, "POST", of+"/83/", trickbot, 200, 328, 3, "text/json", ""),
					asked(at+1_500_000, 8082, "POST", of+"/81/", trickbot, 200, 257, 3, "text/plain", ""),
					asked(at+9000*second, 8082, "POST", of+"/90", "test", 200, 4577, 3, "text/plain", ""))
			}
			return rows
		},
	},
}
