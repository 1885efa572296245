package template

import "strings"

// aliases are names by which a template may refer to resources that SAM makes,
// such as "Function.Alias" or a layer's own logical id, each with the logical
// id that SAM gives to the resource.
type aliases map[string]string

// rename returns the name that a name, with dots or without, stands for. All of
// it may be an alias, or the part before one of its dots.
func (a aliases) rename(name string) string {
	for end := len(name); end > 0; end = strings.LastIndexByte(name[:end], '.') {
		if id, ok := a[name[:end]]; ok {
			return id + name[end:]
		}
	}
	return name
}

// inResources renames in the section Resources, including DependsOn.
func (a aliases) inResources(resources *value) {
	if len(a) == 0 {
		return
	}
	for _, m := range resources.members {
		if on := m.value.get("DependsOn"); on != nil {
			for _, name := range append([]*value{on}, on.items...) {
				if name.kind == text {
					name.text = a.rename(name.text)
				}
			}
		}
	}
	a.in(resources)
}

// in renames in all functions of a value.
func (a aliases) in(v *value) {
	if len(a) == 0 {
		return
	}
	if f, ok := asCall(v); ok {
		a.inCall(f)
	}
	for _, item := range v.items {
		a.in(item)
	}
	for _, m := range v.members {
		a.in(m.value)
	}
}

func (a aliases) inCall(f call) {
	switch f.function {
	case "Ref":
		if f.argument.kind == text {
			f.argument.text = a.rename(f.argument.text)
		}
	case "Fn::GetAtt":
		a.inGetAtt(f)
	case "Fn::Sub":
		template := f.argument
		if template.kind == list && len(template.items) > 0 {
			template = template.items[0]
		}
		if template.kind != text {
			return
		}
		for _, fragment := range splitVariables(template.text) {
			if name := a.rename(fragment.text); fragment.variable && name != fragment.text {
				template.text = strings.ReplaceAll(template.text, "${"+fragment.text+"}", "${"+name+"}")
			}
		}
	}
}

func (a aliases) inGetAtt(f call) {
	if f.argument.kind == text {
		f.argument.text = a.rename(f.argument.text)
		return
	}
	resource, attribute, ok := f.attribute()
	if !ok || attribute.kind != text {
		return
	}
	id, rest, dotted := strings.Cut(a.rename(resource.text+"."+attribute.text), ".")
	if dotted {
		resource.text, attribute.text = id, rest
	}
}
