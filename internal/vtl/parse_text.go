package vtl

import "strings"

// backslashes reads backslashes and what they escape. They are escapes only
// before a directive that exists and before a reference.
func (p *parser) backslashes() (node, error) {
	start := p.pos
	for p.peek('\\') {
		p.pos++
	}
	count := p.pos - start
	switch {
	case p.peek('$'):
		return p.dollar(count)
	case !p.peek('#'):
		return text(p.source[start:p.pos]), nil
	}
	hash := p.pos
	p.pos++
	name, braces := p.word()
	end := p.pos
	p.pos = hash
	if name == "" {
		return text(p.source[start:hash]), nil
	}
	if count%2 == 0 {
		if p.isControl(name, braces) {
			count /= 2
		}
		return text(strings.Repeat(`\`, count)), nil
	}
	p.pos = end
	if p.isDirective(name) {
		return text(strings.Repeat(`\`, count/2) + p.source[hash:end]), nil
	}
	return text(p.source[start:end]), nil
}

// isDirective reports whether \#name is an escape.
func (p *parser) isDirective(name string) bool {
	return isConditional(name) || name == "set" || directiveReader(name) != nil || p.macros[name] != nil
}

// isControl reports whether \\#name is an escaped backslash before a directive.
// As in Velocity, #set is not meant, nor are most names in braces.
func (p *parser) isControl(name string, braces bool) bool {
	return isConditional(name) || !braces && (directiveReader(name) != nil || p.macros[name] != nil)
}

func isConditional(name string) bool {
	switch name {
	case "if", "elseif", "else", "end":
		return true
	}
	return false
}

// word reads the name of a directive, bare or in braces. It returns "" and
// reads nothing where there is none.
func (p *parser) word() (name string, braces bool) {
	start := p.pos
	braces = p.accept("{")
	first := p.pos
	for p.pos < len(p.source) && isWordByte(p.source[p.pos]) {
		p.pos++
	}
	name = p.source[first:p.pos]
	if name == "" || isDigit(name[0]) || braces && (name[0] == '@' || !p.accept("}")) {
		p.pos = start
		return "", false
	}
	return name, braces
}

func isWordByte(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c == '@' }

// hash reads the construct that begins with #: a comment, verbatim text, a
// directive or an ending.
func (p *parser) hash() (node, ending, error) {
	start := p.pos
	rest := p.source[start:]
	switch {
	case strings.HasPrefix(rest, "##"):
		p.lineComment()
		return nil, ending{}, nil
	case strings.HasPrefix(rest, "#*"):
		p.blockComment()
		return nil, ending{}, nil
	case strings.HasPrefix(rest, "#[["):
		n, err := p.verbatim()
		return n, ending{}, err
	}
	p.pos++
	name, _ := p.word()
	switch name {
	case "":
		return text("#"), ending{}, nil
	case "end", "else":
		p.gobble()
		return nil, ending{name, start}, nil
	case "elseif":
		return nil, ending{name, start}, nil
	}
	n, err := p.directive(start, name)
	return n, ending{}, err
}

// lineComment goes past a comment and the end of its line.
func (p *parser) lineComment() {
	if i := strings.IndexAny(p.source[p.pos:], "\r\n"); i >= 0 {
		p.pos += i
		if !p.accept("\r\n") {
			p.pos++
		}
		return
	}
	p.pos = len(p.source)
}

// blockComment goes past #* … *# or #** … *#, or to the end.
func (p *parser) blockComment() {
	p.pos += len("#*")
	if p.peek('*') && !strings.HasPrefix(p.source[p.pos:], "*#") {
		p.pos++
	}
	if i := strings.Index(p.source[p.pos:], "*#"); i >= 0 {
		p.pos += i + len("*#")
		return
	}
	p.pos = len(p.source)
}

// verbatim reads #[[ … ]]#.
func (p *parser) verbatim() (node, error) {
	start := p.pos
	p.pos += len("#[[")
	i := strings.Index(p.source[p.pos:], "]]#")
	if i < 0 {
		return nil, p.errorAt(start, "#[[ has no ]]#")
	}
	n := text(p.source[p.pos : p.pos+i])
	p.pos += i + len("]]#")
	return n, nil
}
