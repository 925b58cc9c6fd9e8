package zeeklog

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// TestRealZeeksOptions has a real Zeek write the same connections with each
// option for logs: the rows that are read are the same.
func TestRealZeeksOptions(t *testing.T) {
	zeek := testenv.Zeek(t)
	root := testenv.Root(t)
	dir := t.TempDir()
	seeds := filepath.Join(dir, "seeds")
	log := func(t *testing.T, script string) string {
		dir := t.TempDir()
		args := []string{"-b", "-C", "-r", filepath.Join(root, "testdata", "pcaps", "http.pcap"), "base/protocols/conn", "base/protocols/http", "base/protocols/dns", "-e", script}
		if _, err := os.Stat(seeds); err == nil {
			args = append([]string{"--load-seeds", seeds}, args...)
		} else {
			args = append([]string{"--save-seeds", seeds}, args...)
		}
		cmd := exec.Command(zeek, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		text, err := os.ReadFile(filepath.Join(dir, "conn.log"))
		require.NoError(t, err)
		return string(text)
	}
	read := func(t *testing.T, text, names string) (conns []conn.Conn) {
		n, err := ParseNames(names)
		require.NoError(t, err)
		r := NewReader(bytes.NewReader([]byte(text)), "conn.log").Named(n)
		for {
			var row Row
			if err := r.Read(&row); err != nil {
				require.EqualError(t, err, "EOF")
				return conns
			}
			conns = append(conns, row.Conn)
		}
	}
	log(t, "") // makes the seeds
	want := read(t, log(t, ""), "")
	require.NotEmpty(t, want)
	const (
		json    = "redef LogAscii::use_json = T; "
		mapped  = `redef Log::default_field_name_map = {["id.orig_h"] = "src", ["id.resp_h"] = "dst"}; `
		pairs   = "src=id.orig_h,dst=id.resp_h"
		noMeta  = "redef LogAscii::include_meta = F; "
		tsvOnly = `event zeek_init() &priority=-5 { local f = Log::get_filter(Conn::LOG, "default"); f$config = table(["tsv"] = "T"); Log::add_filter(Conn::LOG, f); } `
		extends = `type Ext: record { w: time &log; n: string &log; }; function ext(path: string): Ext { return Ext($w = network_time(), $n = "x"); } redef Log::default_ext_func = ext; `
	)
	for _, tc := range []struct{ script, names string }{
		{`redef Log::default_scope_sep = "_";`, ""},
		{`redef Log::default_scope_sep = "->";`, ""},
		{`redef Log::default_scope_sep = "_"; ` + json, ""},
		{extends, ""},
		{extends + json + `redef Log::default_scope_sep = ":";`, ""},
		{mapped, pairs},
		{mapped, zeeksNames},
		{mapped + json, pairs},
		{mapped + tsvOnly, pairs},
		{mapped + tsvOnly, zeeksNames},
		{`redef LogAscii::meta_prefix = "//";`, ""},
		{`redef LogAscii::meta_prefix = "";`, ""},
		{`redef LogAscii::meta_prefix = "1";`, ""},
		{`redef LogAscii::meta_prefix = "my meta "; redef LogAscii::separator = " ";`, ""},
		{`redef LogAscii::meta_prefix = "%%"; redef LogAscii::separator = "||"; redef LogAscii::unset_field = "NULL";`, ""},
		{noMeta, zeeksNames},
		{noMeta + `redef LogAscii::separator = "|";`, zeeksNames},
		{noMeta + `redef LogAscii::separator = ","; redef LogAscii::set_separator = ";";`, zeeksNames},
		{tsvOnly, ""},
		{tsvOnly + `redef LogAscii::separator = ";";`, ""},
		{`redef LogAscii::separator = "|";`, ""},
		{`redef LogAscii::separator = "#";`, ""},
		{`redef LogAscii::separator = "\x01";`, ""},
		{`redef LogAscii::set_separator = ";";`, ""},
		{`redef LogAscii::unset_field = ""; redef LogAscii::empty_field = "E";`, ""},
		{`redef LogAscii::unset_field = ""; redef LogAscii::empty_field = "";`, ""},
		{"redef LogAscii::enable_utf_8 = F;", ""},
		{json, ""},
		{json + "redef LogAscii::json_timestamps = JSON::TS_ISO8601;", ""},
		{json + "redef LogAscii::json_timestamps = JSON::TS_MILLIS;", ""},
		{json + "redef LogAscii::json_include_unset_fields = T;", ""},
	} {
		t.Run(tc.script+" "+tc.names[:min(len(tc.names), 6)], func(t *testing.T) {
			got := read(t, log(t, tc.script), tc.names)
			require.Len(t, got, len(want))
			for i := range got {
				expected := want[i]
				if strings.Contains(tc.script, "TS_MILLIS") {
					expected.TS -= expected.TS % 1000
				}
				require.Equal(t, expected, got[i])
			}
		})
	}
}
