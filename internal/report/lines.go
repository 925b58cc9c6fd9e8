package report

import (
	"fmt"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Line is a measured quantity to draw: its name in the legend and its points.
type Line struct {
	Name string
	X, Y []float64
}

// Lines draws measurements with their points, on logarithmic axes where asked.
// Linear axes begin at zero, so that a drift is not made to look large.
func Lines(w io.Writer, title, x, y string, logarithmic bool, lines ...Line) error {
	p := axes(title, x, y)
	p.Y.Max, p.Y.Tick.Marker = 0, plot.DefaultTicks{}
	p.Legend.Top, p.Legend.YOffs = true, -vg.Points(4)
	if logarithmic {
		p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
		p.X.Tick.Marker, p.Y.Tick.Marker = decades{}, decades{}
		p.X.Label.Position = draw.PosRight
		p.Y.Min = math.Inf(1)
	}
	for i, l := range lines {
		if len(l.X) != len(l.Y) || len(l.X) == 0 {
			return fmt.Errorf("plot: %q has %d and %d numbers", l.Name, len(l.X), len(l.Y))
		}
		points := make(plotter.XYs, len(l.X))
		for j := range points {
			points[j] = plotter.XY{X: l.X[j], Y: l.Y[j]}
			p.Y.Max = math.Max(p.Y.Max, 1.3*l.Y[j])
			if logarithmic {
				if l.X[j] <= 0 || l.Y[j] <= 0 {
					return fmt.Errorf("plot: %q at %v is not positive", l.Name, l.X[j])
				}
				p.Y.Min = math.Min(p.Y.Min, l.Y[j]/2)
			}
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return fmt.Errorf("plot: %w", err)
		}
		line.Color, line.Width = palette[i%len(palette)], vg.Points(1.4)
		dots.GlyphStyle = draw.GlyphStyle{Color: palette[i%len(palette)], Radius: vg.Points(1.6), Shape: draw.CircleGlyph{}}
		p.Add(line)
		if len(points) <= 40 {
			p.Add(dots)
		}
		p.Legend.Add(l.Name, line)
	}
	if logarithmic { // so that whole decades show, and a flat line is flat
		p.X.Max *= 1.3
		p.Y.Min = math.Pow(10, math.Floor(math.Log10(p.Y.Min)))
		p.Y.Max = math.Pow(10, math.Ceil(math.Log10(p.Y.Max)))
	}
	return write(w, p, 14, 8)
}

// decades are ticks at powers of ten: 100, 1k, 10k, 1M.
type decades struct{}

func (decades) Ticks(low, high float64) (ticks []plot.Tick) {
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		at := math.Pow(10, e)
		label := fmt.Sprintf("%g", at)
		for _, unit := range []struct {
			size float64
			name string
		}{{1e6, "M"}, {1e3, "k"}} {
			if at >= unit.size {
				label = fmt.Sprintf("%g%s", at/unit.size, unit.name)
				break
			}
		}
		for m := 1.0; m < 10; m++ {
			if x := m * at; x >= low*(1-1e-9) && x <= high*(1+1e-9) {
				ticks = append(ticks, plot.Tick{Value: x, Label: label})
			}
			label = ""
		}
	}
	return ticks
}
