package vtl

import "strings"

// reference is $name with the properties, indexes and methods behind it.
type reference struct {
	symbol    int
	path      []accessor
	alternate expression // of ${name|"instead"}, or nil
	slashes   int        // the backslashes before it
	source    string     // without those
	at        place
}

// accessor is a step from a value to one inside of it.
type accessor interface {
	get(r *run, from any) (any, error)
	set(r *run, in, value any) error
}

func (ref *reference) value(r *run) (any, error) {
	v, err := r.get(ref.symbol)
	if err == nil && len(ref.path) > 0 {
		v, err = ref.follow(r, v, ref.path)
	}
	if err != nil {
		return nil, located(err, ref.at)
	}
	if ref.alternate != nil && isEmpty(v) {
		return ref.alternate.value(r)
	}
	return v, nil
}

func (ref *reference) follow(r *run, v any, path []accessor) (any, error) {
	var err error
	for _, a := range path {
		if v == nil {
			return nil, nil
		}
		if err = r.step(); err != nil {
			return nil, err
		}
		if v, err = a.get(r, v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (ref *reference) truth(r *run) (bool, error) {
	v, err := ref.value(r)
	return truth(v), err
}

// assign gives what the reference names a value. What cannot be set is left as
// it is.
func (ref *reference) assign(r *run, value any) error {
	if len(ref.path) == 0 {
		return located(r.set(ref.symbol, value), ref.at)
	}
	in, err := r.get(ref.symbol)
	last := len(ref.path) - 1
	if err == nil {
		in, err = ref.follow(r, in, ref.path[:last])
	}
	if err == nil {
		if in == nil {
			r.log(ref.at, "cannot set "+ref.source+": the part before has no value")
			return nil
		}
		err = ref.path[last].set(r, in, value)
	}
	return located(err, ref.at)
}

func (ref *reference) render(r *run) error {
	v, err := ref.value(r)
	if err != nil {
		return err
	}
	if ref.slashes > 0 {
		return located(ref.renderEscaped(r, v), ref.at)
	}
	return located(r.print(v), ref.at)
}

// renderEscaped prints a reference after backslashes. As in Velocity, they
// escape only a reference that has a value.
func (ref *reference) renderEscaped(r *run, v any) error {
	escaped := ref.slashes%2 == 1
	slashes := ref.slashes / 2
	if v == nil {
		slashes = ref.slashes
	}
	if err := r.write(strings.Repeat(`\`, slashes)); err != nil {
		return err
	}
	if escaped {
		return r.write(ref.source)
	}
	return r.print(v)
}

// property is .name
type property string

func (p property) get(_ *run, from any) (any, error) { return propertyOf(from, string(p)), nil }

func (p property) set(r *run, in, value any) error { return r.setMember(in, string(p), value) }

// index is [key]
type index struct{ key expression }

func (i *index) get(r *run, from any) (any, error) {
	key, err := i.key.value(r)
	if err != nil {
		return nil, err
	}
	return r.item(from, key)
}

func (i *index) set(r *run, in, value any) error {
	key, err := i.key.value(r)
	if err != nil {
		return err
	}
	return r.setItem(in, key, value)
}

// method is .name(arguments)
type method struct {
	name string
	args []expression
}

func (m *method) get(r *run, from any) (any, error) {
	first := len(r.args)
	for _, arg := range m.args {
		v, err := arg.value(r)
		if err != nil {
			return nil, err
		}
		r.args = append(r.args, v)
	}
	v, err := r.call(from, m.name, r.args[first:len(r.args):len(r.args)])
	r.args = r.args[:first]
	return v, err
}

func (m *method) set(*run, any, any) error { return nil }
