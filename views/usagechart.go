package views

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey/latchkey/models"
)

const (
	chartWidth, chartHeight = 300.0, 100.0
	// chartLines is how many lines lie above that at zero.
	chartLines = 4
	// chartLooks is how many API versions have a look of their own; what comes beyond is otherVersions.
	chartLooks    = 4
	otherVersions = "Others"
)

// UsageChart is the use of a time as stacked bars, and the same figures as a table.
type UsageChart struct {
	Title, Lead string
	// Summary says it for who does not see the bars.
	Summary string
	// Empty means that nothing was used.
	Empty   bool
	Lines   []string // y
	YLabels []string
	XLabels []string
	Bars    []UsageBar
	// Legend is empty where there is one API version.
	Legend []UsageLegend
	Unit   string // head of the first column: Day or Hour
	Rows   []UsageChartRow
}

// UsageBar is one day or hour; numbers are those of the SVG.
type UsageBar struct {
	Title    string
	X, Width string
	Segments []UsageSegment
	// Now outlines what is not over yet.
	Now *UsageSegment
}

// UsageSegment is the part of a bar that one API version has. Look is 1 to chartLooks.
type UsageSegment struct {
	Look                int
	X, Y, Width, Height string
}

// UsageLegend names what a look stands for.
type UsageLegend struct {
	Look  int
	Text  string
	Total string
}

// UsageChartRow is a row of the table beneath, the newest first.
type UsageChartRow struct {
	Name, Points, Requests string
	// ByAPI is in the order of the legend.
	ByAPI []string
}

// chartSlot is a day or an hour.
type chartSlot struct {
	at    models.Time
	sum   models.UsageSum
	parts []int64 // by version
}

func newUsageChart(points []models.UsagePoint, choice UsageChoice, now models.Time) UsageChart {
	chart := UsageChart{Lead: choice.Text + ", UTC", Unit: "Day"}
	step := 24 * time.Hour
	if choice.By == models.UsageByHour {
		chart.Unit, step = "Hour", time.Hour
	}
	measure, noun := measureOf(points)
	chart.Title = strings.ToUpper(noun[:1]) + noun[1:] + " per " + strings.ToLower(chart.Unit)
	versions := chartVersions(points, measure)
	slots := chartSlots(points, choice.Span, step, versions, measure)
	highest := int64(0)
	for _, slot := range slots {
		highest = max(highest, sumOf(slot.parts))
	}
	chart.Empty = highest == 0
	top := chart.scale(highest)
	chart.draw(slots, top, now, step, noun)
	chart.describe(slots, versions, step)
	return chart
}

// measureOf is points, or requests where none cost any.
func measureOf(points []models.UsagePoint) (func(models.UsageSum) int64, string) {
	for _, p := range points {
		if p.Points > 0 {
			return func(s models.UsageSum) int64 { return s.Points }, "points"
		}
	}
	return func(s models.UsageSum) int64 { return s.Requests }, "requests"
}

// chartVersions are the API versions by name, those beyond chartLooks as one.
func chartVersions(points []models.UsagePoint, measure func(models.UsageSum) int64) []string {
	totals := map[string]int64{}
	var names []string
	for _, p := range points {
		if !slices.Contains(names, p.API) {
			names = append(names, p.API)
		}
		totals[p.API] += measure(p.UsageSum)
	}
	if len(names) > chartLooks {
		slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(totals[b], totals[a]), cmp.Compare(a, b)) })
		names = names[:chartLooks-1]
		slices.Sort(names)
		return append(names, otherVersions)
	}
	slices.Sort(names)
	return names
}

func chartSlots(points []models.UsagePoint, span models.UsageSpan, step time.Duration, versions []string, measure func(models.UsageSum) int64) []chartSlot {
	var slots []chartSlot
	place := map[models.Time]int{}
	from := span.From
	if step > time.Hour {
		from = models.DayOf(from)
	}
	for at := from; at < span.To; at = at.Add(step) {
		place[at] = len(slots)
		slots = append(slots, chartSlot{at: at, parts: make([]int64, len(versions))})
	}
	for _, p := range points {
		i, ok := place[p.At]
		if !ok {
			continue
		}
		version := slices.Index(versions, p.API)
		if version < 0 {
			version = len(versions) - 1
		}
		slots[i].sum = slots[i].sum.Plus(p.UsageSum)
		slots[i].parts[version] += measure(p.UsageSum)
	}
	return slots
}

func sumOf(parts []int64) int64 {
	total := int64(0)
	for _, part := range parts {
		total += part
	}
	return total
}

// scale labels the lines and returns the value at the top.
func (chart *UsageChart) scale(highest int64) float64 {
	step := niceStep(float64(highest) / chartLines)
	for i := range chartLines + 1 {
		chart.YLabels = append(chart.YLabels, shortNumber(step*float64(chartLines-i)))
		chart.Lines = append(chart.Lines, svgNumber(chartHeight*float64(i)/chartLines))
	}
	return step * chartLines
}

// niceStep is the smallest whole step that is easy to count in and not below least.
func niceStep(least float64) float64 {
	for power := 1.0; ; power *= 10 {
		for _, n := range []float64{1, 1.5, 2, 2.5, 3, 4, 5} {
			if step := n * power; step >= least && step == math.Trunc(step) {
				return step
			}
		}
	}
}

// shortNumber keeps the labels of the axis narrow: 4,000, 1.5M, 20B.
func shortNumber(n float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e12, "T"}, {1e9, "B"}, {1e6, "M"}} {
		if n >= unit.size {
			text := strconv.FormatFloat(n/unit.size, 'f', 1, 64)
			return strings.TrimSuffix(text, ".0") + unit.name
		}
	}
	return models.FormatNumber(int64(n))
}

func svgNumber(n float64) string {
	return strconv.FormatFloat(math.Round(n*100)/100, 'f', -1, 64)
}

func (chart *UsageChart) draw(slots []chartSlot, top float64, now models.Time, step time.Duration, noun string) {
	slot := chartWidth / float64(max(1, len(slots)))
	width := slot * .65
	for i, s := range slots {
		x := slot * float64(i)
		total := sumOf(s.parts)
		bar := UsageBar{X: svgNumber(x), Width: svgNumber(slot), Title: slotName(s.at, step) + ": " + countNoun(total, noun)}
		y := chartHeight
		for version, part := range s.parts {
			if part <= 0 {
				continue
			}
			// A little is seen all the same.
			height := max(chartHeight*float64(part)/top, .5)
			y -= height
			bar.Segments = append(bar.Segments, UsageSegment{version + 1, svgNumber(x + (slot-width)/2), svgNumber(max(y, 0)), svgNumber(width), svgNumber(height)})
		}
		if now >= s.at && now < s.at.Add(step) {
			bar.Title += " so far"
			bar.Now = &UsageSegment{X: svgNumber(x + (slot-width)/2), Y: svgNumber(max(y, 0)), Width: svgNumber(width), Height: svgNumber(chartHeight - max(y, 0))}
		}
		chart.Bars = append(chart.Bars, bar)
	}
}

func countNoun(n int64, plural string) string {
	return models.Count(n, strings.TrimSuffix(plural, "s"))
}

func slotName(at models.Time, step time.Duration) string {
	if step < 24*time.Hour {
		return at.Std().Format("2 Jan, 15:04")
	}
	return at.Std().Format("2 Jan")
}

// describe writes what stands around the bars.
func (chart *UsageChart) describe(slots []chartSlot, versions []string, step time.Duration) {
	if len(slots) == 0 {
		return
	}
	const labels = 5
	name := func(at models.Time) string { return slotName(at, step) }
	axis := name
	if step < 24*time.Hour && len(slots) <= 24 {
		axis = func(at models.Time) string { return at.Std().Format("15:04") }
	}
	for i := range min(labels, len(slots)) {
		chart.XLabels = append(chart.XLabels, axis(slots[i*(len(slots)-1)/max(1, min(labels, len(slots))-1)].at))
	}
	totals := make([]int64, len(versions))
	least, most := slots[0], slots[0]
	for _, s := range slots {
		row := UsageChartRow{Name: name(s.at), Points: models.FormatNumber(s.sum.Points), Requests: models.FormatNumber(s.sum.Requests)}
		for version, part := range s.parts {
			totals[version] += part
			if len(versions) > 1 {
				row.ByAPI = append(row.ByAPI, models.FormatNumber(part))
			}
		}
		chart.Rows = append(chart.Rows, row)
		if sumOf(s.parts) < sumOf(least.parts) {
			least = s
		}
		if sumOf(s.parts) > sumOf(most.parts) {
			most = s
		}
	}
	slices.Reverse(chart.Rows)
	chart.Summary = chart.Title + ", " + name(slots[0].at) + " to " + name(slots[len(slots)-1].at) + ". Lowest " + models.FormatNumber(sumOf(least.parts)) + " on " + name(least.at) +
		", highest " + models.FormatNumber(sumOf(most.parts)) + " on " + name(most.at) + "."
	if len(versions) < 2 {
		return
	}
	for i, version := range versions {
		text := version
		if version != otherVersions {
			text = "API " + version
		}
		chart.Legend = append(chart.Legend, UsageLegend{Look: i + 1, Text: text, Total: models.FormatNumber(totals[i])})
		chart.Summary += " " + version + ": " + models.FormatNumber(totals[i]) + "."
	}
}
