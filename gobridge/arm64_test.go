//go:build cgo

package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// The library for 64-bit ARM, built on this machine, is loaded by a host of that
// kind under QEMU, scores with the digits of this machine, and learns.
func TestARM64GetsTheDigitsOfThisMachine(t *testing.T) {
	qemu := testenv.Program(t, "qemu-aarch64-static")
	gcc := testenv.Program(t, "aarch64-linux-gnu-gcc")
	library := build(t, "libarm64.so", "env", "GOOS=linux", "GOARCH=arm64", "CC="+gcc, "go", "build", "-buildmode=c-shared")
	host := build(t, "host-arm64", gcc, "-O2", "-Wall", "-Wextra", "-Werror", "testdata/host.c", "-ldl")

	conns := office(1500, 1)
	var input bytes.Buffer
	for i := range conns {
		fmt.Fprintln(&input, hostLine(&conns[i]))
	}
	run := func(args ...string) string {
		var out, errs bytes.Buffer
		cmd := exec.Command(qemu, append([]string{"-L", "/usr/aarch64-linux-gnu", host}, args...)...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input.Bytes()), &out, &errs
		require.NoError(t, cmd.Run(), "%s", errs.String())
		return out.String()
	}
	m, path := train(t, conns, 1)
	require.Equal(t, goScores(t, &stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(model.DefaultHosts)), conns), run(library, path))

	dir := t.TempDir()
	run("--learn", dir, "--seed", "5", library, "-")
	require.Equal(t, asSensor(t, conns, 5).Fingerprint(), modelIn(t, dir).Fingerprint())
}
