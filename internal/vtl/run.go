package vtl

import (
	"context"
	"time"
)

// run is one execution of a template. Runs are pooled: release must leave
// nothing of one behind.
type run struct {
	ctx      context.Context //nolint:containedctx // a run is one call of Execute
	template *Template
	host     Scope
	limits   Limits

	out  []byte
	base int // the length of the output that was there before

	symbols *symbols // the template's, or a copy with what #evaluate added
	slots   []slot   // by symbol
	frame   *frame   // the macro that is running
	loop    *loop    // the loop that is running
	macros  map[string]*macro
	args    []any // of the method calls that are under way

	receiver any // the string whose method was called last

	steps, memory int
	depth         int // of macros and #evaluate
	definitions   int // how many are being printed
	regexpTime    time.Duration
}

func (r *run) prepare(ctx context.Context, t *Template, dst []byte, vars Scope, limits Limits) {
	slots := r.slots[:0]
	if cap(slots) < len(t.symbols.names) {
		slots = make([]slot, 0, len(t.symbols.names))
	}
	*r = run{
		ctx: ctx, template: t, host: vars, limits: limits.withDefaults(),
		out: dst, base: len(dst),
		symbols: t.symbols, slots: slots[:len(t.symbols.names)], args: r.args[:0],
	}
}

// release clears the run, and keeps only memory that the next execution can
// use.
func (r *run) release() {
	clear(r.slots)
	clear(r.args[:cap(r.args)])
	*r = run{slots: r.slots[:0], args: r.args[:0]}
}

// stepsPerLook is the number of steps between two looks at the context.
const stepsPerLook = 256

// step counts one step.
func (r *run) step() error {
	r.steps++
	if r.steps%stepsPerLook != 0 {
		return nil
	}
	return r.look()
}

// work counts steps for an operation on so many bytes or items.
func (r *run) work(size int) error {
	const bytesPerStep = 64
	before := r.steps / stepsPerLook
	r.steps += size / bytesPerStep
	if r.steps/stepsPerLook == before {
		return nil
	}
	return r.look()
}

func (r *run) look() error {
	if r.steps > r.limits.Steps {
		return limitError("more than %d steps", r.limits.Steps)
	}
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	return nil
}

// charge counts bytes that the template makes.
func (r *run) charge(bytes int) error {
	if bytes > r.limits.Output {
		return limitError("a value longer than %d bytes", r.limits.Output)
	}
	r.memory += bytes
	if r.memory > r.limits.Memory {
		return limitError("more than %d bytes of memory", r.limits.Memory)
	}
	return r.work(bytes)
}

// enter begins a macro or an #evaluate, which leave ends.
func (r *run) enter() error {
	if r.depth++; r.depth > r.limits.Depth {
		r.depth--
		return limitError("calls nested more than %d deep", r.limits.Depth)
	}
	return nil
}

func (r *run) leave() { r.depth-- }

// write appends to the output.
func (r *run) write(text string) error {
	if len(r.out)-r.base+len(text) > r.limits.Output {
		return r.outputError()
	}
	r.out = append(r.out, text...)
	return nil
}

func (r *run) outputError() error {
	return limitError("an output longer than %d bytes", r.limits.Output)
}

// capture runs write, and returns its output as a string instead of writing it.
func (r *run) capture(write func() error) (string, error) {
	start := len(r.out)
	err := write()
	text := ""
	if err == nil {
		if err = r.charge(len(r.out) - start); err == nil {
			text = string(r.out[start:])
		}
	}
	r.out = r.out[:start]
	return text, err
}

// log passes a message to the scope, if that is a Logger.
func (r *run) log(at place, message string) {
	if l, ok := r.host.(Logger); ok {
		l.Log(at.line, at.column, message)
	}
}

func (r *run) block(b block) error {
	for _, n := range b {
		if err := r.step(); err != nil {
			return err
		}
		if err := n.render(r); err != nil {
			return err
		}
	}
	return nil
}
