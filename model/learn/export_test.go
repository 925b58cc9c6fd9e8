package learn

import "github.com/zeek-iforest/zeek-iforest/model/feature"

// Restore is RestoreRows for the memory of conn.log, for a test.
func Restore(path string, o Options, day Day) (l *Learner, hosts *feature.Hosts, err error) {
	l, err = RestoreRows(path, o, day, func(states [][]byte) (err error) {
		hosts, err = feature.RestoreHosts(o.withDefaults().Hosts, states...)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return l, hosts, nil
}
