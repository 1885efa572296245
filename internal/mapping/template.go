package mapping

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/expression"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/trace"
	"github.com/stagedoor/stagedoor/internal/vtl"
)

// templates are the templates of an integration or an integration response,
// and the expression that chooses among them.
type templates struct {
	kind      string                 // "request" or "response"
	selection *expression.Expression // nil: there is none
	byKey     map[string]*template
}

type template struct {
	name     string // for the log
	key      string // among those of its integration or integration response
	compiled *vtl.Template
	constant []byte       // what it prints always; nil: that depends
	room     atomic.Int64 // how long outputs are, in bytes
	told     sync.Map     // the lines that an event was told of
}

// isNews reports, once, that no event was told of a line.
func (t *template) isNews(line int) bool {
	_, told := t.told.LoadOrStore(line, nil)
	return !told
}

// withoutSelection is the key of the template that is taken where no template
// selection expression says otherwise, or where it says $default and there is
// no such template.
const withoutSelection = "application/json"

// compileTemplates compiles templates; property is what they are called in
// errors.
func compileTemplates(property string, sources map[string]string, place expression.Place, selection string) (t templates, err error) {
	if selection != "" {
		if t.selection, err = expression.ParseAt(place, selection); err != nil {
			return t, fmt.Errorf("templateSelectionExpression: %w", err)
		}
	}
	t.kind = strings.TrimSuffix(property, "Templates")
	t.byKey = make(map[string]*template, len(sources))
	for _, key := range slices.Sorted(maps.Keys(sources)) {
		name := fmt.Sprintf("%s[%q]", property, key)
		source := sources[key]
		if len(source) > maxTemplate {
			return t, fmt.Errorf("%s is %d bytes long; a template has at most %d", name, len(source), maxTemplate)
		}
		compiled, err := vtl.Compile(source)
		if err != nil {
			return t, fmt.Errorf("%s: %w", name, err)
		}
		if key == `\$default` {
			if _, both := sources[expression.Default]; both {
				continue
			}
			key = expression.Default
		}
		constant, _ := compiled.Constant()
		t.byKey[key] = &template{name: name, key: key, compiled: compiled, constant: constant}
	}
	return t, nil
}

// choose gives the template for an event: that of the selection expression's
// value, else $default, else, where there is no expression or it selects
// $default, application/json; nil when there is none.
func (t *templates) choose(in expression.Input) *template {
	if len(t.byKey) == 0 {
		return nil
	}
	fallback := t.selection == nil
	if t.selection != nil {
		var room [64]byte
		selected := t.selection.Append(room[:0], in)
		if chosen, ok := t.byKey[string(selected)]; ok {
			return chosen
		}
		fallback = string(selected) == expression.Default
	}
	if chosen, ok := t.byKey[expression.Default]; ok {
		return chosen
	}
	if fallback {
		return t.byKey[withoutSelection]
	}
	return nil
}

// areConstant reports whether each template prints the same always.
func (t *templates) areConstant() bool {
	for _, each := range t.byKey {
		if each.constant == nil {
			return false
		}
	}
	return true
}

// render runs a template that was chosen by in, as template.render does, and tells a
// trace, unless that is nil.
func (t *templates) render(ctx context.Context, x *Exchange, to *trace.Trace, chosen *template, in expression.Input) ([]byte, *failure.Error) {
	if to == nil {
		return chosen.render(ctx, x)
	}
	step := trace.Template{Began: time.Now(), Place: t.kind + " template " + chosen.key}
	if t.selection != nil {
		step.Expression = t.selection.String()
		step.Value = to.Text(string(t.selection.Append(nil, in)))
	}
	out, err := chosen.render(ctx, x)
	if err != nil {
		step.Error = err.Reason
	}
	step.Took, step.Text = time.Since(step.Began), to.Payload(out)
	to.Add(step)
	return out, err
}

// maxRoom is how much room an output is given before it is written.
const maxRoom = 16 << 10

// render runs a template on the body that $input is bound to. A constant one needs no
// exchange. What it returns is not to be changed.
func (t *template) render(ctx context.Context, x *Exchange) ([]byte, *failure.Error) {
	if t.constant != nil {
		return t.constant, nil
	}
	x.running = t
	room := t.room.Load()
	out, err := t.compiled.Execute(ctx, make([]byte, 0, max(room, 64)), (*scope)(x), limits)
	if err != nil {
		kind := failure.Configuration
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			kind = failure.Timeout
		}
		return nil, failure.New(kind, "%s: %w", t.name, err)
	}
	if size := min(int64(len(out)), maxRoom); size > room {
		t.room.Store(size + size/8)
	}
	return out, nil
}
