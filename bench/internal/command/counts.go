//go:build linux

package command

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Counts is the value of a flag: numbers of at least 1, separated by commas.
type Counts []int

// String implements flag.Value.
func (c *Counts) String() string {
	list := make([]string, len(*c))
	for i, n := range *c {
		list[i] = strconv.Itoa(n)
	}
	return strings.Join(list, ",")
}

// Set implements flag.Value.
func (c *Counts) Set(text string) error {
	var list Counts
	for field := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(field)
		if err != nil {
			return fmt.Errorf("%q is not a number", field)
		}
		if n < 1 {
			return errors.New("the least is 1")
		}
		list = append(list, n)
	}
	*c = list
	return nil
}
