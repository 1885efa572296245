// Command empty does nothing: the start of a Go program.
package main

func main() {}
