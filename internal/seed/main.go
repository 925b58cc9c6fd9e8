// Command seed makes the seed model (model/seed) of public captures: Zeek's own
// test traces and those in testdata/pcaps.
//
//	git clone https://github.com/zeek/zeek
//	go run ./internal/seed --traces zeek/testing/btest/Traces
//
// The same captures give the same bytes. captures.tsv names them with their
// hashes; one that is missing or another is an error.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

func main() {
	traces := pflag.String("traces", "", "the `FOLDER` testing/btest/Traces of Zeek's repository")
	own := pflag.String("own", "testdata/pcaps", "the `FOLDER` with the captures of this repository")
	out := pflag.StringP("output", "o", "model/seed/seed.model", "write the model to `FILE`")
	draw := pflag.Uint64("seed", model.DefaultSeed, "`NUMBER` from which all that is random is drawn")
	list := pflag.Bool("list", false, "write captures.tsv anew on standard output, of what lies in the folders")
	pflag.Parse()
	folders := map[string]string{"zeek": *traces, "own": *own}
	if err := run(folders, *out, *draw, *list); err != nil {
		fmt.Fprintf(os.Stderr, "seed: error: %v\n", err)
		os.Exit(2)
	}
}

func run(folders map[string]string, out string, draw uint64, list bool) error {
	for name, folder := range folders {
		if folder == "" {
			return fmt.Errorf("no folder for the captures of %q: --traces names testing/btest/Traces of Zeek's repository", name)
		}
	}
	if list {
		return listCaptures(os.Stdout, folders)
	}
	m, rows, err := makeSeed(folders, draw)
	if err != nil {
		return err
	}
	if err := m.WriteFile(out); err != nil {
		return err
	}
	fmt.Printf("%s: model %s of %d connections, %d bytes\n", filepath.Clean(out), m.Fingerprint(), rows, len(m.Bytes()))
	return nil
}

// makeSeed learns from a site in which people do what the captures hold.
func makeSeed(folders map[string]string, draw uint64) (*model.Model, int, error) {
	captures, err := readCaptures(folders)
	if err != nil {
		return nil, 0, err
	}
	site := play(captures, draw)
	rest := site
	m, _, err := learn.Fit(func(c *conn.Conn) error {
		if len(rest) == 0 {
			return io.EOF
		}
		*c, rest = rest[0], rest[1:]
		return nil
	}, learn.Options{Seed: draw})
	if err != nil {
		return nil, 0, errors.Join(errors.New("no model of the captures"), err)
	}
	return m, len(site), nil
}
