package learn

import (
	"fmt"
	"io"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/calibrate"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
)

// Adopt makes a model of a forest that was grown elsewhere, on vectors of base's
// encoder: its rarities and usual ranges are base's, ranks come from the
// connections that next yields, in log order, until io.EOF. name says in the
// model's summary who grew the forest.
func Adopt(base *model.Model, f *forest.Forest, name string, next func(*conn.Conn) error) (*model.Model, Report, error) {
	var report Report
	hosts := feature.NewHosts(model.DefaultHosts)
	curve := calibrate.NewHistogram(calibrate.WidthFor(f.AverageLength()))
	var walker forest.Walker
	var sample feature.Sample
	var v feature.Vector
	texts := feature.NewTexts()
	for c := new(conn.Conn); ; {
		if err := next(c); err == io.EOF {
			break
		} else if err != nil {
			return nil, report, err
		}
		if err := feature.Check(c); err != nil {
			report.Unusable++
			continue
		}
		report.Rows++
		sample.SetConn(c, hosts.Observe(c), texts)
		base.Encoder().Finish(&v, &sample)
		curve.Add(walker.MeanPath(f, v[:]))
	}
	p := model.Parts{Summary: base.Summary(), Encoder: base.Encoder(), Forest: f}
	for i := range p.Usual {
		p.Usual[i] = base.Usual(i)
	}
	p.Summary.Seed, p.Summary.Build, p.Summary.Sampling, p.Summary.Cells = 0, 0, name, 0
	p.Summary.Calibration, p.Summary.Disjoint = int(report.Rows), false
	var err error
	if p.Curve, err = curve.Curve(); err != nil {
		return nil, report, fmt.Errorf("no connections to take ranks from: %w", err)
	}
	m, err := model.New(p)
	return m, report, err
}
