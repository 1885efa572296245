package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
)

// model is a service model in the form of botocore, as far as it is read.
type model struct {
	Operations map[string]operation
	Shapes     map[string]*shape
}

type operation struct {
	HTTP struct {
		Method       string
		RequestURI   string
		ResponseCode int // 0 stands for 200
	}
	Input, Output struct{ Shape string }
}

// shape is a type of the model. Which members matter depends on Type.
type shape struct {
	Type            string
	TimestampFormat string
	Members         map[string]member
	Required        []string
	Payload         string // the member that is the whole body
	Member, Value   struct{ Shape string }
	Enum            []string
	Min, Max        *int
	Pattern         string
}

type member struct {
	Shape        string
	Location     string // "", uri, querystring, header
	LocationName string
}

// parseModel reads the text of a model.
func parseModel(text []byte) (*model, error) {
	m := new(model)
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("the model: %w", err)
	}
	for name, s := range m.Shapes {
		s.limitsByName(name)
	}
	return m, nil
}

// namedLimits are limits that the model of v2 gives in the names of shapes only:
// StringWithLengthBetween1And64, StringWithLengthBetween0And32K.
var namedLimits = regexp.MustCompile(`WithLengthBetween(Minus)?(\d+)And(\d+)(K?)$`)

func (s *shape) limitsByName(name string) {
	match := namedLimits.FindStringSubmatch(name)
	if match == nil || s.Min != nil || s.Max != nil {
		return
	}
	low, _ := strconv.Atoi(match[2]) // digits
	high, _ := strconv.Atoi(match[3])
	if match[1] != "" {
		low = -low
	}
	if match[4] != "" {
		high *= 1024
	}
	s.Min, s.Max = &low, &high
}
