package vtl_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
	"github.com/stagedoor/stagedoor/internal/vtl"
)

// FuzzTemplate runs any template on any variables: no panic, no end of time,
// and an error or an output within its limit.
func FuzzTemplate(f *testing.F) {
	for _, file := range goldenFiles(f) {
		for _, c := range file.cases {
			f.Add(c.template, c.with)
		}
	}
	limits := vtl.Limits{
		Iterations: 50, Steps: 20_000, Output: 64 << 10, Memory: 1 << 20, RegexpTime: 20 * time.Millisecond,
	}
	f.Fuzz(func(t *testing.T, source, with string) {
		template, err := vtl.Compile(source)
		if err != nil {
			requirePlace(t, err)
			return
		}
		parsed, _ := jsonvalue.Parse([]byte(with))
		object, ok := parsed.(*jsonvalue.Object)
		if !ok {
			object = new(jsonvalue.Object)
		}
		start := time.Now()
		out, err := template.Execute(t.Context(), nil, variables{object}, limits)
		if err != nil {
			requirePlace(t, err)
		}
		if len(out) > limits.Output {
			t.Errorf("%d bytes of output", len(out))
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func requirePlace(t *testing.T, err error) {
	t.Helper()
	var e *vtl.Error
	if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 {
		t.Errorf("an error without a place: %v", err)
	}
}
