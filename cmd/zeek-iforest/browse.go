package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/internal/browse"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
)

var browseVerb = verb{
	name:     "browse",
	logs:     true,
	synopsis: "[-m MODEL] [--allow FILE] [CONN.LOG …|LOGDIR]",
	short:    "look through scored connections on a local page",
	about: `Reads the logs, prints the address of a page and serves it until Ctrl-C: the incidents
of the day, the time line, all connections by host, service, score and reason, why one
is strange, and two buttons, expected and bad, that write what zeek-iforest label does
into the allow-list. Before they do, the page shows which alerts would change.

The page is there for this machine only, on a port that the system chooses, and its
address is a secret; over SSH, forward the port (ssh -L PORT:127.0.0.1:PORT SENSOR). It
loads nothing from elsewhere. Rows that have anomaly_score are taken as they are, others
are scored with the model; without -m it learns from these logs. The rows stay in memory,
about a gigabyte for a million.`,
	define: func(flags *pflag.FlagSet) func(*session, []string) error {
		modelPath := modelFlag(flags)
		file := flags.StringP("allow", "f", "zeek-iforest-allow.tsv", "the allow-list `FILE`, made where there is none")
		var perDay float64
		budgetVar(flags, &perDay, alerts.DefaultPerDay, "show the incidents of a sensor with a budget of `N` alerts a day")
		return func(s *session, files []string) error {
			log, err := s.scoredLog(*modelPath, files, true)
			if err != nil {
				return err
			}
			page, err := browse.New(log, browse.Options{Files: dayFiles(orStdin(files)), PerDay: perDay, Allow: *file})
			if err != nil {
				return err
			}
			return page.Serve(s.Done(), func(url string) {
				fmt.Fprintln(s.stdout, url)
				s.say("open this address in a browser of this machine; Ctrl-C ends it")
			})
		}
	},
}
