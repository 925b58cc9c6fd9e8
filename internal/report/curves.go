package report

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
)

// Curve is a ranking to draw and its name in the legend.
type Curve struct {
	Name    string
	Ranking *evaluate.Ranking
	Rule    bool // a single-column rule: drawn grey and dashed
}

// palette is told apart with colour-blind eyes too (Okabe and Ito 2008).
var palette = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff},
	{0xcc, 0x79, 0xa7, 0xff}, {0xe6, 0x9f, 0x00, 0xff}, {0x56, 0xb4, 0xe9, 0xff},
}

var grey = color.RGBA{0x77, 0x77, 0x77, 0xff}

// nothingSeen returns where a curve leaves the screen on a logarithmic axis of false
// alarms: below one row nothing can be said.
func nothingSeen(curves []Curve) float64 {
	most := 1
	for _, c := range curves {
		most = max(most, c.Ranking.Others())
	}
	return 0.5 / float64(most)
}

// ROC draws what is found against what is wrongly called, on a logarithmic axis
// of false alarms where asked: the left end is what one lives with.
func ROC(w io.Writer, title string, logarithmic bool, curves ...Curve) error {
	p := axes(title, "share of false alarms", "anomalies found")
	p.X.Min, p.X.Max = 0, 1
	p.X.Tick.Marker = shares{}
	p.Legend.XOffs = vg.Centimeter * 5
	if logarithmic {
		p.X.Min = nothingSeen(curves)
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, powers{}
		p.X.Label.Position = draw.PosRight // plot reserves room for a centred one as if the axis were linear
	}
	for i, c := range curves {
		var points plotter.XYs
		for _, at := range c.Ranking.ROC() {
			to := plotter.XY{X: max(at.FPR, p.X.Min), Y: at.TPR}
			if logarithmic && len(points) > 0 {
				points = append(points, between(points[len(points)-1], to)...)
			}
			points = append(points, to)
		}
		if err := addCurve(p, i, c, points); err != nil {
			return err
		}
	}
	return write(w, p, 12, 9)
}

// between bends the straight line that rows of equal score make into what it is
// on a logarithmic axis.
func between(from, to plotter.XY) (points plotter.XYs) {
	const steps = 24
	if to.X < from.X*1.3 {
		return nil
	}
	for i := 1; i < steps; i++ {
		x := from.X * math.Pow(to.X/from.X, float64(i)/steps)
		points = append(points, plotter.XY{X: x, Y: from.Y + (to.Y-from.Y)*(x-from.X)/(to.X-from.X)})
	}
	return points
}

// PrecisionRecall draws how many alerts are right against how much is found.
func PrecisionRecall(w io.Writer, title string, curves ...Curve) error {
	p := axes(title, "anomalies found (recall)", "alerts that are right (precision)")
	p.X.Min, p.X.Max = 0, 1
	p.X.Tick.Marker = shares{}
	for i, c := range curves {
		var points plotter.XYs
		for _, at := range c.Ranking.PrecisionRecall() {
			points = append(points, plotter.XY{X: at.Recall, Y: at.Precision})
		}
		if err := addCurve(p, i, c, points); err != nil {
			return err
		}
	}
	return write(w, p, 12, 9)
}

// Threshold is a score from which rows raise alerts, and what to call it.
type Threshold struct {
	Score float64
	Label string
}

// ByLabel draws how many anomalies and how many ordinary connections have which
// score. score turns a ranking's score into an anomaly_score.
func ByLabel(w io.Writer, title string, r *evaluate.Ranking, score func(float64) float64, thresholds []Threshold) error {
	var anomalies, others [Bins]float64
	r.Each(func(s float64, a, o int) {
		bin := min(max(int(score(s)*Bins), 0), Bins-1)
		anomalies[bin] += float64(a)
		others[bin] += float64(o)
	})
	p := axes(title, "anomaly_score", "connections")
	p.X.Tick.Marker = tenths{}
	p.Y.Min, p.Y.Max = 0.7, 10
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Legend.Top, p.Legend.YOffs = true, -vg.Points(4)
	for i, of := range []struct {
		name   string
		counts *[Bins]float64
	}{{"ordinary", &others}, {"anomalies", &anomalies}} {
		outline := plotter.XYs{{X: 0, Y: p.Y.Min}}
		for bin, n := range of.counts {
			top := math.Max(n, p.Y.Min)
			outline = append(outline, plotter.XY{X: float64(bin) / Bins, Y: top}, plotter.XY{X: float64(bin+1) / Bins, Y: top})
			p.Y.Max = math.Max(p.Y.Max, n*4)
		}
		outline = append(outline, plotter.XY{X: 1, Y: p.Y.Min})
		area, err := plotter.NewPolygon(outline)
		if err != nil {
			return fmt.Errorf("plot: %w", err)
		}
		fill := palette[i]
		area.LineStyle.Color, area.LineStyle.Width = fill, vg.Points(1)
		area.Color = color.NRGBA{fill.R, fill.G, fill.B, 0x60}
		p.Add(area)
		p.Legend.Add(of.name, area)
	}
	for i, t := range thresholds {
		line, err := plotter.NewLine(plotter.XYs{{X: t.Score, Y: p.Y.Min}, {X: t.Score, Y: p.Y.Max}})
		if err != nil {
			return fmt.Errorf("plot: %w", err)
		}
		line.Color, line.Width = color.Black, vg.Points(1)
		line.Dashes = []vg.Length{vg.Points(4), vg.Points(float64(2 + 2*i))}
		p.Add(line)
		p.Legend.Add(t.Label, line)
	}
	p.X.Min, p.X.Max = seen(&anomalies, &others)
	return write(w, p, 24.5, 9)
}

// seen returns the range of scores that there are, with a tenth around it.
func seen(counts ...*[Bins]float64) (low, high float64) {
	low, high = 1, 0
	for _, of := range counts {
		for bin, n := range of {
			if n > 0 {
				low, high = math.Min(low, float64(bin)/Bins), math.Max(high, float64(bin+1)/Bins)
			}
		}
	}
	return math.Max(0, math.Floor(low*10-0.5)/10), math.Min(1, math.Ceil(high*10+0.5)/10)
}

func axes(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.Title.Padding = vg.Points(4)
	p.X.Label.Text, p.Y.Label.Text = x, y
	p.Y.Min, p.Y.Max = 0, 1
	p.Y.Tick.Marker = shares{}
	p.Legend.Left = true // the texts at the right, where a wider font has room
	p.Legend.TextStyle.Font.Size = vg.Points(9)
	p.Legend.Padding = vg.Points(2)
	p.Legend.XOffs, p.Legend.YOffs = vg.Points(6), vg.Points(4)
	for _, style := range []*text.Style{
		&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle,
		&p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle,
	} {
		style.Font.Variant = "Sans"
	}
	p.Add(plotter.NewGrid())
	return p
}

// addCurve draws a curve without the points that nobody would see.
func addCurve(p *plot.Plot, i int, c Curve, points plotter.XYs) error {
	const seen = 0.001
	kept := points[:0:0]
	for j, at := range points {
		last := len(kept) - 1
		if j == 0 || j == len(points)-1 ||
			math.Abs(p.X.Norm(at.X)-p.X.Norm(kept[last].X)) > seen || math.Abs(at.Y-kept[last].Y) > seen {
			kept = append(kept, at)
		}
	}
	line, err := plotter.NewLine(kept)
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	line.Color, line.Width = palette[i%len(palette)], vg.Points(1.8)
	if c.Rule {
		line.Color, line.Dashes = grey, []vg.Length{vg.Points(4), vg.Points(2)}
	}
	p.Add(line)
	p.Legend.Add(c.Name, line)
	return nil
}

// shares are ticks from 0 % to 100 %.
type shares struct{}

func (shares) Ticks(float64, float64) (ticks []plot.Tick) {
	for i := range 11 {
		t := plot.Tick{Value: float64(i) / 10}
		if i%2 == 0 {
			t.Label = fmt.Sprintf("%d %%", 10*i)
		}
		ticks = append(ticks, t)
	}
	return ticks
}

// powers are ticks at powers of ten, written as shares.
type powers struct{}

func (powers) Ticks(low, high float64) (ticks []plot.Tick) {
	for e := math.Ceil(math.Log10(low) - 1e-9); e <= math.Log10(high)+1e-9; e++ {
		x := math.Pow(10, e)
		ticks = append(ticks, plot.Tick{Value: x, Label: fmt.Sprintf("%.3g %%", 100*x)})
		for m := 2.0; m < 10 && m*x <= high; m++ {
			ticks = append(ticks, plot.Tick{Value: m * x})
		}
	}
	return ticks
}

func write(w io.Writer, p *plot.Plot, width, height vg.Length) error {
	canvas := vgsvg.New(width*vg.Centimeter, height*vg.Centimeter)
	p.Draw(draw.New(canvas))
	if _, err := canvas.WriteTo(w); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}
