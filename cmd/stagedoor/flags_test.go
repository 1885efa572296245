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

// The page of a command has every flag of it, and no other.
func TestPageHasEveryFlag(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"dev", "tail"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			comparePage(t, command)
		})
	}
}

func comparePage(t *testing.T, name string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/" + name + ".md")
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
		if command.Name == name {
			for _, flag := range command.Flags {
				want = append(want, flag.Name)
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flags of docs/%s.md (-want +got):\n%s", name, diff)
	}
}
