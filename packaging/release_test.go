// Package packaging tests what a release of the command line publishes, as it
// is installed.
package packaging

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/internal/version"
)

// output runs a program in the repository's root.
func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = testenv.Root(t)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s %s: %s", program, strings.Join(args, " "), &stderr)
	return string(out)
}

// release makes a release of this machine's platform.
func release(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	output(t, ".ci/release", dir, runtime.GOOS+"/"+runtime.GOARCH)
	return dir
}

// published is the folder that IFOREST_RELEASE names, a whole release, or one of
// this platform that is made here.
func published(t *testing.T) (dir string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a release")
	}
	testenv.OS(t, "linux")
	if dir := os.Getenv("IFOREST_RELEASE"); dir != "" {
		return dir
	}
	if err := exec.Command("go", "mod", "download", "github.com/goreleaser/nfpm/v2@v2.45.0").Run(); err != nil {
		testenv.Skip(t, "nfpm", "it could not be downloaded")
	}
	return release(t)
}

// one is the file of the folder with that pattern.
func one(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	require.Len(t, found, 1, pattern)
	return found[0]
}

// installed is what a package puts below a root, and where.
var installed = map[string]string{
	"deb": "usr/share/zsh/vendor-completions/_zeek-iforest",
	"rpm": "usr/share/zsh/site-functions/_zeek-iforest",
}

// useInstalled uses what was installed below root.
func useInstalled(t *testing.T, root, kind string) {
	t.Helper()
	program := filepath.Join(root, "usr/bin/zeek-iforest")
	require.Contains(t, output(t, program, "--version"), version.String())
	require.Contains(t, output(t, program, "replay", "--top", "1", "testdata/pcaps/http.pcap"), "score")
	require.FileExists(t, filepath.Join(root, installed[kind]))
	require.FileExists(t, filepath.Join(root, "usr/share/fish/vendor_completions.d/zeek-iforest.fish"))
	require.FileExists(t, filepath.Join(root, "usr/share/doc/zeek-iforest/copyright"))
	require.Contains(t, output(t, "gzip", "-dc", filepath.Join(root, "usr/share/man/man1/zeek-iforest.1.gz")), ".TH ZEEK")
	require.Equal(t, "complete -o default -F _zeek_iforest zeek-iforest\n",
		output(t, "bash", "-c", `source "$0" && complete -p zeek-iforest`, filepath.Join(root, "usr/share/bash-completion/completions/zeek-iforest")))
}

func TestRelease(t *testing.T) {
	dir := published(t)
	platform := "linux_" + runtime.GOARCH
	sums, err := os.ReadFile(filepath.Join(dir, "checksums.txt"))
	require.NoError(t, err)

	t.Run("checksums", func(t *testing.T) {
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		var want strings.Builder
		for _, f := range files {
			if f.Name() == "checksums.txt" {
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, f.Name()))
			require.NoError(t, err)
			sum := sha256.Sum256(data)
			want.WriteString(hex.EncodeToString(sum[:]) + "  " + f.Name() + "\n")
		}
		require.Equal(t, want.String(), string(sums))
	})

	unpacked := t.TempDir()
	output(t, "tar", "-C", unpacked, "-xzf", one(t, dir, "zeek-iforest_*_"+platform+".tar.gz"))
	folder := one(t, unpacked, "*")
	program := filepath.Join(folder, "zeek-iforest")

	t.Run("archive", func(t *testing.T) {
		require.Contains(t, output(t, program, "--version"), version.String())
		for _, file := range []string{"LICENSE", "README.md", "man/zeek-iforest.1", "completions/zeek-iforest.bash", "completions/_zeek-iforest", "completions/zeek-iforest.fish"} {
			require.FileExists(t, filepath.Join(folder, file))
		}
	})

	t.Run("bill of materials", func(t *testing.T) {
		data, err := os.ReadFile(one(t, dir, "zeek-iforest_*_"+platform+".cdx.json"))
		require.NoError(t, err)
		var bill struct {
			BOMFormat  string
			Components []struct{ Name, Version string }
		}
		require.NoError(t, json.Unmarshal(data, &bill))
		require.Equal(t, "CycloneDX", bill.BOMFormat)
		got := make(map[string]string)
		for _, c := range bill.Components {
			got[c.Name] = c.Version
		}
		info, err := buildinfo.ReadFile(program)
		require.NoError(t, err)
		require.NotEmpty(t, info.Deps)
		for _, m := range info.Deps {
			require.Equal(t, m.Version, got[m.Path], m.Path)
		}
		require.Equal(t, info.GoVersion, "go"+strings.TrimPrefix(got["std"], "go"))
	})

	root := func(t *testing.T) {
		if os.Getuid() != 0 {
			testenv.Skip(t, "root", "a package's files belong to root")
		}
	}

	t.Run("deb", func(t *testing.T) {
		root(t)
		dpkg := testenv.Program(t, "dpkg")
		under := t.TempDir()
		for _, d := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "var/log"} {
			require.NoError(t, os.MkdirAll(filepath.Join(under, d), 0o755))
		}
		require.NoError(t, os.WriteFile(filepath.Join(under, "var/lib/dpkg/status"), nil, 0o644))
		arch := strings.TrimSpace(output(t, dpkg, "--print-architecture"))
		output(t, dpkg, "--root="+under, "--install", one(t, dir, "zeek-iforest_*_"+arch+".deb"))
		useInstalled(t, under, "deb")
		output(t, dpkg, "--root="+under, "--purge", "zeek-iforest")
		require.NoFileExists(t, filepath.Join(under, "usr/bin/zeek-iforest"))
	})

	t.Run("rpm", func(t *testing.T) {
		root(t)
		rpm := testenv.Program(t, "rpm")
		under := t.TempDir()
		arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
		output(t, rpm, "--root", under, "--install", one(t, dir, "zeek-iforest-*."+arch+".rpm"))
		useInstalled(t, under, "rpm")
		output(t, rpm, "--root", under, "--erase", "zeek-iforest")
		require.NoFileExists(t, filepath.Join(under, "usr/bin/zeek-iforest"))
	})

	t.Run("again", func(t *testing.T) {
		again, err := os.ReadFile(filepath.Join(release(t), "checksums.txt"))
		require.NoError(t, err)
		for line := range strings.Lines(string(again)) {
			require.Contains(t, string(sums), line, "the same commit and Go give the same bytes")
		}
	})
}

func TestReleaseRefuses(t *testing.T) {
	testenv.OS(t, "linux")
	for name, tc := range map[string]struct {
		tag, file, want string
	}{
		"another version's tag": {tag: "v99.0.0", want: "the tag is v99.0.0, but internal/version/VERSION says"},
		"a folder with files":   {file: "old.deb", want: "is not empty"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if tc.file != "" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, tc.file), nil, 0o644))
			}
			cmd := exec.Command(filepath.Join(testenv.Root(t), ".ci/release"), dir)
			cmd.Env = append(os.Environ(), "TAG="+tc.tag)
			out, err := cmd.CombinedOutput()
			require.Error(t, err)
			require.Equal(t, 2, cmd.ProcessState.ExitCode())
			require.Contains(t, string(out), tc.want)
		})
	}
}

// homebrew is as much of Homebrew as the formula needs: it prints the archive of
// each platform, and installs below a folder.
const homebrew = `
class Formula
  def self.desc(_) end
  def self.homepage(_) end
  def self.license(_) end
  def self.test; end
  def self.version(v) puts "version #{v}" end
  %w[macos linux].each { |os| define_singleton_method("on_#{os}") { |&b| @os = os; b.call } }
  %w[arm intel].each { |cpu| define_singleton_method("on_#{cpu}") { |&b| @cpu = cpu; b.call } }
  def self.url(u) @url = u end
  def self.sha256(s) puts "#{@os} #{@cpu} #{s} #{@url}" end
  Folder = Struct.new(:name) do
    def install(what)
      from = what.is_a?(Hash) ? what.keys.first : what
      raise "no #{from}" unless File.exist?(from)
      puts "#{name} #{from}"
    end
  end
  %w[bin man1 bash_completion zsh_completion fish_completion].each { |f| define_method(f) { Folder.new(f) } }
end
load ARGV[0]
Dir.chdir(ARGV[1]) { ZeekIforest.new.install }
`

func TestFormula(t *testing.T) {
	ruby := testenv.Program(t, "ruby")
	dir := t.TempDir()
	sums := filepath.Join(dir, "checksums.txt")
	var text, want strings.Builder
	v := version.String()
	want.WriteString("version " + v + "\n")
	for i, p := range [][3]string{{"darwin_arm64", "macos", "arm"}, {"darwin_amd64", "macos", "intel"}, {"linux_arm64", "linux", "arm"}, {"linux_amd64", "linux", "intel"}} {
		sum := strings.Repeat(string(rune('a'+i)), 64)
		archive := "zeek-iforest_" + v + "_" + p[0] + ".tar.gz"
		text.WriteString(sum + "  " + archive + "\n")
		want.WriteString(p[1] + " " + p[2] + " " + sum + " https://github.com/zeek-iforest/zeek-iforest/releases/download/v" + v + "/" + archive + "\n")
	}
	want.WriteString("bin zeek-iforest\nman1 man/zeek-iforest.1\nbash_completion completions/zeek-iforest.bash\nzsh_completion completions/_zeek-iforest\nfish_completion completions/zeek-iforest.fish\n")
	require.NoError(t, os.WriteFile(sums, []byte(text.String()), 0o644))
	formula := filepath.Join(dir, "zeek-iforest.rb")
	require.NoError(t, os.WriteFile(formula, []byte(output(t, "packaging/formula", sums)), 0o644))
	require.Equal(t, "Syntax OK\n", output(t, ruby, "-c", formula))

	archive := filepath.Join(dir, "archive")
	for _, file := range []string{"zeek-iforest", "man/zeek-iforest.1", "completions/zeek-iforest.bash", "completions/_zeek-iforest", "completions/zeek-iforest.fish"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(archive, file)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(archive, file), nil, 0o644))
	}
	require.Equal(t, want.String(), output(t, ruby, "-e", homebrew, formula, archive))

	require.NoError(t, os.WriteFile(sums, []byte(strings.SplitAfter(text.String(), "\n")[0]), 0o644))
	require.Error(t, exec.Command(filepath.Join(testenv.Root(t), "packaging/formula"), sums).Run(), "an archive is missing")
}

// zkg reads dependencies as pairs of a name and a version, else it drops all.
func TestPackageMetadata(t *testing.T) {
	root := testenv.Root(t)
	text, err := os.ReadFile(filepath.Join(root, "zkg.meta"))
	require.NoError(t, err)
	fields := make(map[string]string)
	field := ""
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, " ="); ok && !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "#") {
			field = name
			fields[field] = strings.TrimSpace(value)
		} else if strings.HasPrefix(line, " ") {
			fields[field] = strings.TrimSpace(fields[field] + " " + strings.TrimSpace(line))
		}
	}
	for _, name := range []string{"depends", "external_depends"} {
		words := strings.Fields(fields[name])
		require.NotEmpty(t, words, name)
		require.Zero(t, len(words)%2, "%s: %q", name, fields[name])
		for i := 1; i < len(words); i += 2 {
			require.Regexp(t, regexp.MustCompile(`^([<>=~^!]+[\w.]+|\*)$`), words[i], name)
		}
	}
	require.DirExists(t, filepath.Join(root, fields["script_dir"]))
	require.FileExists(t, filepath.Join(root, fields["config_files"]))
	for _, name := range []string{"build_command", "test_command"} {
		require.FileExists(t, filepath.Join(root, strings.Fields(fields[name])[0]))
	}
}
