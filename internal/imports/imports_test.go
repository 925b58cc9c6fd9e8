// Package imports holds the table of who may import whom. Data flows one way,
// from the connection record to the score, and nobody imports to the left.
package imports

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

const module = "github.com/zeek-iforest/zeek-iforest"

// rooms says what the packages of each folder may import besides the standard
// library and their own room: folders of this module, or modules of others. A
// folder stands for all below it that have no line of their own. Tests may
// import what they like, testify above all.
var rooms = map[string][]string{
	"model/conn":      {},
	"model/internal":  {},
	"model/feature":   {"model/conn", "model/internal"},
	"model/domain":    {},
	"model/httplog":   {"model/conn", "model/domain", "model/feature"},
	"model/ssllog":    {"model/conn", "model/feature"},
	"model/forest":    {},
	"model/calibrate": {},
	"model/dnslog":    {"model/conn", "model/domain", "model/feature"},
	"model":           {"model/conn", "model/dnslog", "model/feature", "model/forest", "model/calibrate", "model/httplog", "model/internal", "model/ssllog", "github.com/vmihailenco/msgpack/v5"},
	"model/learn":     {"model", "model/conn", "model/feature", "model/forest", "model/calibrate", "model/internal"},
	"model/alerts":    {"model/conn", "model/feature", "model/internal", "model/seed"},
	"model/cases":     {"model", "model/internal"},
	"model/stream":    {"model", "model/alerts", "model/cases", "model/conn", "model/feature", "model/forest", "model/seed"},
	"model/evaluate":  {"model/conn", "model/dnslog", "model/httplog", "model/ssllog", "gonum.org/v1/gonum"},
	"model/seed":      {"model"},

	"capture":         {"model/conn", "capture/service", "github.com/google/gopacket"},
	"capture/service": {"model/conn"}, // for conn.Proto
	"capture/zeeklog": {"model/conn"},

	"gobridge":        {"gobridge/sensor", "model", "model/alerts", "model/cases", "model/conn", "model/feature", "model/learn", "model/seed"},
	"gobridge/sensor": {"model", "model/alerts", "model/cases", "model/conn", "model/dnslog", "model/feature", "model/httplog", "model/learn", "model/seed", "model/ssllog", "model/stream"},

	"cmd": {
		"model", "capture", "internal", "gobridge/sensor", // to make a sensor's state
		"github.com/klauspost/compress", "github.com/schollz/progressbar/v3", "github.com/spf13/pflag",
		"golang.org/x/sys", "golang.org/x/term",
		"github.com/google/gopacket", // cmd/bench: its decode loop, beside replay
	},
	"cmd/bench":      {"capture", "internal", "model", "github.com/google/gopacket", "github.com/spf13/pflag"}, // the loop that replay is held against
	"internal/usage": {"github.com/spf13/pflag"},
	"internal":       nil, // what this project's programs need

	"docs":             {},                                         // tests only
	"packaging":        {},                                         // the same
	"siem":             {},                                         // the same
	"zeek-pkg/testing": {"internal", "github.com/google/gopacket"}, // makes traffic, measures
}

// sensorModules is all that the sensor library may bring into Zeek besides the
// standard library and our own rooms: msgpack, and the tag parser it imports.
var sensorModules = []string{"github.com/vmihailenco/msgpack/v5", "github.com/vmihailenco/tagparser/v2"}

// sensorRooms is what of our own may be in it.
var sensorRooms = []string{"gobridge", "model"}

type goPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
	DepOnly    bool
}

// list runs go list -json -deps, for which cgo must be on as in the library.
func list(t *testing.T, patterns ...string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Standard,Imports,DepOnly", "-deps"}, patterns...)...)
	cmd.Dir = testenv.Root(t)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", &stderr)

	var packages []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); err == io.EOF {
			return packages
		} else {
			require.NoError(t, err)
		}
		packages = append(packages, p)
	}
}

// roomOf is the longest folder of the table that holds the package, or "" if
// there is none or the package is not ours.
func roomOf(pkg string) string {
	dir, ours := strings.CutPrefix(pkg, module+"/")
	if !ours {
		return ""
	}
	for ; dir != "."; dir = path.Dir(dir) {
		if _, ok := rooms[dir]; ok {
			return dir
		}
	}
	return ""
}

// mayImport reports whether a package of the room may import another package,
// which is not of the standard library.
func mayImport(room, pkg string) bool {
	if to := roomOf(pkg); to == room && to != "" {
		return true
	}
	return slices.ContainsFunc(rooms[room], func(allowed string) bool {
		if strings.Contains(strings.SplitN(allowed, "/", 2)[0], ".") {
			return within(pkg, allowed)
		}
		if strings.HasPrefix(room, "cmd") { // sees all rooms below the named ones, and no cgo
			return within(pkg, module+"/"+allowed)
		}
		return roomOf(pkg) == allowed
	})
}

func within(pkg, folder string) bool {
	return pkg == folder || strings.HasPrefix(pkg, folder+"/")
}

func TestEachRoomImportsOnlyWhatItMay(t *testing.T) {
	packages := list(t, "./...")
	standard := make(map[string]bool)
	for _, p := range packages {
		standard[p.ImportPath] = p.Standard
	}
	seen := make(map[string]bool)
	for _, p := range packages {
		if p.DepOnly {
			continue
		}
		room := roomOf(p.ImportPath)
		seen[room] = true
		if !assert.NotEmpty(t, room, "%s is in no room of the table", p.ImportPath) || rooms[room] == nil {
			continue
		}
		for _, i := range p.Imports {
			if i == "C" {
				assert.Equal(t, "gobridge", room, "%s uses cgo", p.ImportPath)
			} else if !standard[i] {
				assert.True(t, mayImport(room, i), "%s imports %s", p.ImportPath, i)
			}
		}
	}
	for room := range rooms {
		if !seen[room] {
			t.Logf("room %s has no package yet", room)
		}
	}
}

func TestTheSensorLibraryStaysSmall(t *testing.T) {
	packages := list(t, "./gobridge")
	require.NotEmpty(t, packages)
	for _, p := range packages {
		if p.Standard {
			// Nothing that prints, listens or takes signals belongs into Zeek.
			assert.NotContains(t, []string{"log/slog", "net", "net/http", "os/signal", "plugin"}, p.ImportPath)
			continue
		}
		ok := slices.ContainsFunc(sensorModules, func(m string) bool { return within(p.ImportPath, m) }) ||
			slices.ContainsFunc(sensorRooms, func(r string) bool { return within(p.ImportPath, module+"/"+r) })
		assert.True(t, ok, "the sensor library brings in %s", p.ImportPath)
		assert.NotEqual(t, module+"/model/evaluate", p.ImportPath, "evaluate is never in the sensor")
	}
}

// The rules themselves can say no.
func TestTheTableRefuses(t *testing.T) {
	for _, tc := range []struct {
		room, pkg string
		want      bool
	}{
		{"model/feature", module + "/model/conn", true},
		{"model/conn", module + "/model/feature", false},
		{"model/forest", module + "/model/conn", false},
		{"model", "github.com/vmihailenco/msgpack/v5", true},
		{"model", "github.com/vmihailenco/msgpack/v5/msgpcode", true},
		{"model", "github.com/vmihailenco/msgpack/v5x", false},
		{"model", module + "/model/learn", false},
		{"model", module + "/model/evaluate", false},
		{"gobridge", module + "/capture", false},
		{"gobridge", module + "/gobridge/sensor", true},
		{"gobridge", "github.com/google/gopacket/layers", false},
		{"cmd", module + "/capture/zeeklog", true},
		{"cmd", module + "/gobridge/sensor", true}, // makes its state of logs
		{"cmd", module + "/gobridge", false},
		{"capture", "github.com/google/gopacket/layers", true},
		{"capture/zeeklog", "github.com/google/gopacket", false},
	} {
		assert.Equal(t, tc.want, mayImport(tc.room, tc.pkg), "%s imports %s", tc.room, tc.pkg)
	}
}
