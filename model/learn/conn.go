package learn

import (
	"fmt"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Fit is FitRows for the connections that next yields, in log order. What no
// conn.log can hold is left out and reported.
func Fit(next func(*conn.Conn) error, o Options) (*model.Model, Report, error) {
	o = o.withDefaults()
	if o.Observe == nil {
		hosts := feature.NewHosts(o.Hosts)
		o.Observe = func(c *conn.Conn) (feature.Window, error) { return hosts.Observe(c), nil }
	}
	texts := feature.NewTexts()
	var c conn.Conn
	var unusable uint64
	var firstFault error
	m, report, err := FitRows(func(r *feature.Row) error {
		for {
			if err := next(&c); err != nil {
				return err
			}
			if c.Look != 0 {
				continue // it comes again, at its end
			}
			if err := feature.Check(&c); err == nil {
				w, err := o.Observe(&c)
				if err == nil {
					r.SetConn(&c, w, texts)
				}
				return err
			} else if firstFault == nil {
				firstFault = err
			}
			unusable++
		}
	}, o)
	if report.Unusable = unusable; firstFault != nil {
		remark := fmt.Sprintf("%d connections could not be used: the first one's %v", unusable, firstFault)
		report.Remarks = append([]string{remark}, report.Remarks...)
	}
	return m, report, err
}
