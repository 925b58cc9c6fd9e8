// Command suffixes makes model/domain/suffixes.txt of the rules of the public
// suffix list (https://publicsuffix.org) that golang.org/x/net/publicsuffix has,
// in the version that go.mod names:
//
//	go run ./internal/suffixes > model/domain/suffixes.txt
//
// That package keeps its table to itself, but for the list of rules that its
// tests go through: it is read there. Names are as DNS has them, with xn--. The
// same version gives the same bytes.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if err := write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "suffixes:", err)
		os.Exit(1)
	}
}

// write writes the table.
func write(w io.Writer) error {
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "golang.org/x/net/publicsuffix").Output()
	if err != nil {
		return fmt.Errorf("looking for golang.org/x/net/publicsuffix: %w", err)
	}
	folder := strings.TrimSpace(string(dir))
	rules, err := stringsOf(filepath.Join(folder, "table_test.go"), "rules")
	if err != nil {
		return err
	}
	version, err := stringsOf(filepath.Join(folder, "table.go"), "version")
	if err != nil {
		return err
	}
	if len(rules) < 5000 || len(version) != 1 {
		return fmt.Errorf("%s: %d rules and %d versions, want thousands and one", folder, len(rules), len(version))
	}
	slices.Sort(rules)
	_, err = fmt.Fprintf(w, "# %d rules of %s (Mozilla Public License 2.0), by go run ./internal/suffixes\n%s\n", len(rules), version[0], strings.Join(rules, "\n"))
	return err
}

// stringsOf returns the strings in the value of a variable or constant of a Go file.
func stringsOf(path, name string) (list []string, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return nil, err
	}
	for _, d := range file.Decls {
		ast.Inspect(d, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || spec.Names[0].Name != name {
				return true
			}
			for _, v := range spec.Values {
				ast.Inspect(v, func(n ast.Node) bool {
					if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
						s, e := strconv.Unquote(lit.Value)
						list, err = append(list, s), e
					}
					return err == nil
				})
			}
			return false
		})
	}
	return list, err
}
