package tracing

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/stagedoor/stagedoor/internal/trace"
)

// Sampler decides which traces are kept. The zero value keeps none.
type Sampler struct {
	bound       uint64 // of the traces that are kept: see Sampled
	parentBased bool   // who names a trace has decided
}

// whole is the bound of all traces.
const whole = 1 << 63

// Ratio returns the sampler that keeps a share of the traces, from 0 to 1, and those that a
// caller has decided to keep.
func Ratio(share float64) Sampler {
	return Sampler{bound: uint64(share * whole), parentBased: true}
}

// Off reports whether no trace is kept, whatever callers say.
func (s Sampler) Off() bool { return s == Sampler{} }

// Sampled reports whether a trace is kept, given what the caller has decided. Every
// service that samples the same share by OpenTelemetry's rule decides alike.
func (s Sampler) Sampled(parent trace.Decision, id trace.TraceID) bool {
	if s.parentBased && parent != trace.Undecided {
		return parent == trace.Sampled
	}
	return binary.BigEndian.Uint64(id[8:])>>1 < s.bound
}

// FromEnvironment returns the sampler of OTEL_TRACES_SAMPLER and its argument. Without the
// variable no trace is kept; the error says what is wrong with it.
func FromEnvironment(getenv func(string) string) (Sampler, error) {
	name := getenv("OTEL_TRACES_SAMPLER")
	switch name {
	case "", "always_off":
		return Sampler{}, nil
	case "always_on":
		return Sampler{bound: whole}, nil
	case "parentbased_always_on":
		return Ratio(1), nil
	case "parentbased_always_off":
		return Ratio(0), nil
	case "traceidratio", "parentbased_traceidratio":
	default:
		return Sampler{}, fmt.Errorf("OTEL_TRACES_SAMPLER is %q, which is not known here; nothing is traced", name)
	}
	share := 1.0
	if text := getenv("OTEL_TRACES_SAMPLER_ARG"); text != "" {
		var err error
		if share, err = strconv.ParseFloat(text, 64); err != nil || share < 0 || share > 1 || math.IsNaN(share) {
			return Sampler{}, fmt.Errorf("OTEL_TRACES_SAMPLER_ARG is %q; it must be a number from 0 to 1; nothing is traced", text)
		}
	}
	s := Ratio(share)
	s.parentBased = name == "parentbased_traceidratio"
	return s, nil
}
