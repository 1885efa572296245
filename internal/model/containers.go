package model

import (
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

func (v *validation) object(s *schema, object *jsonvalue.Object, at *location) *violation {
	if found := v.pass(size(at, "Properties", "properties", object.Len(), s.minProperties, s.maxProperties)); found != nil {
		return found
	}
	if found := v.missing(object, s.required, at, "required", ""); found != nil {
		return found
	}
	for _, d := range s.dependencies {
		if _, there := object.Get(d.name); !there {
			continue
		}
		found := v.missing(object, d.required, at, "dependencies", ", which "+show(d.name)+" needs")
		if found == nil && d.schema != nil {
			found = v.pass(v.check(d.schema, object, at))
		}
		if found != nil {
			return found
		}
	}
	for name, value := range object.All() {
		if found := v.pass(v.property(s, name, value, &location{parent: at, name: name})); found != nil {
			return found
		}
	}
	return nil
}

func (v *validation) missing(object *jsonvalue.Object, names []string, at *location, keyword, why string) *violation {
	for _, name := range names {
		if _, there := object.Get(name); !there {
			if found := v.pass(wrong(at, keyword, "%s is missing%s", show(name), why)); found != nil {
				return found
			}
		}
	}
	return nil
}

func (v *validation) property(s *schema, name string, value any, at *location) *violation {
	property, covered := s.properties[name]
	if covered {
		if found := v.pass(v.check(property, value, at)); found != nil {
			return found
		}
	}
	for _, p := range s.patternProperties {
		matches, found := v.find(p.pattern, name, at, "patternProperties")
		if found == nil && matches {
			covered = true
			found = v.pass(v.check(p.schema, value, at))
		}
		if found != nil {
			return found
		}
	}
	switch {
	case covered:
		return nil
	case s.additionalProperties.refused:
		return wrong(at, "additionalProperties", "the property is not allowed")
	case s.additionalProperties.schema != nil:
		return v.check(s.additionalProperties.schema, value, at)
	}
	return nil
}

func (v *validation) list(s *schema, list *jsonvalue.List, at *location) *violation {
	if found := v.pass(size(at, "Items", "items", list.Len(), s.minItems, s.maxItems)); found != nil {
		return found
	}
	if s.uniqueItems {
		if found := v.pass(v.unique(list, at)); found != nil {
			return found
		}
	}
	for i, item := range list.Items {
		of, here := s.items, &location{parent: at, index: i, isIndex: true}
		if s.tuple != nil {
			switch {
			case i < len(s.tuple):
				of = s.tuple[i]
			case s.additionalItems.refused:
				return v.pass(wrong(here, "additionalItems", "there must be no more than %d items", len(s.tuple)))
			default:
				of = s.additionalItems.schema
			}
		}
		if of == nil {
			continue
		}
		if found := v.pass(v.check(of, item, here)); found != nil {
			return found
		}
	}
	return nil
}

func (v *validation) unique(list *jsonvalue.List, at *location) *violation {
	places := make(map[string]int, list.Len())
	for i, item := range list.Items {
		key := canonical(item, &v.steps)
		if first, twice := places[key]; twice {
			return wrong(at, "uniqueItems", "the items %d and %d are equal", first, i)
		}
		places[key] = i
	}
	return nil
}
