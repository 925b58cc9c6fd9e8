package report

import (
	"fmt"
	"io"
	"math"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// WriteScores draws the scores over the day: the median, what one in a hundred
// passes, the highest of each ten minutes, and the numbers of some events. The
// size is in centimetres.
func (d *Day) WriteScores(w io.Writer, events []*DayEvent, width, height vg.Length) error {
	p := dayAxes(width, "anomaly_score")
	p.Y.Min, p.Y.Max = 0.3, 0.6
	p.Y.Tick.Marker = tenths{}
	var highest plotter.XYs
	for at := range daySlots {
		if d.most[at] > 0 {
			highest = append(highest, plotter.XY{X: (float64(at) + 0.5) / 6, Y: d.most[at]})
			p.Y.Max = math.Max(p.Y.Max, math.Ceil(d.most[at]*20)/20+0.12) // room for the legend
		}
	}
	for i, l := range []struct {
		name  string
		share float64
	}{{"1 in 100 is above", 0.99}, {"median", 0.5}} {
		first := true
		for _, points := range d.lines(l.share) {
			line, err := plotter.NewLine(points)
			if err != nil {
				return fmt.Errorf("plot: %w", err)
			}
			line.Color, line.Width = palette[i], vg.Points(1.4)
			p.Add(line)
			if first {
				p.Legend.Add(l.name, line)
			}
			first = false
			for _, at := range points {
				p.Y.Min = math.Min(p.Y.Min, math.Floor(at.Y*20)/20)
			}
		}
	}
	dots, err := plotter.NewScatter(highest)
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	dots.GlyphStyle = draw.GlyphStyle{Color: grey, Radius: vg.Points(1.3), Shape: draw.CircleGlyph{}}
	p.Add(dots)
	p.Legend.Add("highest of ten minutes", dots)
	if err := d.number(p, events); err != nil {
		return err
	}
	return writeDay(w, p, width, height)
}

// number writes the events' numbers where they are.
func (d *Day) number(p *plot.Plot, events []*DayEvent) error {
	if len(events) == 0 {
		return nil
	}
	var at plotter.XYLabels
	for _, t := range events {
		at.XYs = append(at.XYs, plotter.XY{X: t.Conn.TS.Time().Sub(d.Date).Hours(), Y: t.Score})
		at.Labels = append(at.Labels, fmt.Sprint(t.Number))
	}
	points, err := plotter.NewScatter(at.XYs)
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	points.GlyphStyle = draw.GlyphStyle{Color: strong, Radius: vg.Points(2.2), Shape: draw.CircleGlyph{}}
	labels, err := plotter.NewLabels(at)
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	for i := range labels.TextStyle {
		labels.TextStyle[i].Color = strong
		labels.TextStyle[i].Font.Size = vg.Points(9)
		labels.TextStyle[i].Font.Variant = "Sans"
	}
	labels.Offset.X, labels.Offset.Y = vg.Points(2), vg.Points(2)
	p.Add(points, labels)
	return nil
}

// lines returns the quantile's stretches without a gap.
func (d *Day) lines(share float64) (lines []plotter.XYs) {
	var points plotter.XYs
	for at := range daySlots + 1 {
		if at < daySlots {
			if y, ok := d.quantile(at, share); ok {
				points = append(points, plotter.XY{X: (float64(at) + 0.5) / 6, Y: y})
				continue
			}
		}
		if len(points) > 1 {
			lines = append(lines, points)
		}
		points = nil
	}
	return lines
}

// WriteVolume draws how many connections each hour has.
func (d *Day) WriteVolume(w io.Writer, width, height vg.Length) error {
	p := dayAxes(width, "connections")
	p.Y.Min, p.Y.Max = 0, 1
	p.Y.Tick.Marker = fewTicks{}
	for hour := range 24 {
		n := 0.0
		for at := hour * 6; at < hour*6+6; at++ {
			for _, m := range d.scores[at] {
				n += float64(m)
			}
		}
		if n == 0 {
			continue
		}
		from, to := float64(hour)+0.08, float64(hour)+0.92
		bar, err := plotter.NewPolygon(plotter.XYs{{X: from, Y: 0}, {X: from, Y: n}, {X: to, Y: n}, {X: to, Y: 0}})
		if err != nil {
			return fmt.Errorf("plot: %w", err)
		}
		bar.Color, bar.LineStyle.Width = bars, 0
		p.Add(bar)
		p.Y.Max = math.Max(p.Y.Max, n*1.08)
	}
	return writeDay(w, p, width, height)
}

// writeDay leaves the same room for the ticks' labels in both plots, so that the
// hours stand below each other.
func writeDay(w io.Writer, p *plot.Plot, width, height vg.Length) error {
	widest := vg.Length(0)
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		widest = max(widest, p.Y.Tick.Label.Width(t.Label))
	}
	p.Y.Label.Padding += max(0, p.Y.Tick.Label.Width("0000")-widest)
	return write(w, p, width, height)
}

func dayAxes(width vg.Length, y string) *plot.Plot {
	p := axes("", "hour (UTC)", y)
	p.X.Min, p.X.Max = 0, 24
	p.X.Tick.Marker = hours{every: map[bool]int{true: 1, false: 3}[width > 15]}
	p.Legend.Top, p.Legend.YOffs = true, 0
	p.Title.Padding = 0
	return p
}

// hours are ticks of a day.
type hours struct{ every int }

func (h hours) Ticks(float64, float64) (ticks []plot.Tick) {
	for hour := 0; hour <= 24; hour++ {
		t := plot.Tick{Value: float64(hour)}
		if hour%h.every == 0 && hour < 24 { // 24's would be cut off
			t.Label = fmt.Sprint(hour)
		}
		ticks = append(ticks, t)
	}
	return ticks
}

// fewTicks are at most five round numbers.
type fewTicks struct{}

func (fewTicks) Ticks(_, high float64) (ticks []plot.Tick) {
	step := math.Pow(10, math.Floor(math.Log10(math.Max(high, 1))))
	for _, f := range []float64{0.2, 0.5, 1, 2} {
		if high/(step*f) <= 5 {
			step *= f
			break
		}
	}
	for y := 0.0; y <= high; y += step {
		ticks = append(ticks, plot.Tick{Value: y, Label: count(y)})
	}
	return ticks
}

// count writes a count in at most four characters: 1500, 20k, 1.5M.
func count(n float64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.3gM", n/1e6)
	case n >= 1e4:
		return fmt.Sprintf("%.3gk", n/1e3)
	}
	return fmt.Sprintf("%.4g", n)
}

func clock(t time.Time) string { return t.UTC().Format("15:04") }
