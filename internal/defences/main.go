// Command defences shows what each defence against faults is for: it takes the
// defence out of a copy of the repository and runs the test that must then fail.
//
//	go run ./internal/defences [-markdown] [WORD ...]    those whose name has the words
//
// Exit status 1 where a test passes all the same. Those of the package in Zeek
// are taken out by zeek-pkg/testing/defences.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// defence is code that stands between a fault and its harm.
type defence struct {
	name    string
	file    string
	without []string // pairs: what to replace, and by what
	pkg     string
	test    string // pattern for go test -run
}

func main() {
	markdown := flag.Bool("markdown", false, "print the table of docs/faults.md")
	flag.Parse()
	if err := run(flag.Args(), *markdown); err != nil {
		fmt.Fprintln(os.Stderr, "defences:", err)
		os.Exit(1)
	}
}

func run(words []string, markdown bool) error {
	copied, err := copyRepository()
	if err != nil {
		return err
	}
	defer os.RemoveAll(copied)
	root := filepath.Join(copied, "main")
	if markdown {
		fmt.Print("| defence | without it fails | saying |\n|---|---|---|\n")
	}
	held := 0
	for _, d := range defences {
		if !named(d.name, words) {
			continue
		}
		failure, err := d.takeOut(root)
		switch {
		case err != nil:
			held++
			fmt.Printf("%s: %v\n", d.name, err)
		case markdown:
			fmt.Printf("| %s | `go test %s -run '%s'` | %s |\n", d.name, d.pkg, strings.ReplaceAll(d.test, "|", `\|`), strings.ReplaceAll(failure, "|", `\|`))
		default:
			fmt.Printf("%s: without it fails go test %s -run '%s': %s\n", d.name, d.pkg, d.test, failure)
		}
	}
	if held > 0 {
		return fmt.Errorf("%d defences could not be shown to defend", held)
	}
	return nil
}

func named(name string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(name, w) {
			return false
		}
	}
	return true
}

// copyRepository copies the files that git knows, as they stand, and puts the
// shared data beside them.
func copyRepository() (dir string, err error) {
	out, err := exec.Command("git", "ls-files", "-z", "--full-name", ":/").Output()
	if err != nil {
		return "", fmt.Errorf("git ls-files: %w", err)
	}
	top, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return "", fmt.Errorf("git rev-parse: %w", err)
	}
	root := strings.TrimSpace(string(top))
	if dir, err = os.MkdirTemp("", "defences"); err != nil {
		return "", err
	}
	for _, name := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) { // removed, not committed yet
			continue
		}
		to := filepath.Join(dir, "main", name)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o755)
		}
		if err == nil {
			err = os.WriteFile(to, data, 0o644)
		}
		if err != nil {
			return dir, err
		}
	}
	if shared, err := filepath.Abs(filepath.Join(root, "..", "shared")); err == nil {
		if err := os.Symlink(shared, filepath.Join(dir, "shared")); err != nil {
			return dir, err
		}
	}
	return dir, nil
}

// takeOut runs the test without the defence and returns what it said.
func (d *defence) takeOut(root string) (failure string, err error) {
	path := filepath.Join(root, d.file)
	before, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	text := string(before)
	for i := 0; i < len(d.without); i += 2 {
		if strings.Count(text, d.without[i]) != 1 {
			return "", fmt.Errorf("%s has %q %d times, not once", d.file, d.without[i], strings.Count(text, d.without[i]))
		}
		text = strings.Replace(text, d.without[i], d.without[i+1], 1)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.WriteFile(path, before, 0o644)) }()
	cmd := exec.Command("go", "test", d.pkg, "-run", d.test, "-vet=off", "-count=1")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return "", fmt.Errorf("%s %s passes without it", d.pkg, d.test)
	case strings.Contains(string(out), "[build failed]"):
		return "", fmt.Errorf("does not build without it: %s", out)
	case !strings.Contains(string(out), "--- FAIL"):
		return "", fmt.Errorf("the test did not fail but: %s", out)
	}
	return said(string(out)), nil
}

// said is the first thing that a failed test said: testify's message or error.
func said(out string) string {
	lines := strings.Split(out, "\n")
	for i, line := range lines {
		what, text, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || what != "Error" && what != "Messages" {
			continue
		}
		if text = strings.TrimSpace(text); text == "" && i+1 < len(lines) { // a long value stands below
			text = strings.TrimSpace(lines[i+1])
		}
		for _, more := range lines[i+1:] { // the message says more than the comparison
			if m, ok := strings.CutPrefix(strings.TrimSpace(more), "Messages:"); ok {
				text += "; " + strings.TrimSpace(m)
				break
			}
			if strings.HasPrefix(strings.TrimSpace(more), "--- ") {
				break
			}
		}
		if len(text) > 200 {
			text = strings.ToValidUTF8(text[:200], "") + " …"
		}
		return text
	}
	for _, line := range lines {
		if strings.Contains(line, "panic:") {
			return strings.TrimSpace(line)
		}
	}
	return "--- FAIL"
}
