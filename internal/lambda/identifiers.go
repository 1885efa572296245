package lambda

import "slices"

// Identifiers are the runtimes that Lambda has or had, the newest of each
// family first, because a misspelled name most likely stands for a new one.
var Identifiers = []string{
	"nodejs24.x", "nodejs22.x", "nodejs20.x", "nodejs18.x", "nodejs16.x", "nodejs14.x", "nodejs12.x", "nodejs10.x",
	"nodejs8.10", "nodejs6.10", "nodejs4.3-edge", "nodejs4.3", "nodejs",
	"python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python3.9", "python3.8", "python3.7", "python3.6", "python2.7",
	"provided.al2023", "provided.al2", "provided",
	"java25", "java21", "java17", "java11", "java8.al2", "java8",
	"dotnet10", "dotnet8", "dotnet6", "dotnetcore3.1", "dotnetcore2.1", "dotnetcore2.0", "dotnetcore1.0",
	"ruby3.4", "ruby3.3", "ruby3.2", "ruby2.7", "ruby2.5",
	"go1.x",
}

// IsRuntime reports whether Lambda has or had a runtime of this name.
func IsRuntime(name string) bool { return slices.Contains(Identifiers, name) }

// Runs reports whether functions of a runtime are run here.
func Runs(runtime string) bool {
	_, err := runtimeOf(runtime)
	return err == nil
}

// families lists the runtimes that are run here, for messages.
const families = "nodejs*, python*, provided* (an executable named bootstrap, or Go source) and go1.x"
