// Package report draws what the command line measured, as SVG that needs
// nothing from the network.
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
)

// Bins is the number of bars of a histogram of scores, each 1/Bins wide.
const Bins = 100

// Mark is a connection to point out.
type Mark struct {
	Score float64
	Label string
}

var (
	bars   = color.RGBA{0x5b, 0x7d, 0xa8, 0xff}
	strong = color.RGBA{0xc0, 0x39, 0x2b, 0xff}
)

// Scores draws how many connections have which score, on a logarithmic scale,
// and points out some of them.
func Scores(w io.Writer, title string, counts *[Bins]uint64, marks []Mark) error {
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text = "anomaly_score"
	p.Y.Label.Text = "connections"
	p.X.Min, p.X.Max = 0.2, 1
	p.X.Tick.Marker = tenths{}
	p.Y.Min, p.Y.Max = 0.7, 2
	p.Y.Scale = plot.LogScale{}
	p.Y.Tick.Marker = plot.LogTicks{Prec: -1}

	for i, n := range counts {
		if n == 0 {
			continue
		}
		from, to, top := float64(i)/Bins, float64(i+1)/Bins, float64(n)
		bar, err := plotter.NewPolygon(plotter.XYs{{X: from, Y: p.Y.Min}, {X: from, Y: top}, {X: to, Y: top}, {X: to, Y: p.Y.Min}})
		if err != nil {
			return fmt.Errorf("plot: %w", err)
		}
		bar.Color, bar.LineStyle.Width = bars, vg.Points(0.2)
		p.Add(bar)
		p.Y.Max = math.Max(p.Y.Max, top*3)
	}
	if err := addMarks(p, counts, marks); err != nil {
		return err
	}

	canvas := vgsvg.New(20*vg.Centimeter, 9*vg.Centimeter)
	p.Draw(draw.New(canvas))
	if _, err := canvas.WriteTo(w); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}

// tenths are the ticks of the score's axis.
type tenths struct{}

func (tenths) Ticks(low, high float64) (ticks []plot.Tick) {
	for i := range 11 {
		if x := float64(i) / 10; x >= low && x <= high {
			ticks = append(ticks, plot.Tick{Value: x, Label: fmt.Sprintf("%.1f", x)})
		}
	}
	return ticks
}

// addMarks puts a label above the bar of each mark, the labels one above the
// other where they would meet.
func addMarks(p *plot.Plot, counts *[Bins]uint64, marks []Mark) error {
	var at plotter.XYLabels
	height := p.Y.Max / 2
	for _, m := range marks {
		at.XYs = append(at.XYs, plotter.XY{X: m.Score, Y: height})
		at.Labels = append(at.Labels, " "+m.Label)
		bin := min(int(m.Score*Bins), Bins-1)
		line, err := plotter.NewLine(plotter.XYs{{X: m.Score, Y: math.Max(float64(counts[bin]), p.Y.Min)}, {X: m.Score, Y: height}})
		if err != nil {
			return fmt.Errorf("plot: %w", err)
		}
		line.Color, line.Width = strong, vg.Points(0.7)
		p.Add(line)
		height /= math.Pow(p.Y.Max/p.Y.Min, 0.09)
	}
	if len(marks) == 0 {
		return nil
	}
	labels, err := plotter.NewLabels(at)
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	for i := range labels.TextStyle {
		labels.TextStyle[i].Color = strong
		labels.TextStyle[i].Font.Size = vg.Points(8)
		labels.TextStyle[i].XAlign = text.XLeft
	}
	p.Add(labels)
	return nil
}
