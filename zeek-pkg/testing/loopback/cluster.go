//go:build linux

package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:embed node.zeek
var nodeScript []byte

func workerName(i int) string { return fmt.Sprintf("worker-%d", i+1) }

// cluster is one that has ended: the folders of its nodes.
type cluster struct {
	dir     string
	workers []string
	owners  []string
	ended   chan *node
}

// node is a Zeek that runs.
type node struct {
	name string
	cmd  *exec.Cmd
	err  error // where it has ended
}

// runCluster runs a cluster until its workers have read their traces.
func runCluster(s settings, name string, args ...string) (c *cluster, err error) {
	c = &cluster{dir: filepath.Join(s.dir, name)}
	if err := os.RemoveAll(c.dir); err != nil {
		return nil, err
	}
	others := []string{"manager", "logger"}
	for i := range s.proxies {
		others = append(others, fmt.Sprintf("proxy-%d", i+1))
	}
	if c.owners = others[2:]; s.proxies == 0 {
		c.owners = others[:1]
	}
	for i := range s.workers {
		c.workers = append(c.workers, workerName(i))
	}
	if err := c.layout(s, others); err != nil {
		return nil, err
	}
	// A cluster that stands still ends.
	ctx, stop := context.WithTimeout(context.Background(), time.Duration(s.seconds)*10*time.Second+5*time.Minute)
	defer stop()
	c.ended = make(chan *node, len(others)+s.workers)
	var all []*node
	defer func() {
		for _, n := range all {
			_ = n.cmd.Process.Kill() // it may have ended
		}
	}()
	for _, name := range others {
		n, err := c.start(ctx, s, name, args...)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	for i, name := range c.workers {
		n, err := c.start(ctx, s, name, append([]string{"--pseudo-realtime", "-r", filepath.Join(s.dir, traceName(i, s.workers))}, args...)...)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	for range s.workers {
		if err := c.workerEnds(); err != nil {
			return nil, err
		}
	}
	for _, n := range all[:len(others)] {
		_ = n.cmd.Process.Signal(syscall.SIGTERM) // where it has ended that is no matter
	}
	for range others {
		select {
		case <-c.ended:
		case <-time.After(20 * time.Second): // a logger may hang when all is written (testing/Scripts/cluster-nodes)
		}
	}
	return c, nil
}

// workerEnds waits for a worker's end; another node's, and a failure, is an error.
func (c *cluster) workerEnds() error {
	n := <-c.ended
	if n.err == nil && !strings.HasPrefix(n.name, "worker") {
		n.err = errors.New("it ended before the workers did")
	}
	if n.err != nil {
		return fmt.Errorf("%s: %w; see %s", n.name, n.err, filepath.Join(c.dir, n.name, "stderr"))
	}
	return nil
}

func (c *cluster) start(ctx context.Context, s settings, name string, args ...string) (*node, error) {
	dir := filepath.Join(c.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	said, err := os.Create(filepath.Join(dir, "stderr"))
	if err != nil {
		return nil, err
	}
	defer said.Close()
	args = append(args, append(s.model(), "IForest::Scorer", s.pkg(), "../node.zeek")...)
	cmd := exec.CommandContext(ctx, "zeek", append([]string{"-C", "-b"}, args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, said, said
	cmd.Env = append(os.Environ(), "CLUSTER_NODE="+name)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	path, err := exec.Command("zeek-config", "--zeekpath").Output()
	if err != nil {
		return nil, fmt.Errorf("zeek-config: %w", err)
	}
	cmd.Env = append(cmd.Env, "ZEEKPATH=..:"+strings.TrimSpace(string(path)))
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	n := &node{name: name, cmd: cmd}
	go func() {
		n.err = cmd.Wait()
		c.ended <- n
	}()
	return n, nil
}

// layout writes cluster-layout.zeek and the nodes' script.
func (c *cluster) layout(s settings, others []string) error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	names := append(append([]string{}, others...), c.workers...)
	ports, err := freePorts(len(names) + 2)
	if err != nil {
		return err
	}
	var l strings.Builder
	// As zeekctl writes it. Any later is too late: the manager would keep its notices.
	l.WriteString("redef Cluster::manager_is_logger = F;\nredef Cluster::nodes = {\n")
	for i, name := range names {
		kind, _, _ := strings.Cut(name, "-")
		manager := `, $manager="manager"`
		if name == "manager" {
			manager = ""
		}
		fmt.Fprintf(&l, "\t[%q] = [$node_type=Cluster::%s, $ip=127.0.0.1, $p=%d/tcp%s],\n", name, strings.ToUpper(kind), ports[i], manager)
	}
	l.WriteString("};\n")
	script := string(nodeScript)
	if s.backend == "zeromq" {
		in, out := ports[len(names)], ports[len(names)+1]
		script = fmt.Sprintf(`@load frameworks/cluster/backend/zeromq/connect
redef Cluster::Backend::ZeroMQ::listen_xpub_endpoint = "tcp://127.0.0.1:%d";
redef Cluster::Backend::ZeroMQ::listen_xsub_endpoint = "tcp://127.0.0.1:%d";
redef Cluster::Backend::ZeroMQ::connect_xpub_endpoint = "tcp://127.0.0.1:%d";
redef Cluster::Backend::ZeroMQ::connect_xsub_endpoint = "tcp://127.0.0.1:%d";
`, in, out, out, in) + script
	}
	if err := os.WriteFile(filepath.Join(c.dir, "cluster-layout.zeek"), []byte(l.String()), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.dir, "node.zeek"), []byte(script), 0o600)
}

// freePorts are ports that nobody listens at.
func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
