package zeek_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// tools are what build.sh and bundle/take may use on a machine without a
// compiler: what the smallest images of Debian have.
var tools = []string{
	"sh", "cat", "cut", "dirname", "basename", "sed", "grep", "tr", "ls", "head", "sort", "mktemp", "mkdir", "rm", "cp", "mv", "test", "printf", "env",
	"tar", "gzip", "sha256sum",
}

// machine is a PATH with the tools and what a test adds to it.
type machine struct {
	t   *testing.T
	bin string
	env []string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	testenv.OS(t, "linux")
	m := &machine{t: t, bin: t.TempDir()}
	for _, name := range tools {
		path := testenv.Program(t, name)
		require.NoError(t, os.Symlink(path, filepath.Join(m.bin, name)))
	}
	m.has("uname", "echo x86_64")
	m.has("getconf", "echo glibc 2.36")
	return m
}

// has adds a program to the machine.
func (m *machine) has(name, script string) {
	m.t.Helper()
	require.NoError(m.t, os.WriteFile(filepath.Join(m.bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
}

// zeek adds a Zeek of that version, with or without what plugins are built with.
func (m *machine) zeek(version string, development bool) {
	m.t.Helper()
	modules := m.t.TempDir()
	if development {
		require.NoError(m.t, os.WriteFile(filepath.Join(modules, "ZeekPlugin.cmake"), nil, 0o644))
	}
	m.has("zeek-config", fmt.Sprintf("case $1 in --version) echo %s ;; --cmake_dir) echo %s ;; esac", version, modules))
	m.has("zeek", "exit 0")
}

// run runs a script of the package.
func (m *machine) run(script string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(testenv.Root(m.t), "zeek-pkg", script), args...)
	cmd.Env = append([]string{"PATH=" + m.bin, "TMPDIR=" + m.t.TempDir()}, m.env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// bundle writes a bundle with these lines in BUNDLE, a plugin and a command.
func (m *machine) bundle(dir string, lines map[string]string) string {
	m.t.Helper()
	inner := archive(m.t, map[string]string{"IForest_Scorer/__zeek_plugin__": "IForest::Scorer\n", "IForest_Scorer/lib/x.so": "plugin"})
	files := map[string]string{"IForest_Scorer.tgz": string(inner), "bin/zeek-iforest": "command"}
	var about, sums strings.Builder
	for _, name := range []string{"version", "zeek", "arch", "glibc", "sources"} {
		fmt.Fprintf(&about, "%s=%s\n", name, lines[name])
	}
	files["BUNDLE"] = about.String()
	var names []string
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(&sums, "%x  ./%s\n", sha256.Sum256([]byte(files[name])), name)
	}
	files["SHA256SUMS"] = sums.String()
	whole := map[string]string{}
	for name, text := range files {
		whole["b/"+name] = text
	}
	path := filepath.Join(dir, fmt.Sprintf("zeek-iforest-%s-zeek-%s-linux-%s-glibc%s.tar.gz", lines["version"], lines["zeek"], lines["arch"], lines["glibc"]))
	data := archive(m.t, whole)
	require.NoError(m.t, os.WriteFile(path, data, 0o644))
	require.NoError(m.t, os.WriteFile(path+".sha256", fmt.Appendf(nil, "%x  %s\n", sha256.Sum256(data), filepath.Base(path)), 0o644))
	return path
}

func archive(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, text := range files {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}))
		_, err := w.Write([]byte(text))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	return b.Bytes()
}

// sources is what bundle/sources prints for this package.
func sources(t *testing.T) string {
	t.Helper()
	out, err := exec.Command(filepath.Join(testenv.Root(t), "zeek-pkg", "bundle", "sources")).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

func packageVersion(t *testing.T) string {
	t.Helper()
	v, err := os.ReadFile(filepath.Join(testenv.Root(t), "internal", "version", "VERSION"))
	require.NoError(t, err)
	return strings.TrimSpace(string(v))
}

// A bundle that fits is put where a build would have put it, without a compiler,
// cmake or Go.
func TestBundleIsTakenWithoutACompiler(t *testing.T) {
	m := newMachine(t)
	m.zeek("8.0.10", false)
	dir, build := t.TempDir(), t.TempDir()
	fits := map[string]string{"version": packageVersion(t), "zeek": "8.0.10", "arch": "x86_64", "glibc": "2.34", "sources": sources(t)}
	path := m.bundle(dir, fits)
	for _, from := range []string{path, dir} {
		out, err := m.run("bundle/take", from, build)
		require.NoError(t, err, out)
		require.Contains(t, out, "nothing compiled")
		for name, want := range map[string]string{"zeek-pkg/__zeek_plugin__": "IForest::Scorer\n", "zeek-pkg/lib/x.so": "plugin", "bin/zeek-iforest": "command"} {
			got, err := os.ReadFile(filepath.Join(build, name))
			require.NoError(t, err)
			require.Equal(t, want, string(got))
		}
		require.FileExists(t, filepath.Join(build, "zeek-pkg", "IForest_Scorer.tgz"))
	}
}

// Of a folder's bundles the one is taken that this machine's C library is new
// enough for.
func TestBundleForAnOlderSystemIsTaken(t *testing.T) {
	m := newMachine(t)
	m.zeek("8.0.10", false)
	dir, build := t.TempDir(), t.TempDir()
	for _, glibc := range []string{"2.28", "2.38", "2.39"} {
		m.has("getconf", "echo glibc 2.36")
		m.bundle(dir, map[string]string{"version": packageVersion(t), "zeek": "8.0.10", "arch": "x86_64", "glibc": glibc, "sources": sources(t)})
	}
	out, err := m.run("bundle/take", dir, build)
	require.NoError(t, err, out)
	require.Contains(t, out, "-linux-x86_64-glibc2.28.tar.gz, nothing compiled")
}

// A bundle that needs newer symbols than the system has which it is made for is
// refused.
func TestBundleIsForTheSystemThatItClaims(t *testing.T) {
	testenv.OS(t, "linux")
	gcc := testenv.Program(t, "g++")
	testenv.Program(t, "readelf")
	source := filepath.Join(t.TempDir(), "x.cc")
	library := source + ".so"
	require.NoError(t, os.WriteFile(source, []byte("#include <dlfcn.h>\nint main() { return dlopen(\"x\", 0) != nullptr; }\n"), 0o644))
	out, err := exec.Command(gcc, "-shared", "-fPIC", "-o", library, source).CombinedOutput()
	require.NoError(t, err, "%s", out)
	claim := func(system string) (string, error) {
		out, err := exec.Command(filepath.Join(testenv.Root(t), "zeek-pkg", "bundle", "claim"), system, library).CombinedOutput()
		return string(out), err
	}
	said, err := claim("el8")
	require.Error(t, err)
	require.Contains(t, said, "error: a bundle for el8 cannot need glibc 2.34: el8 has 2.28")
	require.Contains(t, said, "hint: build it on el8, or on an older system")
	for _, system := range []string{"el9", "debian12"} {
		said, err = claim(system)
		require.NoError(t, err, said)
	}
	said, err = claim("el7")
	require.Error(t, err)
	require.Contains(t, said, `there is no system "el7"`)
	require.Contains(t, said, "want one of el8 el9 ubuntu22.04 debian12 debian13 or none")
}

// Whatever a machine lacks, the build ends with what to do next.
func TestBuildSaysWhatToDo(t *testing.T) {
	fits := func(t *testing.T) map[string]string {
		return map[string]string{"version": packageVersion(t), "zeek": "8.0.10", "arch": "x86_64", "glibc": "2.34", "sources": sources(t)}
	}
	take := func(m *machine, path string) { m.env = append(m.env, "IFOREST_BUNDLE="+path) }
	of := func(change map[string]string) func(*machine) {
		return func(m *machine) {
			lines := fits(m.t)
			for name, value := range change {
				lines[name] = value
			}
			take(m, m.bundle(m.t.TempDir(), lines))
		}
	}
	for _, test := range []struct {
		name, zeek  string
		development bool
		prepare     func(*machine)
		want, hint  string
	}{
		{"no Zeek", "", false, nil, "zeek-config is not on PATH", "put Zeek's bin folder on PATH"},
		{"old Zeek", "7.0.5", true, nil, "this is Zeek 7.0.5, and the package needs 8.0 or later", "upgrade Zeek; until then zeek-iforest score"},
		{"older Zeek", "6.2.1", true, nil, "this is Zeek 6.2.1", "upgrade Zeek"},
		{"no development files", "8.0.10", false, nil, "files for building plugins are not in", "install the -dev package of Zeek 8.0.10, or take a bundle"},
		{"no cmake", "8.0.10", true, nil, "cmake is not on PATH", "apt install cmake"},
		{"no compiler", "8.0.10", true, func(m *machine) { m.has("cmake", "exit 0") }, "no C++ compiler is on PATH", "apt install g++"},
		{"no bundle there", "8.0.10", false, func(m *machine) { take(m, "/absent.tar.gz") }, "/absent.tar.gz, which is not there", "name a bundle, or the folder"},
		{"empty folder", "8.0.10", false, func(m *machine) { take(m, m.t.TempDir()) }, "wanted is zeek-iforest-" + packageVersion(t) + "-zeek-8.0.10-linux-x86_64-….tar.gz, there is none", "make one on a machine with the same Zeek"},
		{"folder for others", "8.2.2", false, func(m *machine) { dir := m.t.TempDir(); m.bundle(dir, fits(m.t)); take(m, dir) }, "zeek-8.2.2-linux-x86_64-….tar.gz, there is zeek-iforest-", "zeek-pkg/bundle/make"},
		{"no checksum", "8.0.10", false, func(m *machine) {
			path := m.bundle(m.t.TempDir(), fits(m.t))
			require.NoError(m.t, os.Remove(path+".sha256"))
			take(m, path)
		}, "there is no zeek-iforest-", "copy it from where the bundle comes from"},
		{"damaged", "8.0.10", false, func(m *machine) {
			path := m.bundle(m.t.TempDir(), fits(m.t))
			data, err := os.ReadFile(path)
			require.NoError(m.t, err)
			data[len(data)/2]++
			require.NoError(m.t, os.WriteFile(path, data, 0o644))
			take(m, path)
		}, "is damaged: its SHA-256 is", "copy the bundle and its .sha256 again"},
		{"another file", "8.0.10", false, func(m *machine) {
			path := filepath.Join(m.t.TempDir(), "x.tar.gz")
			data := archive(m.t, map[string]string{"x/y": "z"})
			require.NoError(m.t, os.WriteFile(path, data, 0o644))
			require.NoError(m.t, os.WriteFile(path+".sha256", fmt.Appendf(nil, "%x  x\n", sha256.Sum256(data)), 0o644))
			take(m, path)
		}, "is not a bundle of zeek-iforest", "zeek-pkg/bundle/make makes one"},
		{"another Zeek's", "8.0.10", false, of(map[string]string{"zeek": "8.0.9"}), "the bundle is for Zeek 8.0.9, and this is 8.0.10", "take the one for 8.0.10"},
		{"another processor's", "8.0.10", false, of(map[string]string{"arch": "aarch64"}), "the bundle is for aarch64, and this machine is x86_64", "take the one for x86_64"},
		{"another version's", "8.0.10", false, of(map[string]string{"sources": "0123456789abcdef"}), "made of another version of the package", "of one release"},
		{"older C library", "8.0.10", false, of(map[string]string{"glibc": "2.38"}), "needs glibc 2.38 or later, and this is 2.36", "make one on a machine like this"},
		{"no C library of that kind", "8.0.10", false, func(m *machine) { m.has("getconf", "exit 1"); of(nil)(m) }, "this machine has no glibc", "Alpine cannot run it"},
		{"does not load", "8.0.10", false, func(m *machine) { m.has("zeek", "echo undefined symbol; exit 1"); of(nil)(m) }, "does not load the bundle's plugin: undefined symbol", "make one on a machine like this"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t)
			if test.zeek != "" {
				m.zeek(test.zeek, test.development)
			}
			if test.prepare != nil {
				test.prepare(m)
			}
			out, err := m.run("build.sh")
			require.Error(t, err, out)
			require.Contains(t, out, "zeek-iforest: error: ")
			require.Contains(t, out, test.want)
			require.Contains(t, out, "zeek-iforest: hint: ")
			_, hint, _ := strings.Cut(out, "hint: ")
			require.Contains(t, hint, test.hint)
		})
	}
}
