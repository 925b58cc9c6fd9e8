package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/capture"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// captureList names the captures: folder, hash, path, a line each.
//
//go:embed captures.tsv
var captureList string

// hashDigits is how much of a SHA-256 tells one capture from another version of
// it.
const hashDigits = 16

// readCaptures gives the connections of each capture of the list. A capture is
// known by its hash: Zeek renames its traces now and then.
func readCaptures(folders map[string]string) (captures [][]conn.Conn, err error) {
	there := make(map[string]string) // folder and hash: path
	for name, folder := range folders {
		err := eachFile(folder, func(path string, data []byte) error {
			there[name+hashOf(data)] = path
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for line := range strings.Lines(captureList) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(columns) != 3 {
			return nil, fmt.Errorf("captures.tsv: %d columns, want 3: %q", len(columns), line)
		}
		path, found := there[columns[0]+columns[1]]
		if !found {
			return nil, fmt.Errorf("%s: no file with the hash %s, which captures.tsv has as %s: is it another version?", folders[columns[0]], columns[1], columns[2])
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		rows, err := connections(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		captures = append(captures, slices.DeleteFunc(rows, func(c conn.Conn) bool { return attack(&c) }))
	}
	return captures, nil
}

// eachFile calls each with the files below a folder, in the order of their names.
func eachFile(folder string, each func(path string, data []byte) error) error {
	return filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return each(path, data)
	})
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])[:hashDigits]
}

// connections returns the rows of conn.log that Zeek -C would write of a capture,
// up to a place where it is damaged.
func connections(data []byte) (rows []conn.Conn, err error) {
	reader, err := capture.NewReader(bytes.NewReader(data), capture.Options{IgnoreChecksums: true})
	if err != nil {
		return nil, err
	}
	for {
		var c conn.Conn
		switch err := reader.Read(&c); {
		case err == io.EOF:
			return rows, nil
		case err != nil && len(rows) > 0:
			return rows, nil
		case err != nil:
			return nil, err
		}
		if feature.Check(&c) == nil {
			rows = append(rows, c)
		}
	}
}

// attack reports whether a connection is one of the two attacks of
// office-day.pcap (testdata/pcaps/README.md): ben's scan after eleven, and the
// upload to port 4444.
func attack(c *conn.Conn) bool {
	t := c.TS.Time()
	scan := c.Orig.Addr().String() == "10.20.0.11" && t.Hour() == 11 && t.Minute() >= 2 && t.Minute() < 10
	return scan || c.Resp.Port() == 4444 && c.Orig.Addr().String() == "10.20.0.10"
}

// notOrdinary are captures that a seed shall not take for ordinary: attacks
// (guessing, a version scan, Heartbleed), what was damaged or malformed on
// purpose, what a fuzzer made, layers without connections, and llc.pcap, which
// is one connection a thousand times. Of our own, scans and the same packets
// in another wrapping.
var notOrdinary = regexp.MustCompile(strings.Join([]string{
	"bruteforce", "sshguess", "nmap", "heartbleed", "attack", "evasion", "port4243",
	"bad", "malformed", "invalid", "missing", "trunc", "weird", "odd", "unknown", "zero", "overlap", "gap", "half-duplex", "oob", "short",
	"fuzz", "crash", "limit", "leak", "growth", "recursive", "reassembly", "incomplete", "first-command", "violation",
	"chksums/", "arp", "raw", "erspan", "mpls", "llc", "spicy/", "udp-multiple", "vlan-coll",
	"^icmp/icmp_sent", // not in Zeek's repository any more
	`^scan\.pcap$`, `^dns\.pcapng$`, `^vlan\.pcap$`,
}, "|"))

// elsewhere are traces that Zeek's README says came from other places, with
// licences of their own, or that hold malware or nothing real.
var elsewhere = regexp.MustCompile(strings.Join([]string{
	"^modbus/modbus-eit", "^ldap/(simpleauth|krb5-sign-seal|issue-32|ctu-|modify-request|gap-data)", "^dns/(tkey|dynamic-update)",
	"^pop3/POP3", "^tcp/ctu-", "^http/(ctu-|m57-|261/)", "^cdp-", "^igmp/multicast", "^pe/", "^tls/ssl-to-http-server",
}, "|"))

// listCaptures writes the list anew: what holds connections and is ordinary.
func listCaptures(w io.Writer, folders map[string]string) error {
	fmt.Fprintln(w, "#folder\thash\tpath")
	for _, name := range []string{"zeek", "own"} {
		err := eachFile(folders[name], func(path string, data []byte) error {
			relative, err := filepath.Rel(folders[name], path)
			if err != nil {
				return err
			}
			relative = filepath.ToSlash(relative)
			if notOrdinary.MatchString(relative) || name == "zeek" && elsewhere.MatchString(relative) {
				return nil
			}
			if rows, err := connections(data); err != nil || len(rows) == 0 {
				return nil // no capture, or none with connections
			}
			_, err = fmt.Fprintf(w, "%s\t%s\t%s\n", name, hashOf(data), relative)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
