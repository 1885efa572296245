package main

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

var (
	flagRow   = regexp.MustCompile("(?m)^\\| (`--[^|]+) \\|")
	namedFlag = regexp.MustCompile("`--([a-z-]+)")
)

// The page has every flag of "stagedoor dev", and no other.
func TestPageHasEveryFlag(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/dev.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range flagRow.FindAllStringSubmatch(string(page), -1) {
		for _, flag := range namedFlag.FindAllStringSubmatch(row[1], -1) {
			got = append(got, flag[1])
		}
	}
	parser, err := kong.New(&commandLine{}, kong.Name("stagedoor"))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, command := range parser.Model.Children {
		if command.Name == "dev" {
			for _, flag := range command.Flags {
				want = append(want, flag.Name)
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flags of docs/dev.md (-want +got):\n%s", diff)
	}
}
