package jsonvalue

// AppendJava appends the text that a mapping template prints for a value, the
// toString of AWS's dialect: a map is {foo=bar}, a list is JSON text wherever
// it stands, so {foo=[{"nested":"bar"}]}, and a string is bare. The limits are
// Append's.
func AppendJava(dst []byte, v any) []byte {
	p := printer{dst: dst, limit: -1}
	p.java(v, 0)
	return p.dst
}

// AppendJavaWithin is AppendJava with a limit, as AppendWithin is Append with
// one.
func AppendJavaWithin(dst []byte, v any, limit int) ([]byte, error) {
	p := printer{dst: dst, limit: len(dst) + limit}
	p.java(v, 0)
	return p.dst, p.err()
}

// AppendCollection appends the text that a selection expression has for a
// value, the toString of java.util's collections: [item1, item2] and {a=b}, at
// any depth. The limits are Append's.
func AppendCollection(dst []byte, v any) []byte {
	p := printer{dst: dst, limit: -1, collections: true}
	p.java(v, 0)
	return p.dst
}

// java prints maps as {name=value, …}; lists as JSON, or as [item, …] when
// collections is set.
func (p *printer) java(v any, depth int) {
	switch v := v.(type) {
	case string:
		p.text(v)
	case *List:
		if p.collections {
			p.collection(v, depth)
		} else {
			p.list(v, depth)
		}
	case *Object:
		p.javaMap(v, depth)
	default:
		p.scalar(v)
	}
}

func (p *printer) javaMap(o *Object, depth int) {
	if !p.enter(depth) {
		return
	}
	p.text("{")
	for i, m := range o.members {
		if p.full() {
			return
		}
		if i > 0 {
			p.text(", ")
		}
		p.text(m.name)
		p.text("=")
		p.java(m.value, depth+1)
	}
	p.text("}")
}

func (p *printer) collection(l *List, depth int) {
	if !p.enter(depth) {
		return
	}
	p.text("[")
	for i, item := range l.Items {
		if p.full() {
			return
		}
		if i > 0 {
			p.text(", ")
		}
		p.java(item, depth+1)
	}
	p.text("]")
}
