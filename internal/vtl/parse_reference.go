package vtl

// dollar reads a reference, or text, from a $ on. slashes is the number of
// backslashes before it.
func (p *parser) dollar(slashes int) (node, error) {
	ref, err := p.reference(slashes)
	if err != nil {
		return nil, err
	}
	if ref != nil {
		return ref, nil
	}
	start := p.pos - slashes
	p.pos++
	dollar := p.pos
	for p.peek('\\') {
		p.pos++
	}
	if p.pos > dollar && p.accept("!") {
		// $\!name is $!name as text; of several backslashes, one is removed.
		return text(p.source[start:dollar] + p.source[dollar+1:p.pos]), nil
	}
	p.pos = dollar
	p.accept("!")
	return text(p.source[start:p.pos]), nil
}

// reference reads a reference. It returns nil and reads nothing where the $
// does not begin one.
func (p *parser) reference(slashes int) (*reference, error) {
	start := p.pos
	p.pos++
	p.accept("!")
	formal := p.accept("{")
	name := p.identifier()
	if name == "" {
		p.pos = start
		return nil, nil
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	ref := &reference{symbol: p.symbols.symbol(name), slashes: slashes, at: p.at(start)}
	var err error
	if ref.path, err = p.path(); err != nil {
		return nil, err
	}
	if formal {
		if p.accept("|") {
			if ref.alternate, err = p.expression(); err != nil {
				return nil, err
			}
		}
		if !p.accept("}") {
			return nil, p.unexpected("the } of ${" + name)
		}
	}
	ref.source = p.source[start:p.pos]
	return ref, nil
}

// identifier reads a variable's name; it returns "" where there is none.
func (p *parser) identifier() string {
	start := p.pos
	if p.pos == len(p.source) || !isLetter(p.source[p.pos]) && p.source[p.pos] != '_' {
		return ""
	}
	for p.pos < len(p.source) && isIdentifierByte(p.source[p.pos]) {
		p.pos++
	}
	return p.source[start:p.pos]
}

func isIdentifierByte(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c == '-' }

// path reads the properties, methods and indexes after a reference's name.
func (p *parser) path() ([]accessor, error) {
	var path []accessor
	for {
		a, err := p.accessor()
		if err != nil || a == nil {
			return path, err
		}
		path = append(path, a)
	}
}

func (p *parser) accessor() (accessor, error) {
	if p.peek('[') {
		p.pos++
		key, err := p.expression()
		if err != nil {
			return nil, err
		}
		if !p.accept("]") {
			return nil, p.unexpected("the ] of an index")
		}
		return &index{key: key}, nil
	}
	// A dot without a letter behind it is the end of a sentence.
	if !p.peek('.') || p.pos+1 == len(p.source) || !isLetter(p.source[p.pos+1]) {
		return nil, nil
	}
	p.pos++
	name := p.identifier()
	if !p.accept("(") {
		return property(name), nil
	}
	args, err := p.parameters()
	if err != nil {
		return nil, err
	}
	return &method{name: name, args: args}, nil
}

// parameters reads the arguments of a method up to the parenthesis.
func (p *parser) parameters() ([]expression, error) {
	p.space()
	if p.accept(")") {
		return nil, nil
	}
	var args []expression
	for {
		arg, err := p.parameter()
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
		if p.accept(")") {
			return args, nil
		}
		if !p.accept(",") {
			return nil, p.unexpected("a comma or )")
		}
	}
}

// parameter reads an argument of a method. A bare word is an argument without a
// value.
func (p *parser) parameter() (expression, error) {
	p.space()
	start := p.pos
	switch p.identifier() {
	case "", "true", "false", "not":
		p.pos = start
		return p.expression()
	}
	p.space()
	return &constant{}, nil
}

// restOfList reads what follows the first item of a list.
func (p *parser) restOfList(first expression) ([]expression, error) {
	items := []expression{first}
	for !p.accept("]") {
		if !p.accept(",") {
			return nil, p.unexpected("a comma or the ] of a list")
		}
		item, err := p.expression()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}
