package plot

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func chart() Chart {
	text := func(v float64) string { return fmt.Sprintf("%g <", v) }
	return Chart{
		Title: "CPU & time", X: "connections", LogX: true, TextX: text, TextY: text,
		Lines: []Line{{Name: "dev", Points: []Point{{10, 4}, {100, 8}}}, {Name: "relay", Plain: true, Points: []Point{{10, 1}, {100, 2}}}},
		Spans: []Span{{"overload", 10, 100}},
	}
}

// What is drawn is well-formed, and has all lines within the chart.
func TestDraw(t *testing.T) {
	t.Parallel()
	got := Draw([]Chart{chart(), chart(), {TextX: chart().TextX, TextY: chart().TextY}}, 2, 400)
	for d := xml.NewDecoder(strings.NewReader(got)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, got)
		}
	}
	for _, want := range []string{
		`viewBox="0 0 800 504"`, `CPU &amp; time`, `>8 &lt;<`, `class="line c0" points="64.0,133.0 380.0,58.0"`, `class="line c1"`, `>overload<`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if n := strings.Count(got, `class="f1" cx="64.0"`); n != 0 {
		t.Errorf("%d dots on a plain line", n)
	}
}

func TestStep(t *testing.T) {
	t.Parallel()
	for value, want := range map[float64]float64{1: 0.25, 15: 2.5, 30: 5, 31: 10, 99: 20, 0.025: 0.005} {
		if got := step(value); got < want*0.999 || got > want*1.001 {
			t.Errorf("of %v: %v, want %v", value, got, want)
		}
	}
}
